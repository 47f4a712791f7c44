"""The business review of a unit: a draft that several people write, then one frozen document."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from insights.query.query import Granularity, Window
from insights.query.windows import quarter_name
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models.meetings import MeetingKind, MeetingParticipant
from programs.models.objectives import LONGEST_TITLE
from programs.models.quarters import FrozenDocument
from programs.models.tickets import Ticket
from programs.models.visibility import EVERYTHING, led_by

LONGEST_HEADLINE = 120
LONGEST_REASON = 500
MOST_ADDED_METRICS = 4  # in addition to a section's own: a row of figures stays readable

_REFUSE_OF_FROZEN = """
    IF EXISTS (SELECT FROM programs_qbr WHERE id = {row}.qbr_id AND document_id IS NOT NULL) THEN
        RAISE EXCEPTION 'The review is frozen: its sections are not changed any more.' USING ERRCODE = '23514';
    END IF;
    RETURN {row};
"""

_REFUSE_OF_SIGNED = """
    IF EXISTS (SELECT FROM programs_qbr WHERE id = {row}.qbr_id AND state = 'signed') THEN
        RAISE EXCEPTION 'The review is signed off: its decisions are not changed any more.' USING ERRCODE = '23514';
    END IF;
    RETURN {row};
"""


class QbrPeriod(models.TextChoices):
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"


class QbrState(models.TextChoices):
    """Drafts and frozen reviews are visible to those who answer for the unit; signed ones to their audience, too."""

    DRAFT = "draft", "Draft"
    FROZEN = "frozen", "Frozen"
    SIGNED = "signed", "Signed off"


class QbrAudience(models.TextChoices):
    """The readers of a signed review, in addition to its writers and the people invited to its meeting."""

    LEADERSHIP = "leadership", "Leadership"
    MANAGERS = "managers", "Managers of any unit"
    UNIT = "unit", "Everybody who may see the unit"
    EVERYBODY = "everybody", "Everybody"


class SectionKey(models.TextChoices):
    HIGHLIGHTS = "highlights", "Highlights"
    DECIDED = "decided", "What we decided last time"
    DORA = "dora", "DORA"
    BOTTLENECKS = "bottlenecks", "Three bottlenecks in hours"
    FINDINGS = "findings", "Findings, and what became of them"
    TREND = "trend", "Trend"
    PLANNING = "planning", "Plan against delivery"
    OBJECTIVES = "objectives", "Objectives"
    ACTION_PLANS = "action_plans", "Action plans"
    AI = "ai", "AI adoption, output and spend"
    QUALITY = "quality", "Quality and incidents"
    ALLOCATION = "allocation", "Investment mix"
    RISKS = "risks", "Risks"
    WARNINGS = "warnings", "Early warnings of teams’ health"
    RECOMMENDATIONS = "recommendations", "Recommendations"
    CAVEATS = "caveats", "Data caveats"
    ASKS = "asks", "Asks"
    NEXT = "next", "Next quarter"


class QbrQuerySet(models.QuerySet["Qbr"]):
    def within(self, visibility: Visibility) -> Self:
        """All reviews of units that the viewer leads, and signed ones if the viewer is in their audience or meeting."""
        seen = EVERYTHING if visibility.whole else Q(unit__in=visibility.unit_ids or ())
        audiences = [QbrAudience.EVERYBODY, *([QbrAudience.MANAGERS] if visibility.leads_any else [])]
        invited = MeetingParticipant.objects.annotate(about=Coalesce("meeting__series__unit_id", 0)).filter(
            meeting__series__kind=MeetingKind.QBR,
            meeting__period_start=OuterRef("start"),
            meeting__period_end=OuterRef("end"),
            about=Coalesce(OuterRef("unit_id"), 0),
            person=visibility.person_id,
            removed_at=None,
        )
        may_read = Q(audience__in=audiences) | Q(audience=QbrAudience.UNIT) & seen | Exists(invited)
        return self.filter((Q(state=QbrState.SIGNED) & may_read) | led_by(visibility))

    def revisions_of(self, unit_id: Any, period: Any, start: Any) -> Self:
        """All revisions of one unit's review of a period; each argument may be a reference to an outer query."""
        of_unit = self.annotate(of_unit=Coalesce("unit_id", 0)).filter(of_unit=Coalesce(unit_id, 0))
        return of_unit.filter(period=period, start=start)

    def newest_within(self, visibility: Visibility) -> Self:
        """The latest revision of each review that the viewer may see."""
        revisions = Qbr.objects.within(visibility).revisions_of(
            OuterRef("unit_id"), OuterRef("period"), OuterRef("start")
        )
        return self.within(visibility).exclude(Exists(revisions.filter(revision__gt=OuterRef("revision"))))


@pghistory.track(append_only=True)
class Qbr(models.Model):
    """The review of a unit (null: the whole organisation) and a period, on [start, end).

    A frozen review that is reopened is followed by its next revision, and itself stays as it is.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="qbrs")
    period = models.CharField(max_length=7, choices=QbrPeriod.choices, default=QbrPeriod.QUARTER)
    start = models.DateField()
    end = models.DateField(help_text="The first day that no longer belongs to it.")
    state = models.CharField(max_length=6, choices=QbrState.choices, default=QbrState.DRAFT, editable=False)
    audience = models.CharField(max_length=10, choices=QbrAudience.choices, default=QbrAudience.UNIT, editable=False)
    document = models.OneToOneField(FrozenDocument, models.PROTECT, null=True, editable=False)
    signed_at = models.DateTimeField(null=True, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False, help_text="Version of the order of its sections.")
    revision = models.PositiveSmallIntegerField(default=1, editable=False)
    reopened_because = models.CharField(
        max_length=LONGEST_REASON, blank=True, editable=False, help_text="Why the revision before it was reopened."
    )

    objects = QbrQuerySet.as_manager()

    class Meta:
        ordering = ("-start", "-end", "pk")
        verbose_name = "business review"
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "period", "start", "revision"], nulls_distinct=False, name="one_qbr_per_unit_and_period"
            ),
            models.CheckConstraint(
                condition=Q(revision=1, reopened_because="") | (Q(revision__gt=1) & ~Q(reopened_because="")),
                name="qbr_revision_says_why",
            ),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="qbr_has_days"),
            models.CheckConstraint(
                condition=Q(state=QbrState.DRAFT, document=None, signed_at=None)
                | Q(state=QbrState.FROZEN, document__isnull=False, signed_at=None)
                | Q(state=QbrState.SIGNED, document__isnull=False, signed_at__isnull=False),
                name="qbr_state_is_that_of_its_document",
            ),
        ]
        indexes = [models.Index(fields=["-start", "-end", "id"], name="qbr_by_period")]
        triggers = [
            pgtrigger.Protect(
                name="frozen_qbr_stays",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "unit_id", "period", "start", "end", "document_id", "revision", "reopened_because"
                ),
                condition=pgtrigger.Q(old__document_id__isnull=False),
            ),
            pgtrigger.Protect(
                name="frozen_qbr_is_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__document_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        name = f"{self.unit.name if self.unit else 'Whole organisation'}, {self.period_name}"
        return name if self.revision == 1 else f"{name}, revision {self.revision}"

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    @property
    def granularity(self) -> Granularity:
        return Granularity(self.period)

    @property
    def period_name(self) -> str:
        """The period's name, such as Q3 2026 or September 2026."""
        return period_name(self.period, self.start)

    @property
    def is_frozen(self) -> bool:
        return self.document_id is not None


def period_name(period: str, start: date) -> str:
    if period == QbrPeriod.MONTH:
        return f"{start:%B %Y}"
    year, quarter = quarter_name(start).split("-")
    return f"{quarter} {year}"


@pghistory.track(append_only=True)
class QbrSection(models.Model):
    """The authored text of a section; its figures come from the data."""

    qbr = models.ForeignKey(Qbr, models.CASCADE, related_name="sections")
    key = models.CharField(max_length=20, choices=SectionKey.choices)
    position = models.PositiveSmallIntegerField()
    is_included = models.BooleanField(default=True)
    headline = models.CharField(
        max_length=LONGEST_HEADLINE, blank=True, help_text="The finding in a sentence; empty: one made of the figures."
    )
    commentary = models.TextField(blank=True, help_text="Markdown.")
    metrics = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, help_text="Keys of further metrics to show."
    )
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    edited_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("qbr", "position")
        constraints = [
            models.UniqueConstraint(fields=["qbr", "key"], name="qbr_section_once"),
            models.UniqueConstraint(
                fields=["qbr", "position"], name="qbr_section_position_once", deferrable=models.Deferrable.DEFERRED
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name=name, operation=operation, when=pgtrigger.Before, func=_REFUSE_OF_FROZEN.format(row=row)
            )
            for name, operation, row in (
                ("frozen_qbr_takes_no_section", pgtrigger.Insert, "NEW"),
                ("section_of_frozen_qbr_is_kept", pgtrigger.Delete, "OLD"),
                (
                    "section_of_frozen_qbr_stays",
                    pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                        "qbr_id", "key", "position", "is_included", "headline", "commentary", "metrics"
                    ),
                    "NEW",
                ),
            )
        ]

    def __str__(self) -> str:
        return self.get_key_display()


@pghistory.track(append_only=True)
class QbrDecision(models.Model):
    """A decision that the review asks for or its meeting takes; it becomes a ticket once the review is signed."""

    qbr = models.ForeignKey(Qbr, models.CASCADE, related_name="decisions")
    title = models.CharField("decision", max_length=LONGEST_TITLE)
    reason = models.TextField("why", blank=True, help_text="Markdown.")
    # A person may be merged into another one and deleted; their decisions stay.
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    due_on = models.DateField("due by")
    ticket = models.ForeignKey(Ticket, models.SET_NULL, null=True, editable=False, related_name="+")
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("qbr", "pk")
        verbose_name = "decision of a business review"
        verbose_name_plural = "decisions of business reviews"
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="qbr_decision_says_something")]
        triggers = [
            pgtrigger.Trigger(
                name=name, operation=operation, when=pgtrigger.Before, func=_REFUSE_OF_SIGNED.format(row=row)
            )
            for name, operation, row in (
                ("signed_qbr_takes_no_decision", pgtrigger.Insert, "NEW"),
                ("decision_of_signed_qbr_is_kept", pgtrigger.Delete, "OLD"),
                (
                    "decision_of_signed_qbr_stays",
                    pgtrigger.UpdateOf("qbr_id", "title", "reason", "due_on"),  # type: ignore[no-untyped-call]
                    "NEW",
                ),
            )
        ]

    def __str__(self) -> str:
        return self.title
