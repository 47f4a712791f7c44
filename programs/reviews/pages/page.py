"""The page of one review: agenda, notes, decisions, attendance and sign-off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.confirm_page import ConfirmPage, Consequences
from core.form_page import FormTexts
from core.forms import posted_number
from core.write_errors import ConflictError, FieldError
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.query import Window
from insights.ui import wording
from insights.ui.tiles import Link
from insights.ui.views import action_view, record_view
from orgtree.access.access import Access
from orgtree.models import Person
from programs.history.events import names_of_accounts
from programs.meetings.queries.meetings import next_meeting
from programs.models import BottleneckKind, MeetingKind, PointKind, Review
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import visible_review
from programs.reviews.pages.labels import point_groups
from programs.reviews.queries import point_of
from programs.reviews.services.writing import (
    ONLY_LEADERS,
    add_point,
    invite,
    make_ticket,
    may_write,
    save_attendance,
    save_point,
    save_summary,
    sign_review,
    update_agenda,
)
from programs.teams.fields import suggested_owners

TICKET_DUE = timedelta(days=28)  # until the next review
CONFLICT = "Somebody saved this while you were writing. Your text is not saved yet: both are shown below."


@record_view
def review(request: HttpRequest, pk: int) -> HttpResponse:
    return review_page(request, visible_review(pk, access_in(request)))


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
    others = Review.objects.within(access.visibility).filter(unit=record.unit)
    context: dict[str, Any] = {
        "review": record,
        "agenda_days": wording.days(Window(record.month, record.agenda_until)),
        "names": names_of_accounts([record.prepared_by_id, record.signed_by_id]),
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


def _attendees(record: Review, access: Access) -> list[tuple[int, str, bool]]:
    """Ids, names and whether they came, by name; nameless for whoever may not read names."""
    rows = list(record.attendance.order_by("pk").values_list("person_id", "attended"))
    people = Person.objects.in_bulk([pk for pk, _ in rows]) if access.is_of_account else {}
    attendees = [(pk, people[pk].full_name if pk in people else "Deleted person", came) for pk, came in rows]
    return sorted(attendees, key=itemgetter(1))


@action_view
def review_agenda(request: HttpRequest, pk: int) -> HttpResponse:
    """Update the agenda from today's figures."""
    return _changed(request, pk, update_agenda, "Agenda updated.")


@action_view
def review_summary(request: HttpRequest, pk: int) -> HttpResponse:
    """`summary` and the `version` of the review that it was written for."""
    summary = request.POST.get("summary", "")

    def save(access: Access, record: Review) -> None:
        save_summary(access, record, summary, of_version=posted_number(request, "version"))

    return _changed(request, pk, save, "Saved.", unsaved={"summary": summary}, conflict="summary")


@action_view
def review_point(request: HttpRequest, pk: int, point: int) -> HttpResponse:
    """`notes`, `decision` and the `version` of the point that they were written for."""
    notes, decision = request.POST.get("notes", ""), request.POST.get("decision", "")

    def save(access: Access, record: Review) -> None:
        of_version = posted_number(request, "version")
        save_point(access, point_of(record, point), notes=notes, decision=decision, of_version=of_version)

    unsaved = {"notes": notes, "decision": decision}
    return _changed(request, pk, save, "Saved.", at=f"point-{point}", unsaved=unsaved, conflict=str(point))


@action_view
def review_points(request: HttpRequest, pk: int) -> HttpResponse:
    """A point of one's own: `title`."""
    return _changed(
        request, pk, lambda access, record: add_point(access, record, request.POST.get("title", "")), "Point added."
    )


@action_view
def review_ticket(request: HttpRequest, pk: int, point: int) -> HttpResponse:
    """A ticket from a point's decision: `title`, `kind`, `owner`, `due_on`."""

    def create(access: Access, record: Review) -> None:
        words = {name: request.POST.get(name, "") for name in ("title", "kind", "owner")}
        try:
            due_on = date.fromisoformat(request.POST.get("due_on", ""))
        except ValueError:
            raise FieldError("due_on", "A ticket needs a due date.") from None
        make_ticket(access, point_of(record, point), due_on=due_on, **words)

    return _changed(request, pk, create, "Ticket created.", at=f"point-{point}")


@action_view
def review_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """`attended`: ids of people; `email`: somebody else who came."""
    attended = {int(word) for word in request.POST.getlist("attended") if word.isdecimal() and len(word) < 16}
    email = request.POST.get("email", "").strip()

    def save(access: Access, record: Review) -> None:
        save_attendance(access, record, attended)
        if email:
            invite(access, record, email)

    return _changed(request, pk, save, "Attendance saved.", at="attendance")


class SignReview(ConfirmPage, ProgramForm):
    """Signing a signed one changes nothing."""

    changing = FormTexts("Sign the review of", "Sign the review", "Signed. The review is final.")
    icon, keep = "circle-check", "Keep it open"
    find = staticmethod(visible_review)
    list_route, record_route = "reviews", "review"

    def refusal(self) -> str:
        return "" if may_write(self.access.visibility, self.record) or self.record.is_signed else ONLY_LEADERS

    @property
    def title(self) -> str:
        return f"{self.texts.title} {self.record}"

    def form_of(self, record: Review, data: Any = None) -> WriteForm:
        return WriteForm(data)

    @property
    def consequences(self) -> Consequences:
        review, points = self.record, list(self.record.points.exclude(kind=PointKind.OTHER))
        undecided = sum(not point.decision for point in points)
        missing = {
            "Nobody is recorded as attending: record who came before you sign.": not review.attendance.filter(
                attended=True
            ).exists(),
            f"{wording.count(undecided, 'point')} of {len(points)} without a decision.": undecided > 0,
            "The summary is empty.": not review.summary,
            f"{review.month:%B %Y} is not over.": windows.local_today().replace(day=1) == review.month,
        }
        return Consequences(
            permanent="The agenda with its figures, notes, decisions, attendance and summary. Tickets go on.",
            missing=[sentence for sentence, is_missing in missing.items() if is_missing],
            readers=f"Everybody in {review.unit.name}, those who attended, and the managers above.",
        )

    def save(self, form: WriteForm) -> Review:
        return sign_review(self.access, self.record)


def _changed(
    request: HttpRequest,
    pk: int,
    change: Callable[[Access, Review], object],
    done: str,
    *,
    at: str = "",
    unsaved: dict[str, str] | None = None,
    conflict: str = "",
) -> HttpResponse:
    """The page again; where the change was refused, with the reason and with what was sent."""
    record = visible_review(pk, access_in(request))
    try:
        change(access_in(request), record)
    except ConflictError:
        current = visible_review(pk, access_in(request))
        return review_page(request, current, problems=[CONFLICT], unsaved=unsaved, conflict=conflict, status=409)
    except FieldError as problem:
        return review_page(request, record, problems=[problem.message], unsaved=unsaved, status=400)
    messages.success(request, done)
    return redirect(f"{reverse('review', args=[pk])}{f'#{at}' if at else ''}")
