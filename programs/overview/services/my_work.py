"""An account's work: tickets, check-ins, objectives at risk, and teams without an objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.models import Objective, ObjectiveStatus, Quarter, Ticket
from programs.objectives.queries.objectives import ObjectiveProgress
from programs.teams.queries import teams_missing_objective
from programs.tickets.queries import of_managed_units

SOON = timedelta(days=7)  # anything due later is not highlighted
MOST_OBJECTIVES = 24
TEAMS_NAMED = 3


@dataclass(frozen=True)
class Work:
    """`tickets_total` and `teams_total` include those that are not listed."""

    tickets: Sequence[Ticket]
    tickets_total: int
    check_ins: Sequence[ObjectiveProgress]  # with a check-in that is due within a week, or late
    at_risk: Sequence[ObjectiveProgress]
    teams: Sequence[Unit]  # without their objective of the quarter
    teams_total: int
    overdue_in_teams: int


def work_of(
    visibility: Visibility, quarter: Quarter, progress: Sequence[ObjectiveProgress], today: date, *, most_tickets: int
) -> Work:
    """The account's work; `progress` holds at least the objectives of `own_objectives`, others are ignored."""
    own = own_tickets(visibility)
    tickets = list(own[: most_tickets + 1])
    mine = [objective for objective in progress if _is_responsible(visibility, objective.objective)]
    missing = teams_missing_objective(visibility, quarter, today)
    teams = list(missing[: TEAMS_NAMED + 1])
    return Work(
        tickets=tickets[:most_tickets],
        tickets_total=own.count() if len(tickets) > most_tickets else len(tickets),
        check_ins=[one for one in mine if one.check_in_due is not None and one.check_in_due <= today + SOON],
        at_risk=[one for one in mine if one.shown in (ObjectiveStatus.AT_RISK, ObjectiveStatus.OFF_TRACK)],
        teams=teams[:TEAMS_NAMED],
        teams_total=missing.count() if len(teams) > TEAMS_NAMED else len(teams),
        overdue_in_teams=overdue_in_teams(visibility, today),
    )


def own_objectives(visibility: Visibility, quarter: Quarter) -> Sequence[Objective]:
    """Objectives that need the viewer's check-ins, with quarter, unit, owner and measure."""
    objectives = Objective.objects.within(visibility).filter(objectives_to_look_after(visibility, quarter))
    return list(objectives.select_related("quarter", "unit", "owner", "measure").order_by("pk")[:MOST_OBJECTIVES])


def _is_responsible(visibility: Visibility, objective: Objective) -> bool:
    mine = objective.owner_id is not None and objective.owner_id == visibility.person_id
    return mine or (objective.owner_id is None and objective.unit_id in visibility.managed_ids)


def own_tickets(visibility: Visibility) -> QuerySet[Ticket]:
    """The viewer's open tickets by due date; none for an account without a person."""
    if visibility.person_id is None:
        return Ticket.objects.none()
    own = Ticket.objects.within(visibility).standing().filter(owner=visibility.person_id)
    return own.select_related("unit", "owner", "effect").order_by("due_on", "pk")


def objectives_to_look_after(visibility: Visibility, quarter: Quarter) -> Q:
    """Published objectives of the quarter that the viewer owns, and ownerless ones of units that the viewer manages."""
    of_quarter = Q(quarter=quarter, published_at__isnull=False, dropped_at=None)
    own = Q(pk__in=[]) if visibility.person_id is None else Q(owner=visibility.person_id)
    return of_quarter & (own | Q(owner=None, unit__in=visibility.managed_ids))


def overdue_in_teams(visibility: Visibility, today: date) -> int:
    """The number of overdue tickets in the list of the viewer's teams that are not the viewer's own: tickets of the
    units that the viewer manages or of people in them, and those without an owner.
    """
    if not visibility.managed_ids:
        return 0
    late = Ticket.objects.within(visibility).overdue(today).filter(of_managed_units(visibility, today))
    others = late if visibility.person_id is None else late.exclude(owner=visibility.person_id)
    return others.count()
