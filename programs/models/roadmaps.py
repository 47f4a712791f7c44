"""Roadmap models: intents of teams for future quarters, and the metrics that matter to each persona."""

from __future__ import annotations

from typing import Self

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models.objectives import LONGEST_TITLE
from programs.models.quarters import Quarter
from programs.models.visibility import concerns, led_by


class RoadmapIntentQuerySet(models.QuerySet["RoadmapIntent"]):
    def within(self, visibility: Visibility) -> Self:
        """Intents that concern the viewer, as published objectives do, and those of units that they lead."""
        return self.filter(concerns(visibility) | led_by(visibility))


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), append_only=True)
class RoadmapIntent(models.Model):
    """A planned improvement of a unit (null: the whole organisation) for a quarter, before it becomes an objective.

    It is deleted when the objective is written; the roadmap then shows the objective.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="roadmap_intents")
    quarter = models.ForeignKey(Quarter, models.PROTECT, related_name="roadmap_intents")
    title = models.CharField(max_length=LONGEST_TITLE)
    template = models.SlugField(
        max_length=60, blank=True, help_text="The objective template that it will be made from."
    )
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    # Grows with every change, so that editing or moving an older version shows the conflict.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = RoadmapIntentQuerySet.as_manager()

    class Meta:
        ordering = ("quarter", "pk")
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="roadmap_intent_says_something"),
            models.UniqueConstraint(
                fields=["unit", "quarter", "title"], nulls_distinct=False, name="roadmap_intent_once_in_a_quarter"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def card_key(self) -> str:
        """The identifier of its card on the roadmap, also used in addresses."""
        return f"intent-{self.pk}"


class Persona(models.Model):
    """A role's view of delivery: an engineering manager's, a developer's …"""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=LONGEST_TITLE)
    position = models.PositiveSmallIntegerField(default=100, help_text="Small numbers stand first.")
    job_titles = models.CharField(
        max_length=400,
        blank=True,
        help_text="Words of a person's role or sub-role, separated by commas. Whoever has one of them sees this "
        "persona first.",
    )

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name


class PersonaMetric(models.Model):
    """A metric that matters to a persona in a quarter of the fiscal year.

    `metric` may name one that is not measured yet: the roadmap then says what is needed.
    """

    persona = models.ForeignKey(Persona, models.CASCADE, related_name="metrics")
    quarter = models.PositiveSmallIntegerField(help_text="Number of the quarter in the fiscal year: 1 to 4.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Small numbers stand first.")
    label = models.CharField(max_length=LONGEST_TITLE, help_text="The persona's name for the metric.")
    metric = models.CharField(max_length=80, help_text="A metric's key.")

    class Meta:
        ordering = ("persona", "quarter", "position", "pk")
        constraints = [
            models.CheckConstraint(condition=Q(quarter__gte=1, quarter__lte=4), name="persona_metric_in_a_quarter"),
            models.CheckConstraint(condition=~Q(metric=""), name="persona_metric_names_one"),
        ]

    def __str__(self) -> str:
        return self.label
