"""Recorded values of headline metrics for closed periods."""

from __future__ import annotations

from django.db import models

from orgtree.models import Unit


class FigureRecord(models.Model):
    """A metric's value for one closed period, as computed in the night after; it is never changed.

    The whole organisation has a record for every recorded period; a unit only if it had facts, so that a missing record
    of a unit means that it had none if the organisation has one.  `people` decides whether the value may be shown, as
    in insights.privacy.withhold: for a quotient it counts the people of the numerator if these are fewer, and it
    excludes people known from telemetry alone.
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
