"""The page of one review: agenda, notes, decisions, attendance and sign-off."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.form_page import ConfirmPage, Consequences, FormTexts
from core.views import action_view, record_view
from core.write_errors import ConflictError, FieldError
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.query import Window
from insights.ui import wording
from insights.ui.tiles import Link
from orgtree.access.access import Access
from orgtree.models import Person
from programs.history.events import names_of_accounts
from programs.meetings.queries.meetings import next_meeting
from programs.models import BottleneckKind, MeetingKind, PointKind, Review, ReviewPoint
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import visible_review
from programs.reviews.pages.labels import dora_strip, point_groups, seal_of
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
    conflicts: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """The page; `unsaved` are rejected values by field, and `conflicts` the ids of points (or "summary") of which
    somebody else saved another version, which is shown next to them.
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
        "conflicts": conflicts,
        "summary_seal": seal_of(record.summary),
        "dora": dora_strip(record, access),
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
    """Ids, names and attendance, by name; without names if the viewer may not read them."""
    rows = list(record.attendance.order_by("pk").values_list("person_id", "attended"))
    people = Person.objects.in_bulk([pk for pk, _ in rows]) if access.is_of_account else {}
    attendees = [(pk, people[pk].full_name if pk in people else "Deleted person", came) for pk, came in rows]
    return sorted(attendees, key=itemgetter(1))


@action_view
def review_agenda(request: HttpRequest, pk: int) -> HttpResponse:
    """Updates the agenda from today's figures."""
    return _changed(request, pk, update_agenda, "Agenda updated.")


@action_view
def review_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Saves the whole page, which is one form: for each point `notes-<id>` and `decision-<id>` with the `version-<id>`
    and `seal-<id>` of when they were read, `summary` likewise, `attended` and `attendee`, and the `title` of a new
    point.

    `ticket` is the id of the point to create a ticket from, with `ticket-owner-<id>`, `ticket-due-<id>`,
    `ticket-title-<id>` and `ticket-kind-<id>`; `then=sign` leads to the sign-off.  Rejected parts stay in the form; the
    rest is saved.
    """
    record, saving = visible_review(pk, access_in(request)), _Saving(request)
    access, form = saving.access, request.POST
    for point in record.points.select_related("review__unit"):
        saving.text(
            f"{point.pk}",
            {"notes": point.notes, "decision": point.decision},
            _point_writer(access, point),
        )
    saving.text(
        "summary",
        {"summary": record.summary},
        lambda texts, version: save_summary(access, record, texts["summary"], of_version=version),
    )
    if "attendance" in form:
        attended = {int(word) for word in form.getlist("attended") if word.isdecimal() and len(word) < 16}
        saving.attempt(lambda: save_attendance(access, record, attended))
    if email := form.get("attendee", "").strip():
        saving.attempt(lambda: invite(access, record, email), attendee=email)
    if title := form.get("title", "").strip():
        saving.attempt(lambda: add_point(access, record, title), title=title)
    chosen = form.get("ticket", "")
    if chosen.isdecimal() and len(chosen) < 16:
        words = {name: form.get(f"ticket-{name}-{chosen}", "") for name in ("title", "owner", "due", "kind")}
        saving.attempt(
            lambda: _make_ticket(access, record, int(chosen), words),
            **{f"ticket-{name}-{chosen}": word for name, word in words.items()},
        )
    if saving.problems:
        current = visible_review(pk, access_in(request))
        status = 409 if saving.conflicts else 400
        return review_page(
            request,
            current,
            problems=saving.problems,
            unsaved=saving.unsaved,
            conflicts=saving.conflicts,
            status=status,
        )
    if form.get("then") == "sign":
        return redirect("review_sign", pk)
    messages.success(request, "Ticket created." if chosen else "Saved.")
    return redirect(f"{reverse('review', args=[pk])}{f'#point-{chosen}' if chosen else ''}")


def _point_writer(access: Access, point: ReviewPoint) -> Callable[[dict[str, str], int], object]:
    return lambda texts, version: save_point(access, point, **texts, of_version=version)


class _Saving:
    """Saves part by part; a rejected part is kept with its reason, and the others are saved."""

    def __init__(self, request: HttpRequest) -> None:
        self.access, self._form = access_in(request), request.POST
        self.problems: list[str] = []
        self.unsaved: dict[str, str] = {}
        self.conflicts: set[str] = set()

    def attempt(self, change: Callable[[], object], *, of: str = "", **sent: str) -> None:
        try:
            change()
        except ConflictError:
            self.conflicts.add(of)
            self.unsaved |= sent
            self.problems = list(dict.fromkeys([*self.problems, CONFLICT]))
        except FieldError as problem:
            self.unsaved |= sent
            self.problems.append(problem.message)

    def text(self, of: str, stored: Mapping[str, str], write: Callable[[dict[str, str], int], object]) -> None:
        """Saves texts that the form has changed; unchanged ones may have been edited by somebody else meanwhile."""
        names = {name: name if name == of else f"{name}-{of}" for name in stored}
        if not all(name in self._form for name in names.values()):
            return
        texts = {name: self._form[sent] for name, sent in names.items()}
        seal, of_version = self._form.get(f"seal-{of}", ""), self._form.get(f"version-{of}", "")
        if seal == seal_of(*texts.values()) or seal_of(*texts.values()) == seal_of(*stored.values()):
            return
        version = int(of_version) if of_version.isdecimal() and len(of_version) < 10 else 0
        self.attempt(lambda: write(texts, version), of=of, **{names[name]: text for name, text in texts.items()})


def _make_ticket(access: Access, record: Review, point: int, words: Mapping[str, str]) -> None:
    try:
        due_on = date.fromisoformat(words["due"])
    except ValueError:
        raise FieldError("due_on", "A ticket needs a due date.") from None
    given = {name: words[name] for name in ("title", "owner", "kind")}
    make_ticket(access, point_of(record, point), due_on=due_on, **given)


class SignReview(ConfirmPage, ProgramForm):
    """Signs a review; for a signed one it changes nothing."""

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


def _changed(request: HttpRequest, pk: int, change: Callable[[Access, Review], object], done: str) -> HttpResponse:
    """Makes the change and shows the page again, with the reason if the change was rejected."""
    record = visible_review(pk, access_in(request))
    try:
        change(access_in(request), record)
    except FieldError as problem:
        return review_page(request, record, problems=[problem.message], status=400)
    messages.success(request, done)
    return redirect("review", pk)
