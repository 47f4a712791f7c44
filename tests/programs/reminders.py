"""The language of reminder tests: notices by person, and an organisation that triggers them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from insights.query.windows import local_today
from orgtree.models import Organisation, Person
from programs.models import Notice, Objective, Ticket
from programs.quarters.fiscal_quarters import quarter_at
from programs.reminders.services.planning import plan_reminders
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user
from tests.teams import Teams

PEOPLE = (MEMBER, OTHER_MEMBER, MANAGER, EXECUTIVE, ADMIN)


def open_accounts() -> None:
    """Accounts of everybody whom stories tell of."""
    Organisation.current()
    for persona in PEOPLE:
        create_user(persona)


def agree_on_objectives(teams: Teams, *days: date) -> None:
    """Each team has its objective of these days' quarters, so that nobody is told that it lacks one."""
    for day in days:
        for unit in (teams.platform, teams.search):
            Objective.objects.create(
                quarter=quarter_at(day),
                unit=unit,
                title=f"Of {unit}",
                is_mandatory=True,
                published_at="2026-01-01T00:00Z",
            )


def person(name: str) -> Person:
    return Person.objects.get(email=f"{name}@example.com")


def filed(title: str, *, due: int, owner: str | None = "ada", unit: Any = None, **fields: Any) -> Ticket:
    """A ticket due in so many days (negative: late), without telling anybody that it is theirs."""
    due_on = local_today() + timedelta(days=due)
    return Ticket.objects.create(
        title=title,
        kind="process",
        starts_on=min(local_today(), due_on) - timedelta(days=30),
        due_on=due_on,
        owner=None if owner is None else person(owner),
        unit=unit,
        **fields,
    )


def planned_notices(*, today: date | None = None) -> set[tuple[str, str, str]]:
    """The notices that planning creates: name, kind, and subject."""
    before = set(Notice.objects.values_list("pk", flat=True))
    plan_reminders(today=today or local_today())
    return {words(notice) for notice in Notice.objects.exclude(pk__in=before)}


def planned(*, today: date | None = None) -> set[tuple[str, str, str]]:
    """The planned notices of tickets only."""
    return {notice for notice in planned_notices(today=today) if notice[1].startswith("ticket")}


def words(notice: Notice) -> tuple[str, str, str]:
    about = notice.ticket or notice.objective or notice.unit
    return notice.account.get_username().partition("@")[0], notice.kind, str(about)
