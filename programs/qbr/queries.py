"""Queries of business reviews: lists, the previous review, and the review of a meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse

from core.list_filters import ViewerFilters
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.meetings.services.records import MeetingRecord
from programs.models import Meeting, MeetingKind, Qbr, QbrDecision, QbrPeriod, QbrState
from programs.requests.visible import UnitFilter


class QbrFilters(ViewerFilters):
    """The business reviews that the viewer may see and that match the filters."""

    unit = UnitFilter(selects="of_unit", label="Unit", help_text="Slug.")
    period = django_filters.ChoiceFilter(choices=QbrPeriod.choices, label="Period", empty_label="Any period")
    state = django_filters.ChoiceFilter(choices=QbrState.choices, label="State", empty_label="Any state")
    start = django_filters.DateFilter(field_name="start", label="Begins on", help_text="The first day of the period.")

    def visible(self, access: Access) -> QuerySet[Qbr]:
        return visible_qbrs(access.visibility)

    def of_unit(self, qbrs: QuerySet[Qbr], slug: str) -> QuerySet[Qbr]:
        return qbrs.filter(unit__slug=slug)


def visible_qbrs(visibility: Visibility) -> QuerySet[Qbr]:
    """The newest revisions that the viewer may see, latest period first, with unit and document."""
    seen = Qbr.objects.newest_within(visibility)
    return seen.select_related("unit", "document").order_by("-start", "-end", "unit", "pk")


def following_revision(qbr: Qbr, visibility: Visibility | None = None) -> Qbr | None:
    """The newest revision after this one; if `visibility` is given, only if that viewer may see it."""
    known = Qbr.objects.all() if visibility is None else Qbr.objects.within(visibility)
    revisions = known.revisions_of(qbr.unit_id, qbr.period, qbr.start).filter(revision__gt=qbr.revision)
    return revisions.select_related("document").order_by("-revision").first()


def preceding_revision(qbr: Qbr, visibility: Visibility) -> Qbr | None:
    """The revision that was reopened as this one, if the viewer may see it."""
    revisions = Qbr.objects.within(visibility).revisions_of(qbr.unit_id, qbr.period, qbr.start)
    return revisions.filter(revision=qbr.revision - 1).first()


def preceding_qbr(qbr: Qbr, visibility: Visibility) -> Qbr | None:
    """`last_frozen`, if the viewer may see it."""
    return _frozen_before(qbr, Qbr.objects.within(visibility))


def last_frozen(qbr: Qbr) -> Qbr | None:
    """The latest frozen review of the same unit and kind of period before it, in its newest frozen revision."""
    return _frozen_before(qbr, Qbr.objects.all())


def decision_of(qbr: Qbr, pk: int) -> QbrDecision:
    """A decision of the review.  Raises Http404."""
    return get_object_or_404(qbr.decisions.select_related("qbr", "owner"), pk=pk)


def _frozen_before(qbr: Qbr, known: QuerySet[Qbr]) -> Qbr | None:
    earlier = known.filter(unit=qbr.unit, period=qbr.period, document__isnull=False, end__lte=qbr.start)
    return earlier.select_related("unit", "document").order_by("-start", "-revision").first()


def qbrs_of_meetings(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """Maps meeting ids to QBRs; for one not drafted yet, a link to the list for those who lead the unit."""
    about = [meeting for meeting in meetings if meeting.series.kind == MeetingKind.QBR]
    seen = Qbr.objects.newest_within(visibility).filter(start__in={meeting.period_start for meeting in about})
    qbrs = {(qbr.unit_id, qbr.start, qbr.end): qbr for qbr in seen.select_related("unit")}
    found = {}
    for meeting in about:
        unit = meeting.series.unit
        qbr = qbrs.get((meeting.series.unit_id, meeting.period_start, meeting.period_end))
        if qbr is None and not visibility.leads(meeting.series.unit_id):
            continue
        found[meeting.pk] = MeetingRecord(
            title=f"QBR: {qbr}" if qbr else "QBR",
            url=reverse("qbr", args=[qbr.pk]) if qbr else reverse("qbrs"),
            is_signed=qbr is not None and qbr.state == QbrState.SIGNED,
            signers=frozenset([unit.leader_id] if unit and unit.leader_id else []),
        )
    return found
