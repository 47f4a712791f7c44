"""Computed figures, and what has to be computed anew."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F
from django.utils import timezone


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
