"""Monthly reviews: a manager's agenda from the data, with notes, decisions, attendance and sign-off."""

from __future__ import annotations

from typing import Self

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.objectives import LONGEST_TITLE
from programs.models.tickets import Ticket
from programs.models.visibility import concerns, led_by

LONGEST_NOTES = 20_000  # characters

# A signed review can no longer be changed.
_SIGNED_REVIEW_STAYS = """
    IF EXISTS (SELECT FROM programs_review WHERE id = {row}.review_id AND signed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The review is signed: % is not changed any more.', TG_TABLE_NAME USING ERRCODE = '23514';
    END IF;
    RETURN {row};
"""


def _part_stays(*fields: str) -> list[pgtrigger.Trigger]:
    new, old = _SIGNED_REVIEW_STAYS.format(row="NEW"), _SIGNED_REVIEW_STAYS.format(row="OLD")
    changes = pgtrigger.Insert | pgtrigger.UpdateOf(*fields)  # type: ignore[no-untyped-call]
    return [
        pgtrigger.Trigger(name="signed_review_stays", operation=changes, when=pgtrigger.Before, func=new),
        pgtrigger.Trigger(name="signed_review_is_kept", operation=pgtrigger.Delete, when=pgtrigger.Before, func=old),
    ]


class ReviewQuerySet(models.QuerySet["Review"]):
    def within(self, visibility: Visibility) -> Self:
        """Reviews of units that the viewer leads, that the viewer attended, and signed ones that concern them."""
        attended = Q(pk__in=[])
        if visibility.person_id is not None:
            attended = Q(pk__in=ReviewAttendance.objects.filter(person=visibility.person_id).values("review"))
        return self.filter(led_by(visibility) | attended | (Q(signed_at__isnull=False) & concerns(visibility)))


@pghistory.track(append_only=True)
class Review(models.Model):
    """A unit's review of one month."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="reviews")
    month = models.DateField(help_text="Its first day.")
    summary = models.TextField(blank=True, help_text="Markdown: what the team takes away.")
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    prepared_at = models.DateTimeField(db_default=Now(), editable=False)
    agenda_until = models.DateField(help_text="The first day whose figures the agenda no longer holds.")
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    signed_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ("-month", "unit")
        constraints = [
            models.UniqueConstraint(fields=["unit", "month"], name="one_review_per_unit_and_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="review_month_is_its_first_day"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="signed_review_keeps_its_words",
                operation=pgtrigger.UpdateOf("unit_id", "month", "summary", "agenda_until", "signed_at"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__signed_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit.name}, {self.month:%B %Y}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


class PointKind(models.TextChoices):
    """The source of an agenda point, in order of discussion."""

    DECISION = "decision", "Decisions of the last review"
    RESTATED = "restated", "Restated figures"
    MOVED = "moved", "What moved beyond normal variation"
    FINDING = "finding", "Findings"
    BENCHMARK = "benchmark", "Benchmarks crossed"
    OBJECTIVE = "objective", "Objectives at risk"
    CHECK_IN = "check_in", "Check-ins missing"
    NO_OBJECTIVE = "no_objective", "Teams without a mandatory objective"
    TICKET = "ticket", "Overdue tickets"
    DELIVERY = "delivery", "Deliveries that miss their planned day"
    OTHER = "other", "Other points"


@pghistory.track(append_only=True)
class ReviewPoint(models.Model):
    """One point of the agenda, as it was when the agenda was created, with the notes of the meeting.

    `reference` identifies the subject within its kind: a metric's key, or an id.  `figures` are set for points about
    metrics: `MetricFigures` in programs/reviews/services/agenda.py.
    """

    review = models.ForeignKey(Review, models.CASCADE, related_name="points")
    kind = models.CharField(max_length=12, choices=PointKind.choices)
    reference = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=LONGEST_TITLE)
    detail = models.CharField(max_length=2 * LONGEST_TITLE, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    notes = models.TextField(blank=True, help_text="Markdown.")
    decision = models.TextField(blank=True, help_text="Markdown: what was decided.")
    tickets: models.ManyToManyField[Ticket, models.Model] = models.ManyToManyField(
        Ticket, related_name="review_points", blank=True
    )
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("review", "position", "pk")
        constraints = [
            models.UniqueConstraint(fields=["review", "kind", "reference"], name="review_point_once"),
            models.CheckConstraint(condition=~Q(title=""), name="review_point_says_something"),
        ]
        triggers = _part_stays(
            *("review_id", "kind", "reference", "position", "title", "detail", "figures", "notes", "decision")
        )

    def __str__(self) -> str:
        return self.title


class ReviewAttendance(models.Model):
    """A person invited to a review, and whether they attended."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="attendance")
    # A person found in data may be merged into a known one and deleted; the review keeps the id.
    person = models.ForeignKey(Person, models.DO_NOTHING, db_constraint=False, related_name="+")
    attended = models.BooleanField(default=False)

    class Meta:
        ordering = ("person__full_name", "pk")
        verbose_name_plural = "review attendance"
        constraints = [models.UniqueConstraint(fields=["review", "person"], name="person_once_per_review")]
        triggers = _part_stays("review_id", "person_id", "attended")

    def __str__(self) -> str:
        return f"{self.person} at {self.review}"
