"""What models were used for by everybody, day by day: a year of it is read from facts in seconds, from here at once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class KeptUsageDay(models.Model):
    """A day of which the rows of KeptUsage are as facts say.  It goes as soon as facts of the day change."""

    day = models.DateField(unique=True)
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.day.isoformat()


class KeptUsage(models.Model):
    """A row of integrations/services/model_use.py, of everybody: a model's tokens, by what decides their price."""

    day = models.DateField()
    model = models.CharField(max_length=120)
    agent = models.CharField(max_length=40)
    prompt_above = models.IntegerField(help_text="Of PROMPT_BOUNDS; -1: the whole day.")
    service_tier = models.CharField(max_length=20, blank=True)
    input = models.BigIntegerField()
    cache_read = models.BigIntegerField()
    cache_write = models.BigIntegerField()
    output = models.BigIntegerField()
    cache_write_1h = models.BigIntegerField()
    requests = models.BigIntegerField()
    spend = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    unpriced_tokens = models.BigIntegerField()
    summed_tokens = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["day", "model", "agent", "prompt_above", "service_tier"], name="kept_usage_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.day}"
