"""Prepares, writes and signs monthly reviews, for the unit's managers, executives and admins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Person, Placement, Unit, UnitPlace
from orgtree.models.visibility import Visibility
from programs.meetings.queries.meetings import meeting_about
from programs.models import MeetingKind, PointKind, Review, ReviewAttendance, ReviewPoint, Ticket
from programs.models.objectives import LONGEST_TITLE
from programs.models.reviews import LONGEST_NOTES
from programs.quarters.fiscal_quarters import quarter_at
from programs.requests.visible import account_of
from programs.reviews.services.agenda import MORE, agenda_of
from programs.tickets.services.writing import add_ticket

FIRST_MONTH = date(2000, 1, 1)
CONFLICT = "Somebody changed this in the meantime."
ONLY_LEADERS = "Only the unit's managers, executives and admins can write a review."
WHOLE_TEAM = 30  # people; for a larger unit, managers of the units below it are invited


def may_write(visibility: Visibility, review: Review) -> bool:
    return not review.is_signed and visibility.leads(review.unit_id)


def prepare_review(access: Access, unit: Unit, month: date) -> Review:
    """The unit's review of that month with its agenda; an existing one is returned as it is.

    Raises FieldError for a month that has not begun, MayNotWriteError.
    """
    if not access.visibility.leads(unit.pk):
        raise MayNotWriteError("Only the unit's managers, executives and admins can prepare a review.")
    today, month = windows.local_today(), month.replace(day=1)
    if not FIRST_MONTH <= month <= today:
        raise FieldError("month", f"{month:%B %Y} has not started." if month > today else "Months begin in 2000.")
    account = account_of(access)
    with changes_by(account):
        review, is_new = Review.objects.get_or_create(
            unit=unit, month=month, defaults={"prepared_by": account, "agenda_until": _agenda_until(month, today)}
        )
        if is_new:
            _invite(review, today)
            _store_agenda(review, access)
    return review


def update_agenda(access: Access, review: Review) -> None:
    """Updates the agenda from today's figures.  Points with notes, a decision or tickets always stay."""
    with changes_by(account_of(access)):
        stored = _locked(access, review)
        Review.objects.filter(pk=stored.pk).update(agenda_until=_agenda_until(stored.month, windows.local_today()))
        stored.refresh_from_db()
        _store_agenda(stored, access)


def save_point(access: Access, point: ReviewPoint, *, notes: str, decision: str, of_version: int) -> ReviewPoint:
    """Saves the point.  Raises FieldError, MayNotWriteError, and ConflictError if it changed since `of_version`."""
    notes = checked_text("notes", notes, LONGEST_NOTES)
    decision = checked_text("decision", decision, LONGEST_NOTES)
    account = account_of(access)
    with changes_by(account):
        _locked(access, point.review)
        stored = ReviewPoint.objects.select_for_update().get(pk=point.pk)
        if take_fields(stored, {"notes": notes, "decision": decision}, of_version, CONFLICT):
            stored.edited_by = account
            stored.save()
    return stored


def add_point(access: Access, review: Review, title: str) -> ReviewPoint:
    """Adds a point that the data does not bring up."""
    title = checked_text("title", " ".join(title.split()), LONGEST_TITLE, missing="Enter what the point is about.")
    account = account_of(access)
    with changes_by(account):
        _locked(access, review)
        number = (review.points.aggregate(last=Max("position"))["last"] or 0) + 1
        return ReviewPoint.objects.create(
            review=review, kind=PointKind.OTHER, reference=str(number), position=number, title=title, edited_by=account
        )


def make_ticket(access: Access, point: ReviewPoint, *, title: str, kind: str, owner: str, due_on: date) -> Ticket:
    """Creates a ticket of the unit with the point's decision as resolution, linked to its metric or objective.

    `owner` is an e-mail address.  Raises like `add_ticket`, and MayNotWriteError.
    """
    is_of_objective = point.kind in (PointKind.OBJECTIVE, PointKind.CHECK_IN) and point.reference != MORE
    given = {
        "title": title,
        "kind": kind,
        "due_on": due_on,
        "resolution": point.decision,
        "unit": point.review.unit.slug,
        "owner": owner,
        "metric": point.figures.get("metric", ""),
        "objective": int(point.reference) if is_of_objective else None,
    }
    with transaction.atomic():
        _locked(access, point.review)
        ticket = add_ticket(access, given)
        point.tickets.add(ticket)
    return ticket


def save_summary(access: Access, review: Review, summary: str, *, of_version: int) -> Review:
    """Saves the summary.  Raises FieldError, MayNotWriteError, and ConflictError if it changed since `of_version`."""
    summary = checked_text("summary", summary, LONGEST_NOTES)
    with changes_by(account_of(access)):
        stored = _locked(access, review)
        if take_fields(stored, {"summary": summary}, of_version, CONFLICT):
            stored.save()
    return stored


def save_attendance(access: Access, review: Review, attended: Collection[int]) -> None:
    """Records attendance; invited people whose ids are not in `attended` were absent."""
    with changes_by(account_of(access)):
        stored = _locked(access, review)
        for row in stored.attendance.all():
            came = row.person_id in attended
            if row.attended != came:
                row.attended = came
                row.save()


def invite(access: Access, review: Review, email: str) -> ReviewAttendance:
    """Adds somebody else, by e-mail address, as attending.  Raises FieldError for an unknown address."""
    with changes_by(account_of(access)):
        stored = _locked(access, review)
        person = Person.objects.filter(email__iexact=email.strip().replace("\x00", "")).first() if email else None
        if person is None:
            raise FieldError("email", f"There is no person with the address {email.strip()[:80] or '…'}.")
        return ReviewAttendance.objects.update_or_create(review=stored, person=person, defaults={"attended": True})[0]


def sign_review(access: Access, review: Review, *, at: datetime | None = None) -> Review:
    """Signs the review (now, unless `at` is given); nothing in it can be changed any more.

    Signing a signed review changes nothing.

    Raises FieldError if nobody attended, MayNotWriteError.
    """
    if review.is_signed:
        return review
    account = account_of(access)
    with changes_by(account):
        stored = _locked(access, review)
        if not stored.attendance.filter(attended=True).exists():
            raise FieldError("attendance", "Record who attended before you sign.")
        stored.signed_by, stored.signed_at = account, at or timezone.now()
        stored.version += 1
        stored.save()
    return stored


def _locked(access: Access, review: Review) -> Review:
    """The stored review, locked in this transaction."""
    if not access.visibility.leads(review.unit_id):
        raise MayNotWriteError(ONLY_LEADERS)
    stored = Review.objects.select_for_update(of=("self",)).select_related("unit").get(pk=review.pk)
    if stored.is_signed:
        raise MayNotWriteError("The review is signed and can no longer be changed.")
    return stored


def _agenda_until(month: date, today: date) -> date:
    """The end of the month; today for the current month."""
    return min(_next_month(month), today)


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _invite(review: Review, today: date) -> None:
    """Invites the participants of its meeting; without one, the unit's people and its manager.

    For a large unit, the managers of the units directly below it are invited instead of its people.
    """
    meeting = meeting_about(MeetingKind.REVIEW, review.unit, review.month, _next_month(review.month))
    people = set(meeting.participants.invited().values_list("person", flat=True)) if meeting else set()
    people = people or set(
        Placement.objects.filter(ancestor=review.unit, during__contains=today).values_list("person", flat=True)
    )
    if len(people) > WHOLE_TEAM:
        below = UnitPlace.objects.filter(parent=review.unit, during__contains=today)
        leaders = below.filter(unit__leader__isnull=False).values_list("unit__leader", flat=True)
        people = {leader for leader in leaders if leader is not None}
    if review.unit.leader_id is not None:
        people.add(review.unit.leader_id)
    ReviewAttendance.objects.bulk_create(ReviewAttendance(review=review, person_id=pk) for pk in sorted(people))


def _store_agenda(review: Review, access: Access) -> None:
    agenda = agenda_of(review, access, quarter=quarter_at(review.agenda_until - timedelta(days=1)))
    stored = {(point.kind, point.reference): point for point in review.points.prefetch_related("tickets")}
    current = set()
    for position, entry in enumerate(agenda, start=1):
        current.add((entry.kind, entry.reference))
        _store_point(review, stored.get((entry.kind, entry.reference)), entry, position)
    outdated = [
        point.pk
        for key, point in stored.items()
        if key not in current and point.kind != PointKind.OTHER and not _has_words(point)
    ]
    ReviewPoint.objects.filter(pk__in=outdated).delete()


def _store_point(review: Review, stored: ReviewPoint | None, entry: ReviewPoint, position: int) -> None:
    point = stored or entry
    said = (position, entry.title, entry.detail, entry.figures)
    if stored is None or said != (stored.position, stored.title, stored.detail, stored.figures):
        point.review = review
        point.position, point.title, point.detail, point.figures = said
        point.save()


def _has_words(point: ReviewPoint) -> bool:
    return bool(point.notes or point.decision or point.tickets.all())
