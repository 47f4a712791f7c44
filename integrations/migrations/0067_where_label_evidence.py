
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("integrations", "0066_where_places_and_parts"),
    ]

    operations = [
        migrations.AlterField(
            model_name='commitevidence',
            name='method',
            field=models.CharField(choices=[('line_checkpoint', 'Line checkpoints of the collector'), ('note', 'git-ai note'), ('vendor', "Vendor's commit API"), ('trailer', 'Trailer or identity of a known agent'), ('label', 'Label of a pull request'), ('overlap', 'A session of the author at that time')], max_length=16),
        ),
        migrations.AlterField(
            model_name='fileattribution',
            name='method',
            field=models.CharField(choices=[('line_checkpoint', 'Line checkpoints of the collector'), ('note', 'git-ai note'), ('vendor', "Vendor's commit API"), ('trailer', 'Trailer or identity of a known agent'), ('label', 'Label of a pull request'), ('overlap', 'A session of the author at that time')], max_length=16),
        ),
    ]
