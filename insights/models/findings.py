"""Findings: changes and differences that the nightly checks consider more than chance, and what became of them."""

from __future__ import annotations

from datetime import date

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from orgtree.models import IndividualPolicy, Organisation, Unit, UnitPlacement
from orgtree.models.visibility import Visibility


class FindingState(models.TextChoices):
    NEW = "new", "New"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IN_WORK = "in_work", "In work"
    DISMISSED = "dismissed", "Dismissed"
    RESOLVED = "resolved", "Resolved"


OPEN_STATES = (FindingState.NEW, FindingState.ACKNOWLEDGED, FindingState.IN_WORK)


class Verdict(models.TextChoices):
    """A reader's verdict on a finding."""

    USEFUL = "useful", "Useful"
    WRONG = "wrong", "Wrong"
    KNOWN = "known", "Known"


class FindingQuerySet(models.QuerySet["Finding"]):
    def within(self, visibility: Visibility) -> FindingQuerySet:
        """Findings of units that the viewer may see; those of the organisation for viewers who may see all of it."""
        shown = self.by_rules_in_force()
        seen = shown if visibility.unit_ids is None else shown.filter(Q(unit__in=visibility.unit_ids) | Q(unit=None))
        return seen if visibility.whole else seen.exclude(unit=None)

    def by_rules_in_force(self) -> FindingQuerySet:
        """Findings whose figures may be shown under the minimum group in force: a stricter minimum applies at once, not
        from the next night on.
        """
        in_force = Organisation.objects.filter(
            Q(individual_policy=IndividualPolicy.NAMED)
            | Q(protected_since=None)
            | Q(minimum_group_size__lte=OuterRef("minimum_people"))
        )
        return self.filter(Q(unit=None, repository="") | Exists(in_force))

    def open(self) -> FindingQuerySet:
        return self.filter(state__in=OPEN_STATES)

    def newest_first(self) -> FindingQuerySet:
        """Findings with their units, the newest first; within a day, the surest first."""
        return self.select_related("unit").order_by("-found_on", "chance", "pk")

    def at_or_below(self, slug: str, day: date) -> FindingQuerySet:
        """Findings of the unit and of the units that are below it on that day."""
        below = UnitPlacement.objects.filter(ancestor__slug=slug, during__contains=day)
        return self.filter(Q(unit__slug=slug) | Q(unit__in=below.values("unit")))


@pghistory.track(
    pghistory.InsertEvent("found"),
    pghistory.UpdateEvent("changed", condition=pghistory.AnyChange("state", "verdict", "reason")),
    fields=["state", "verdict", "reason"],
    model_name="FindingEvent",
    append_only=True,
)
class Finding(models.Model):
    """A detector's finding about a unit.  `since` is the first day of its change, or of the weeks compared.

    `before` and `after` are the values on both sides: of the unit before and since a change, or of comparable units and
    the unit.  `low` and `high` bound their difference with 95 % confidence.
    """

    detector = models.CharField(max_length=80)
    metric = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, related_name="+", help_text="Null: the organisation.")
    repository = models.CharField(max_length=300, blank=True, help_text="Its name, where repositories are compared.")
    state = models.CharField(max_length=20, choices=FindingState.choices, default=FindingState.NEW)
    since = models.DateField()
    until = models.DateField(help_text="The first day that was not looked at any more.")
    before = models.FloatField()
    after = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    chance = models.FloatField(help_text="The probability of as clear a result by chance, in this check alone.")
    sample = models.PositiveIntegerField(help_text="How many facts the weeks since then have.")
    compared_with = models.JSONField(default=list, help_text="Slugs of the comparable units.")
    details = models.JSONField(default=dict, help_text="What follows from it or speaks for a cause: Details.")
    compared_by = models.CharField(
        max_length=400, blank=True, default="", db_default="", help_text="The rule by which they are comparable."
    )
    found_on = models.DateField()
    minimum_people = models.PositiveSmallIntegerField(
        default=0,
        help_text="Figures of fewer people were hidden when it was found; 1: of no number of people.",
    )
    ended_on = models.DateField(null=True, help_text="When it was dismissed, or no longer found.")
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_on = models.DateField(null=True)
    gone_on = models.DateField(null=True, help_text="The first night since which a dismissed one is no longer there.")
    undone_on = models.DateField(null=True, help_text="When its verdict stopped to count for the threshold.")
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["detector", "unit", "repository"],
                condition=Q(state__in=OPEN_STATES),
                nulls_distinct=False,
                name="one_open_finding_a_detector",
            )
        ]
        indexes = [models.Index(fields=["state", "found_on"], name="finding_by_state")]

    def __str__(self) -> str:
        return f"{self.detector} in {self.unit or 'the organisation'}"


class ReviewWaitsQuerySet(models.QuerySet["ReviewWaits"]):
    def shown_to(self, visibility: Visibility, *, fewest: int) -> ReviewWaitsQuerySet:
        """Waits of units that the viewer may see, without those of fewer than `fewest` people."""
        seen = self if visibility.unit_ids is None else self.filter(unit__in=visibility.unit_ids)
        return seen.filter(people__gte=fewest).select_related("unit").order_by("-waiting", "unit__name")


class ReviewWaits(models.Model):
    """The causes of a team's waiting reviews in the weeks before `until`; `lines` are those of
    insights.formulas.review_waits.CauseLine.

    Only teams have them, never units above: no figure of few people can be computed as a difference.
    """

    unit = models.OneToOneField(Unit, models.CASCADE, primary_key=True, related_name="+")
    since = models.DateField()
    until = models.DateField(help_text="The first day that was not looked at any more.")
    pull_requests = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField(help_text="Those that waited long.")
    people = models.PositiveIntegerField(help_text="Authors of those that waited.")
    lines = models.JSONField(default=list)

    objects = ReviewWaitsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "review waits"

    def __str__(self) -> str:
        return f"waits of {self.unit}"
