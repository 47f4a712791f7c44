"""Schedules of those who may change them: the list, and one with its coming meetings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from core.page_links import page_links
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.page_numbers import read_page
from insights.ui.views import record_view
from programs.meetings.pages.labels import holiday_words, meeting_lines, participant_lines, rule_words
from programs.meetings.services.recurrence import occurrences
from programs.models import MeetingSeries, MeetingState
from programs.teams.fields import exists_today

PAGE_SIZE = 25


@dataclass(frozen=True)
class SeriesLine:
    url: str
    title: str
    rule: str
    participants: int
    next: str
    has_ended: bool


@dataclass(frozen=True)
class SkippedDay:
    day: str
    holiday: str


@record_view
def series_list(request: HttpRequest) -> HttpResponseBase:
    visibility, now = access_in(request).visibility, timezone.now()
    to_come = Q(meetings__state=MeetingState.PLANNED, meetings__starts_at__gt=now)
    found = MeetingSeries.objects.within(visibility).select_related("unit")
    counted = found.annotate(
        next_at=Min("meetings__starts_at", filter=to_come), people=Count("participants", distinct=True)
    )
    page = Paginator(counted.order_by("unit__name", "kind", "pk"), PAGE_SIZE).get_page(read_page(request))
    path = reverse("meeting_series_list")
    context: dict[str, Any] = {
        "series_lines": [_line(series) for series in page],
        "may_schedule": visibility.leads_any,
        **page_links(page, lambda number: f"{path}?page={number}"),
    }
    return render(request, "programs/meetings/series_list.html", context)


@record_view
def series(request: HttpRequest, pk: int) -> HttpResponse:
    record = visible_series(request, pk)
    to_come = list(record.meetings.filter(starts_at__gt=timezone.now()).select_related("series__unit"))
    context: dict[str, Any] = {
        "series": record,
        "rule": rule_words(record),
        "holidays": holiday_words(record),
        "starts": wording.day(record.starts_on),
        "ends": wording.day(record.ends_on) if record.ends_on else "",
        "has_ended": _has_ended(record),
        "unit_is_gone": record.unit is not None and not exists_today(record.unit),
        "participants": participant_lines(record.participants.all()),
        "meetings": meeting_lines(to_come, {}),
        "skipped": _skipped(record),
    }
    return render(request, "programs/meetings/series.html", context)


def visible_series(request: HttpRequest, pk: int) -> MeetingSeries:
    """Raises Http404 for one that the viewer may not change, as for one that is not there."""
    seen = MeetingSeries.objects.within(access_in(request).visibility).select_related("unit")
    return get_object_or_404(seen, pk=pk)


def _line(record: MeetingSeries) -> SeriesLine:
    next_at = getattr(record, "next_at", None)
    return SeriesLine(
        url=reverse("meeting_series", args=[record.pk]),
        title=record.title,
        rule=rule_words(record),
        participants=int(getattr(record, "people", 0)),
        next=wording.day(next_at.astimezone(record.zone).date()) if next_at else "",
        has_ended=_has_ended(record),
    )


def _has_ended(record: MeetingSeries) -> bool:
    return record.ends_on is not None and record.ends_on <= windows.local_today()


def _skipped(record: MeetingSeries) -> list[SkippedDay]:
    """Coming days on which the rule would meet, but for a holiday."""
    today = windows.local_today()
    if record.made_until is None:
        return []
    return [
        SkippedDay(wording.day(occurrence.rule_day), occurrence.holiday)
        for occurrence in occurrences(record, until=record.made_until)
        if occurrence.day is None and occurrence.rule_day >= today
    ]
