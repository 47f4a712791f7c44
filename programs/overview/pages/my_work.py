"""My work, most urgent first, on the program overview and on the home page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse

from insights.ui import wording
from insights.ui.scope_bar import unit_name
from orgtree.models.visibility import Visibility
from programs.models import Objective, ObjectiveStatus, Quarter, Ticket
from programs.objectives.queries.objectives import ObjectiveProgress
from programs.overview.services.my_work import SOON, Work, work_of

LISTED = 8


@dataclass(frozen=True)
class WorkLine:
    """A task: the action, its subject, and how urgent it is."""

    icon: str
    title: str
    url: str
    about: str  # "Ticket · Mobile"
    tag: str
    tone: str
    day: date  # the sort key


@dataclass(frozen=True)
class MyWork:
    lines: Sequence[WorkLine]
    more: int
    all_url: str


def my_work(
    visibility: Visibility,
    quarter: Quarter,
    progress: Sequence[ObjectiveProgress],
    today: date,
    *,
    listed: int = LISTED,
) -> MyWork:
    """The viewer's work; `progress` holds at least the objectives of `own_objectives`, others are ignored."""
    work = work_of(visibility, quarter, progress, today, most_tickets=listed)
    lines = [
        *(_of_ticket(ticket, today) for ticket in work.tickets),
        *(_of_check_in(one.objective, one.check_in_due, today) for one in work.check_ins if one.check_in_due),
        *(_at_risk(progress, today) for progress in work.at_risk),
        *_of_teams(work, quarter),
        *_overdue(work.overdue_in_teams, today),
    ]
    lines.sort(key=lambda line: line.day)
    unread = work.tickets_total - len(work.tickets)
    return MyWork(lines[:listed], unread + max(0, len(lines) - listed), f"{reverse('tickets')}?mine=1")


def _of_ticket(ticket: Ticket, today: date) -> WorkLine:
    late = ticket.days_late(today)
    return WorkLine(
        icon="list-check",
        title=ticket.title,
        url=reverse("ticket", args=[ticket.pk]),
        about=f"Ticket · {unit_name(ticket.unit)}",
        tag=f"{wording.count(late, 'day')} late" if late else _due(ticket.due_on, today),
        tone="bad" if late else "watch" if ticket.due_on <= today + SOON else "",
        day=ticket.due_on,
    )


def _due(day: date, today: date) -> str:
    return "Due today" if day == today else wording.day(day)


def _of_check_in(objective: Objective, due: date, today: date) -> WorkLine:
    late = (today - due).days
    return WorkLine(
        "speakerphone",
        f"Check in: {objective.title}",
        f"{reverse('objective', args=[objective.pk])}#check-in",
        _about(objective),
        f"{wording.count(late, 'day')} late" if late > 0 else _due(due, today),
        "bad" if late > 0 else "watch",
        due,
    )


def _at_risk(progress: ObjectiveProgress, today: date) -> WorkLine:
    objective, standing = progress.objective, progress.shown
    url = reverse("objective", args=[objective.pk])
    tone = "bad" if standing is ObjectiveStatus.OFF_TRACK else "watch"
    return WorkLine("target", objective.title, url, _about(objective), standing.label, tone, today)


def _about(objective: Objective) -> str:
    return f"Objective · {unit_name(objective.unit)}"


def _of_teams(work: Work, quarter: Quarter) -> Iterator[WorkLine]:
    number, names = work.teams_total, [team.name for team in work.teams]
    if number:
        more = f" and {number - len(names)} more" if number > len(names) else ""
        yield WorkLine(
            "flag",
            f"{wording.count(number, 'team')} without an objective this quarter",
            f"{reverse('objectives')}?view=gaps",
            f"{', '.join(names)}{more}",
            str(quarter),
            "watch",
            quarter.start,
        )


def _overdue(late: int, today: date) -> Iterator[WorkLine]:
    if late:
        yield WorkLine(
            "users",
            f"{wording.count(late, 'overdue ticket')} in your teams",
            f"{reverse('tickets')}?teams=1&state=overdue",
            "Change the due date or owner, or drop the ticket"
            if late == 1
            else "Change due dates or owners, or drop them",
            f"{late:,} late",
            "bad",
            today - timedelta(days=1),
        )
