"""Who is known has a version, by which processes keep what they read of it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgtree', '0001_squashed_0020_fiscal_year'),
    ]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='people_version',
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
