"""Versions of a unit's benchmark for a metric (baseline, threshold and target), and of its focus."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from insights.query.query import Window
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models.visibility import concerns

LONGEST_REASON = 400
MOST_INDICATORS = 5  # with more, nobody knows what matters


class Period(models.TextChoices):
    """The period that a value covers; a median or a share needs none."""

    NONE = "", "Any time"
    WEEK = "week", "A week"
    MONTH = "month", "A month"
    QUARTER = "quarter", "A quarter"


class Direction(models.TextChoices):
    HIGHER = "higher", "Higher is better"
    LOWER = "lower", "Lower is better"


class BenchmarkQuerySet(models.QuerySet["BenchmarkVersion"]):
    def within(self, visibility: Visibility) -> Self:
        """Benchmarks of units that the viewer may see or belongs to, of units above those, and of the organisation."""
        return self.filter(concerns(visibility))


class BenchmarkVersion(models.Model):
    """A benchmark set on one metric for one unit (null: the whole organisation).

    The highest number applies; the database refuses to change or delete any version.  A version without threshold and
    target withdraws the unit's benchmark, so that the one above applies again.  All values are in the metric's unit of
    measure, and of the given `statistic` and `period`.  The baseline was computed for the unit on that day; its
    interval is a 95 % one.
    """

    metric = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="benchmarks")
    number = models.PositiveIntegerField(editable=False)
    metric_version = models.PositiveIntegerField(help_text="Of the metric's formula when it was agreed.")
    statistic = models.CharField(max_length=10, blank=True, help_text="Empty: the metric has one value.")
    period = models.CharField(max_length=10, choices=Period.choices, blank=True)
    better = models.CharField(max_length=6, choices=Direction.choices)
    baseline = models.FloatField(null=True, help_text="Null: there were no data.")
    baseline_from = models.DateField(null=True)
    baseline_to = models.DateField(null=True, help_text="The first day that no longer belongs to it.")
    baseline_low = models.FloatField(null=True)
    baseline_high = models.FloatField(null=True)
    baseline_sample = models.PositiveIntegerField(default=0)
    baseline_people = models.PositiveIntegerField(default=0, help_text="The fewest behind any part of it.")
    threshold = models.FloatField(null=True, help_text="The realistic value to reach first.")
    target = models.FloatField(null=True, help_text="The value to reach in the long run.")
    is_to_hold = models.BooleanField(default=False, help_text="The baseline was beyond the target, and that was meant.")
    reason = models.CharField(max_length=LONGEST_REASON, help_text="Why it was agreed so.")
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        ordering = ("metric", "unit", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "unit", "number"], name="benchmark_number_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="benchmark_has_a_reason"),
            models.CheckConstraint(
                condition=Q(baseline=None) | Q(baseline_from__isnull=False, baseline_to__gt=F("baseline_from")),
                name="baseline_has_its_days",
            ),
            models.CheckConstraint(
                condition=Q(threshold=None)
                | Q(target=None)
                | Q(better=Direction.HIGHER, target__gte=F("threshold"))
                | Q(better=Direction.LOWER, target__lte=F("threshold")),
                name="target_is_not_worse_than_threshold",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="benchmark_version_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.metric}, version {self.number}"

    @property
    def is_removal(self) -> bool:
        return self.threshold is None and self.target is None

    @property
    def baseline_window(self) -> Window | None:
        if self.baseline_from is None or self.baseline_to is None:
            return None
        return Window(self.baseline_from, self.baseline_to)

    def is_beyond(self, value: float, aim: float) -> bool:
        """Whether the value is strictly better than the aim."""
        return value > aim if self.better == Direction.HIGHER else value < aim

    def reaches(self, value: float, aim: float) -> bool:
        """Whether the value equals the aim or is better."""
        return value >= aim if self.better == Direction.HIGHER else value <= aim


class FocusQuerySet(models.QuerySet["FocusVersion"]):
    def within(self, visibility: Visibility) -> Self:
        return self.filter(concerns(visibility))


class FocusVersion(models.Model):
    """The focus of a unit (null: the whole organisation) from that day on.

    The highest number applies; the database refuses to change or delete any version.  Keys of removed metrics are kept.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="focus")
    number = models.PositiveIntegerField(editable=False)
    metric = models.CharField(max_length=80, blank=True, help_text="The focus metric; empty: none.")
    indicators = ArrayField(models.CharField(max_length=80), default=list, help_text="Keys in order, at most five.")
    starter_set = models.SlugField(max_length=40, blank=True, help_text="The set that they were taken from.")
    reason = models.CharField(max_length=LONGEST_REASON)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = FocusQuerySet.as_manager()

    class Meta:
        ordering = ("unit", "-number")
        constraints = [
            models.UniqueConstraint(fields=["unit", "number"], name="focus_number_once", nulls_distinct=False),
            models.CheckConstraint(condition=~Q(reason=""), name="focus_has_a_reason"),
            models.CheckConstraint(condition=Q(indicators__len__lte=MOST_INDICATORS), name="few_key_indicators"),
        ]
        triggers = [
            pgtrigger.Protect(name="focus_version_stays", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Focus, version {self.number}"
