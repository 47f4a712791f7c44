"""What headline metrics said of periods that had closed."""

from __future__ import annotations

from django.db import models

from orgtree.models import Unit


class FigureRecord(models.Model):
    """A metric's value of one closed period, as it was computed in the night after; it is never changed.

    Of the whole organisation there is a row for every period that was recorded; of a unit where anything counted, so
    that no row of a unit beside one of the organisation means that nothing did.  `people` decides whether it may be
    shown, as in insights.privacy.withhold: those above the line of a quotient where they are fewer, and nobody whom
    telemetry alone names.
    """

    metric = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(help_text="Of the metric's definition.")
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+", help_text="Null: the organisation.")
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    value = models.FloatField(null=True)
    sample_size = models.PositiveBigIntegerField(help_text="How many facts entered.")
    people = models.PositiveIntegerField(help_text="How many people these are of.")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "version", "unit", "start", "end"], nulls_distinct=False, name="one_record_a_period"
            )
        ]
        indexes = [models.Index(fields=["end", "start"], name="figure_record_by_end")]

    def __str__(self) -> str:
        return f"{self.metric} of {self.unit or 'the organisation'} from {self.start} to {self.end}"
