"""The demo's monthly reviews: a year of Search's, and the latest of the other teams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.organisation import LEADERS
from demo.plan.people import CHECKOUT, MOBILE, SEARCH
from demo.plan.sizes import DEMO_WEEKS
from demo.plan.year import DemoYear
from orgtree.access.access import Access, access_of
from orgtree.models import Person, Unit
from programs.models import PointKind, Review, ReviewPoint
from programs.reviews.services.writing import (
    add_point,
    make_ticket,
    prepare_review,
    save_attendance,
    save_point,
    save_summary,
    sign_review,
)

MONTHS = 12
OTHER_TEAMS = (CHECKOUT, MOBILE)
SIGNED_AFTER = timedelta(days=5)  # after the month's end
# Search's notes by kind of point, in rotation so that no two months read alike.
SAID = {
    PointKind.MOVED: (
        ("Two large migrations were in review.", "Keep an eye on it until the next review."),
        ("This is what we set out to change.", ""),
        ("Half the team was on leave.", ""),
    ),
    PointKind.TICKET: (("Nobody had time for it.", "Block two hours for it on Thursday."),),
    PointKind.OBJECTIVE: (("The plan assumed two reviewers a day; we had one.", "Ask Platform for a third."),),
    PointKind.DECISION: (("Done as agreed.", ""), ("Half done.", "")),
}
OWN_POINT = ("Reviews wait when the rota has a gap", "Name a backup for every half-day slot.", "Backup for the rota")


def write_demo_reviews(year: DemoYear, *, today: date) -> None:
    """Write the demo's reviews as the executive; a second call changes nothing."""
    if year.flavour.is_quiet or Review.objects.exists():
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    for number, month in enumerate(reviewed_months(year, today)):
        _review(access, SEARCH, month, number)
    for team in OTHER_TEAMS:
        prepare_review(access, Unit.objects.get(slug=team.lower()), (today.replace(day=1) - timedelta(days=1)))


def reviewed_months(year: DemoYear, today: date) -> Iterator[date]:
    """The first days of the last twelve whole months, newest first, within the demo's days."""
    month = today.replace(day=1)
    for _ in range(MONTHS):
        last_day = month - timedelta(days=1)
        if last_day < year.first_day_of(DEMO_WEEKS):
            return
        month = last_day.replace(day=1)
        yield month


def _review(access: Access, team: str, month: date, number: int) -> None:
    """Write the review of `number` months ago; the newest one stays open."""
    review = prepare_review(access, Unit.objects.get(slug=team.lower()), month)
    for position, point in enumerate(review.points.select_related("review__unit")):
        words = SAID.get(PointKind(point.kind), ())
        if words:
            notes, decision = words[(position + number) % len(words)]
            save_point(access, point, notes=notes, decision=decision, of_version=point.version)
    if number == 1:
        _with_ticket(access, add_point(access, review, OWN_POINT[0]), team)
    if number == 0:
        return
    invited = list(review.attendance.values_list("person_id", flat=True))
    save_attendance(access, review, set(invited[: max(1, len(invited) - number % 3)]))
    save_summary(access, review, "We keep the rota; next month we focus on smaller pull requests.", of_version=1)
    held = (month + timedelta(days=31)).replace(day=1) + SIGNED_AFTER
    sign_review(access, review, at=datetime.combine(held, time(15), UTC))


def _with_ticket(access: Access, point: ReviewPoint, team: str) -> None:
    point = save_point(access, point, notes="", decision=OWN_POINT[1], of_version=point.version)
    leader = Person.objects.get(full_name=LEADERS[team])
    due_on = point.review.agenda_until + timedelta(days=42)
    make_ticket(access, point, title=OWN_POINT[2], kind="process", owner=leader.email or "", due_on=due_on)
