"""Push tokens change only their own records; those that exist go on changing all of them."""

import django.db.models.deletion
from django.db import migrations, models

FIELD = "changes_all"
NAME = "may change all records"
HELP = "Of a token for pushed records: whether it changes and deletes records that others wrote, too."


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0097_wrappers_of_requests"),
    ]

    operations = [
        migrations.AddField(
            "ingesttoken", FIELD, models.BooleanField(NAME, default=True, db_default=True, help_text=HELP)
        ),
        migrations.AlterField(
            "ingesttoken", FIELD, models.BooleanField(NAME, default=False, db_default=False, help_text=HELP)
        ),
        migrations.CreateModel(
            name="PushedRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24)),
                ("external_id", models.TextField()),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="integrations.ingesttoken"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["kind", "external_id"], name="pushed_record_has_one_writer")
                ],
            },
        ),
    ]
