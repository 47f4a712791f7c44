"""Context of units and repositories: facts that figures cannot show, and the rule by which teams are comparable."""

from __future__ import annotations

from typing import Self

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Repository
from orgtree.models import Unit

MOST_WEIGHT = 10.0


class Stage(models.TextChoices):
    GREENFIELD = "greenfield", "Greenfield"
    LEGACY = "legacy", "Legacy"


@pghistory.track(
    pghistory.InsertEvent("added"),
    pghistory.UpdateEvent("changed"),
    pghistory.DeleteEvent("removed"),
    exclude=["written_by"],  # it changes by itself when the account is deleted
    append_only=True,
)
class Context(models.Model):
    """A statement on a unit, a repository or (neither) the whole organisation, in force until the next one.

    An empty or null field is not stated here: that of the owner, the unit above or the organisation applies.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+")
    repository = models.ForeignKey(Repository, models.CASCADE, null=True, related_name="+")
    since = models.DateField()
    stage = models.CharField(
        "greenfield or legacy", max_length=20, choices=Stage.choices, blank=True, default="", db_default=""
    )
    language = models.CharField("main language", max_length=60, blank=True, default="", db_default="")
    long_reviews = models.BooleanField(
        "long reviews are expected", null=True, help_text="Safety-critical code is an example."
    )
    weights = models.JSONField(
        "weights of work types",
        default=dict,
        db_default={},
        help_text="The number by which a change of each work type counts in the mix of work; 1 where there is none.",
    )
    conventions = models.CharField(
        "coding conventions", max_length=300, blank=True, default="", db_default="", help_text="Path or address."
    )
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "repository", "since"], nulls_distinct=False, name="one_context_of_a_day"
            ),
            models.CheckConstraint(condition=Q(unit=None) | Q(repository=None), name="context_of_one_place"),
        ]

    def __str__(self) -> str:
        return f"Context of {self.unit or self.repository or 'the organisation'} since {self.since}"


@pghistory.track(append_only=True)
class ComparableRule(models.Model):
    """The rule by which teams are comparable: a single row.  Facts that are unknown of a team exclude nobody."""

    size_factor = models.FloatField(
        "times as many people at most",
        null=True,
        blank=True,
        default=2.0,
        validators=[MinValueValidator(1.1), MaxValueValidator(20)],
        help_text="Or as few. Empty: any size.",
    )
    same_stage = models.BooleanField("both greenfield or both legacy", default=True)
    same_long_reviews = models.BooleanField("long reviews expected in both or in neither", default=True)
    same_language = models.BooleanField("of the same main language", default=False)
    age_factor = models.FloatField(
        "times as old repositories at most",
        null=True,
        blank=True,
        validators=[MinValueValidator(1.1), MaxValueValidator(20)],
        help_text="Or as young, by the first commits of the repositories that they work in. Empty: any age.",
    )
    work_type_points = models.PositiveSmallIntegerField(
        "percentage points between shares of a work type at most",
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(90)],
        help_text="Merged pull requests count, weighted by the context. Empty: any mix.",
    )

    def __str__(self) -> str:
        return "Rule of comparable units"

    @classmethod
    def current(cls) -> Self:
        return cls.objects.filter(pk=1).first() or cls(pk=1)
