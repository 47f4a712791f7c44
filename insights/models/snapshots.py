"""Computed figures, and what has to be computed anew."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.models import FactFamily
from orgtree.models import Unit


class Period(models.TextChoices):
    """What span of time a cell covers: a whole bucket of a granularity, or any other window that is kept."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    WINDOW = "window"


class MetricCell(models.Model):
    """A metric's figure for a unit (null: the whole organisation), a span of days and one segment value (or none).

    Cells in which nothing was found are not stored.  `value` is null where facts are there and could not be added.
    """

    metric = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField()
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+", db_index=False)
    period = models.CharField(max_length=8, choices=Period.choices)
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    segment_name = models.CharField(max_length=20, blank=True)
    segment_value = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    numerator = models.FloatField(null=True)
    denominator = models.FloatField(null=True)
    sample_size = models.BigIntegerField()
    people = models.IntegerField()
    missing = models.BooleanField(default=False)
    unmatched = models.FloatField(null=True, help_text="Share 0–1 of the facts without a person.")
    mean = models.FloatField(null=True)
    median = models.FloatField(null=True)
    p75 = models.FloatField(null=True)
    p90 = models.FloatField(null=True)
    p95 = models.FloatField(null=True)
    low = models.FloatField(null=True, help_text="The value by line-level evidence alone.")
    mix = models.JSONField(default=dict, help_text="Method of attribution → share 0–1 of the lines.")
    left_out = models.BigIntegerField(default=0, db_default=0, help_text="Facts that lack what is measured.")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("unit", "start", "end", "period", "metric", "version"),
                    *("segment_name", "segment_value"),
                ],
                name="metric_cell_is_unique",
                nulls_distinct=False,
            )
        ]


class DirtyRange(models.Model):
    """Cells of a unit (null: the whole organisation) that facts of a family on these days have made wrong.

    Work to do is a row: it goes with the transaction that computes the cells anew.  `lagging` cells (quarters and
    trailing windows) take longer than the others and may wait.
    """

    family = models.CharField(max_length=20, choices=FactFamily.choices)
    unit_id = models.BigIntegerField(null=True)
    day_from = models.DateField()
    day_to = models.DateField(help_text="The first day that no longer belongs to it.")
    lagging = models.BooleanField()
    noted_at = models.DateTimeField(db_default=Now())


class SnapshotState(models.Model):
    """A single row: how far the cells go, and a number that grows whenever they change."""

    changes = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    rolled_to = models.DateField(null=True, help_text="The local day for which the cells stand; null: none do.")
    settled_to = models.DateTimeField(null=True, help_text="Sessions that ended until then are no longer pending.")
    lagging_at = models.DateTimeField(null=True, help_text="When lagging cells were last computed.")
    lagging_seconds = models.FloatField(default=0, help_text="How long that took.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="snapshot_state_is_one_row")]

    @classmethod
    def current(cls) -> Self:
        return cls.objects.get_or_create(pk=1)[0]
