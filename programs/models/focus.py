"""What a unit concentrates on: one focus metric, and the few key indicators that it follows; in versions."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models.benchmarks import LONGEST_REASON
from programs.models.visibility import concerns

MOST_INDICATORS = 5  # with more nobody knows what matters


class FocusQuerySet(models.QuerySet["FocusVersion"]):
    def within(self, visibility: Visibility) -> Self:
        return self.filter(concerns(visibility))


class FocusVersion(models.Model):
    """All that a unit (without one: the whole organisation) concentrates on since that day.

    The newest number holds; the database refuses to change or delete any.  Keys of metrics that are gone stay as they
    were written.
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
