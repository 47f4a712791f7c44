"""The interval of what a ticket changed; effects that were measured without one are measured again."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def forget_effects(apps: StateApps, _schema: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("programs", "TicketEffect").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("programs", "0004_philosophy")]

    operations = [
        migrations.AddField("ticketeffect", "change_low", models.FloatField(null=True)),
        migrations.AddField("ticketeffect", "change_high", models.FloatField(null=True)),
        migrations.AddField(
            "ticketeffect",
            "placebos",
            models.PositiveSmallIntegerField(
                default=0, help_text="Times in the year before it was compared with."
            ),
        ),
        migrations.RunPython(forget_effects, migrations.RunPython.noop),
    ]
