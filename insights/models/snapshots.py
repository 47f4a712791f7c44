"""Computed figures, and what has to be computed anew."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import FactFamily
from orgtree.models import Unit


class Period(models.TextChoices):
    """What span of time a cell covers: a whole bucket of a granularity, or any other window that is kept."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    WINDOW = "window"


class CellGroup(models.Model):
    """What one statement computes and cells keep together: measures of a relation, split in one way or not at all.

    `starts` says by measure (fingerprint) where its figures begin in the list of each cell.  A measure that changed
    makes another group, which is filled in the background; until it stands, the cells of the group before it answer
    what they can.
    """

    relation = models.CharField(max_length=80)
    segment_name = models.CharField(max_length=20, blank=True)
    starts = models.JSONField()
    fiscal_month = models.PositiveSmallIntegerField(help_text="In which the fiscal year starts: quarters differ by it.")
    rolled_to = models.DateField(null=True, help_text="The local day for which its cells stand; null: not filled yet.")
    filled_at = models.DateTimeField(null=True, help_text="When all of its cells were last computed.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["relation", "segment_name", "starts", "fiscal_month"], name="cell_group_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.relation} by {self.segment_name}" if self.segment_name else self.relation


class MetricCell(models.Model):
    """What facts came to for a unit (null: the whole organisation), a span of days and one segment value (or none).

    These are the figures of measures, from which a metric is put together when it is read.  Cells in which nothing was
    found are not stored.

    The database does not look for the group and unit of each of millions of cells, which took a fifth of what it does
    in a fill.  What is deleted takes its cells with it all the same, and a fill drops what it did not compute.
    """

    group = models.ForeignKey(CellGroup, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False)
    period = models.CharField(max_length=8, choices=Period.choices)
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    segment_value = models.CharField(max_length=200, blank=True)
    facts = models.BigIntegerField()
    matched_facts = models.BigIntegerField(help_text="Those of which the person is known.")
    people = models.IntegerField()
    figures = ArrayField(models.FloatField(null=True), help_text="In the order of the group's measures.")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "start", "end", "group", "segment_value", "period"],
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
    """A single row: a number that grows whenever the cells change, and what was last done about them."""

    changes = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    settled_to = models.DateTimeField(null=True, help_text="Sessions that ended until then are no longer pending.")
    lagging_at = models.DateTimeField(null=True, help_text="When lagging cells were last computed.")
    lagging_seconds = models.FloatField(default=0, help_text="How long that took.")
    filling_since = models.DateTimeField(null=True, help_text="When the fill began that is under way; null: none is.")
    pieces = models.IntegerField(default=0, db_default=0, help_text="In how many pieces that fill computes the cells.")
    pieces_filled = models.IntegerField(default=0, db_default=0)
    filled_at = models.DateTimeField(null=True, help_text="When the last fill ended.")
    filled_seconds = models.FloatField(default=0, db_default=0, help_text="How long that took.")
    columns_due_at = models.DateTimeField(null=True, help_text="Until then no rows are kept anew; null: at once.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="snapshot_state_is_one_row")]

    @classmethod
    def current(cls) -> Self:
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def note(cls, **state: object) -> None:
        cls.objects.filter(pk=cls.current().pk).update(**state)

    @classmethod
    def note_change(cls, **state: object) -> None:
        """That cells changed, and what else is to be noted."""
        cls.note(changes=F("changes") + 1, changed_at=timezone.now(), **state)
