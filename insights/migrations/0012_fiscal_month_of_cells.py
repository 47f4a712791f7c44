"""Which fiscal calendar cells were filled by; those that are there, by the one of the environment."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insights", "0011_kept_comparisons")]

    operations = [
        migrations.RemoveConstraint("cellgroup", "cell_group_is_unique"),
        migrations.AddField(
            "cellgroup",
            "fiscal_month",
            models.PositiveSmallIntegerField(
                default=settings.FISCAL_YEAR_START_MONTH,
                help_text="In which the fiscal year starts: quarters differ by it.",
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "cellgroup",
            models.UniqueConstraint(
                fields=["relation", "segment_name", "starts", "fiscal_month"], name="cell_group_is_unique"
            ),
        ),
    ]
