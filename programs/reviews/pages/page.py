"""The page of one review: agenda, notes, decisions, attendance and sign-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from core.markdown import as_html
from insights.pages.annotations.labels import GONE, moment
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.query import Window
from insights.ui import wording
from insights.ui.tiles import Link
from insights.ui.views import record_view
from orgtree.access.access import Access
from orgtree.models import Person
from programs.history.events import names_of_accounts
from programs.meetings.queries.meetings import next_meeting
from programs.models import BottleneckKind, MeetingKind, Review
from programs.reviews.pages.labels import month_words, point_groups
from programs.reviews.services.writing import may_write
from programs.teams.writing_for import suggested_owners

TICKET_DUE = timedelta(days=28)  # until the next review


@dataclass(frozen=True)
class Attendee:
    person: int
    name: str
    attended: bool


@record_view
def review(request: HttpRequest, pk: int) -> HttpResponse:
    return review_page(request, visible_review(request, pk))


def visible_review(request: HttpRequest, pk: int) -> Review:
    """Raises Http404 for one that the viewer may not see, as for one that is not there."""
    seen = Review.objects.within(access_in(request).visibility).select_related("unit").filter(pk=pk).first()
    if seen is None:
        raise Http404("No such review, or you may not see it.")
    return seen


def review_page(
    request: HttpRequest,
    record: Review,
    *,
    problems: Sequence[str] = (),
    unsaved: Mapping[str, str] | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    """`unsaved` is what was sent and not stored, by field; `conflict`: the id of the point (or "summary") of which
    somebody else saved another version, shown beside it.
    """
    access, today = access_in(request), windows.local_today()
    points = list(record.points.order_by("position", "pk"))
    accounts = names_of_accounts([record.prepared_by_id, record.signed_by_id])
    others = Review.objects.within(access.visibility).filter(unit=record.unit)
    context: dict[str, Any] = {
        "review": record,
        "month": month_words(record.month),
        "agenda_days": wording.days(Window(record.month, record.agenda_until)),
        "prepared": f"{accounts.get(record.prepared_by_id or 0, GONE)}, {moment(record.prepared_at)}",
        "signed": f"{accounts.get(record.signed_by_id or 0, GONE)}, {moment(record.signed_at)}"
        if record.signed_at
        else "",
        "summary": as_html(record.summary),
        "groups": point_groups(record, points, access, today),
        "attendees": _attendees(record, access),
        "may_write": may_write(access.visibility, record),
        "kinds": BottleneckKind.choices,
        "owners": suggested_owners(access.visibility) if access.visibility.leads(record.unit_id) else [],
        "due_on": today + TICKET_DUE,
        "today": today,
        "previous": others.filter(month__lt=record.month).order_by("-month").first(),
        "following": others.filter(month__gt=record.month).order_by("month").first(),
        "meeting": _next_meeting(record),
        "schedule_url": f"{reverse('meeting_series_new')}?kind=review&unit={record.unit.slug}",
        "problems": problems,
        "unsaved": unsaved or {},
        "conflict": conflict,
        "list_url": f"{reverse('reviews')}?unit={record.unit.slug}",
    }
    return render(request, "programs/reviews/review.html", context, status=status)


def _next_meeting(record: Review) -> Link | None:
    meeting = next_meeting(MeetingKind.REVIEW, record.unit, timezone.now())
    if meeting is None:
        return None
    at = meeting.starts_at.astimezone(meeting.series.zone)
    return Link(f"{wording.day(at.date())}, {at:%H:%M}", reverse("meeting", args=[meeting.pk]))


def _attendees(record: Review, access: Access) -> list[Attendee]:
    """By name; nameless for whoever may not read names."""
    rows = list(record.attendance.order_by("pk").values_list("person_id", "attended"))
    people = Person.objects.in_bulk([pk for pk, _ in rows]) if access.is_of_account else {}
    attendees = [Attendee(pk, people[pk].full_name if pk in people else "Deleted person", came) for pk, came in rows]
    return sorted(attendees, key=lambda attendee: attendee.name)
