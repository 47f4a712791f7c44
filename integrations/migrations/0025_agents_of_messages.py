import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0024_linking_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="pullrequestcommit",
            name="agents",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                db_default=[],
                default=list,
                help_text="Coding agents that its message names.",
                size=None,
            ),
        ),
    ]
