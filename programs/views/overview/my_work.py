"""What waits for the viewer, the most urgent first: on the program's overview and on the home page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse

from insights import wording
from insights.views.scope_bar import EVERYBODY
from orgtree.models.sight import Sight
from programs.models import Objective, Quarter, Standing, Ticket
from programs.queries.my_work import (
    objectives_to_look_after,
    overdue_in_teams,
    own_tickets,
    teams_that_lack_theirs,
)
from programs.queries.objectives import ObjectiveProgress

LISTED = 8
SOON = timedelta(days=7)  # what is due later waits without a word
TEAMS_NAMED = 3


@dataclass(frozen=True)
class WorkLine:
    """One thing to do: what, about what, and how urgent it is."""

    icon: str
    title: str
    url: str
    about: str  # "Ticket · Mobile"
    tag: str
    tone: str
    day: date  # by which it is sorted


@dataclass(frozen=True)
class MyWork:
    lines: Sequence[WorkLine]
    more: int
    all_url: str


def my_work(
    sight: Sight, quarter: Quarter, progress: Sequence[ObjectiveProgress], today: date, *, listed: int = LISTED
) -> MyWork:
    """`progress` holds at least the objectives of `own_objectives`; others are passed over."""
    own = own_tickets(sight)
    tickets = list(own[: listed + 1])
    unread = own.count() - len(tickets) if len(tickets) > listed else 0
    found = [
        *(_of_ticket(each, today) for each in tickets),
        *_of_objectives(progress, sight, today),
        *_of_teams(sight, quarter, today),
    ]
    found.sort(key=lambda line: line.day)
    return MyWork(found[:listed], unread + max(0, len(found) - listed), f"{reverse('tickets')}?mine=1")


def own_objectives(sight: Sight, quarter: Quarter) -> Sequence[Objective]:
    """Those for whose check-ins the viewer is asked, with quarter, unit, owner and measure."""
    asked = Objective.objects.within(sight).filter(objectives_to_look_after(sight, quarter))
    return list(asked.select_related("quarter", "unit", "owner", "measure").order_by("pk")[: 3 * LISTED])


def _of_ticket(ticket: Ticket, today: date) -> WorkLine:
    late = ticket.days_late(today)
    return WorkLine(
        icon="list-check",
        title=ticket.title,
        url=reverse("ticket", args=[ticket.pk]),
        about=f"Ticket · {ticket.unit.name if ticket.unit else EVERYBODY}",
        tag=f"{wording.count(late, 'day')} late" if late else _due(ticket.due_on, today),
        tone="bad" if late else "watch" if ticket.due_on <= today + SOON else "",
        day=ticket.due_on,
    )


def _due(day: date, today: date) -> str:
    return "Due today" if day == today else wording.day(day)


def _of_objectives(progress: Sequence[ObjectiveProgress], sight: Sight, today: date) -> Iterator[WorkLine]:
    """Check-ins that are due within a week or late, and objectives that don't go as planned."""
    for each in progress:
        objective = each.objective
        mine = objective.owner_id is not None and objective.owner_id == sight.person_id
        if not (mine or (objective.owner_id is None and objective.unit_id in sight.managed_ids)):
            continue
        about = objective.unit.name if objective.unit else EVERYBODY
        url = reverse("objective", args=[objective.pk])
        due = each.check_in_due
        if due is not None and due <= today + SOON:
            late = (today - due).days
            yield WorkLine(
                "speakerphone",
                f"Check in: {objective.title}",
                f"{url}#check-in",
                f"Objective · {about}",
                f"{wording.count(late, 'day')} late" if late > 0 else _due(due, today),
                "bad" if late > 0 else "watch",
                due,
            )
        if each.shown in (Standing.AT_RISK, Standing.OFF_TRACK):
            tone = "bad" if each.shown is Standing.OFF_TRACK else "watch"
            yield WorkLine("target", objective.title, url, f"Objective · {about}", each.shown.label, tone, today)


def _of_teams(sight: Sight, quarter: Quarter, today: date) -> Iterator[WorkLine]:
    teams = teams_that_lack_theirs(sight, quarter, today)
    names = list(teams.values_list("name", flat=True)[: TEAMS_NAMED + 1])
    if names:
        number = len(names) if len(names) <= TEAMS_NAMED else teams.count()
        more = f" and {number - TEAMS_NAMED} more" if number > TEAMS_NAMED else ""
        yield WorkLine(
            "flag",
            f"{wording.count(number, 'team')} without {'its' if number == 1 else 'their'} objective this quarter",
            f"{reverse('objectives')}?view=gaps",
            f"{', '.join(names[:TEAMS_NAMED])}{more}",
            str(quarter),
            "watch",
            quarter.start,
        )
    if late := overdue_in_teams(sight, today):
        yield WorkLine(
            "users",
            f"{wording.count(late, 'ticket')} of your teams overdue",
            f"{reverse('tickets')}?teams=1&state=overdue",
            "Give them a new date, an owner, or drop them",
            f"{late:,} late",
            "bad",
            today - timedelta(days=1),
        )
