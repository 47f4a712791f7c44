"""The month in which the fiscal year starts, as an admin says it."""

from __future__ import annotations

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0019_tokens_of_the_program")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="fiscal_year_start_month",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                help_text="1 to 12; empty: as HEADWAY_FISCAL_YEAR_START_MONTH says. Quarters count from it on pages, "
                "in the API and in objectives; a quarter that has objectives keeps its days. Figures by quarter are "
                "computed anew.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(12),
                ],
                verbose_name="fiscal year starts in month",
            ),
        ),
    ]
