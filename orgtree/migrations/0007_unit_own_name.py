from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgtree', '0006_placement_change_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='unit',
            name='own_name',
            field=models.BooleanField(default=False, help_text='It keeps its name whatever its manager or attribute is called.', verbose_name='named by hand'),
        ),
    ]
