"""A program as a large organisation runs it: 10,000 tickets, an objective for each team, and their progress.

The rows are as the services would have left them; nothing is measured from facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from django.utils import timezone

from bench.organisation_rows import HAND_BUILT_TREE
from orgtree.models import Placement, Unit
from programs.models import (
    CheckIn,
    Comment,
    KeyResult,
    KeyResultMeasure,
    Objective,
    ObjectiveMeasure,
    ObjectiveStatus,
    Quarter,
    TargetKind,
    Ticket,
    TicketState,
)

TICKETS = 10_000
KEY_RESULTS = (("pr.pickup_time", 36_000.0), ("dora.lead_time", 259_200.0), ("pr.size", 250.0))
WEEKS_SHOWN = 26
AT_ONCE = 2_000


@dataclass(frozen=True)
class _Organisation:
    """Units, and the ids of the people in each with all below it."""

    units: Sequence[Unit]
    members: Mapping[int, Sequence[int]]
    today: date
    draws: Random


def write_program(quarter: Quarter, *, tickets: int = TICKETS, today: date) -> None:
    """Write a program into an organisation that has none yet."""
    members: dict[int, list[int]] = defaultdict(list)
    placed = Placement.objects.filter(tree__slug=HAND_BUILT_TREE, during__contains=today)
    for unit_id, person_id in placed.values_list("ancestor", "person"):
        members[unit_id].append(person_id)
    units = list(Unit.objects.filter(tree__slug=HAND_BUILT_TREE).order_by("pk"))
    organisation = _Organisation(units, members, today, Random(8))  # noqa: S311 — the same rows each time
    objectives = _objectives(organisation, quarter)
    _tickets(organisation, objectives, tickets)


def _objectives(organisation: _Organisation, quarter: Quarter) -> list[Objective]:
    """One for each unit, the mandatory one of its quarter, with three key results and a check-in."""
    draws, today = organisation.draws, organisation.today
    objectives = Objective.objects.bulk_create(
        Objective(
            quarter=quarter,
            unit=unit,
            title=f"Changes of {unit.name} flow",
            owner_id=next(iter(organisation.members.get(unit.pk, ())), None),
            is_mandatory=True,
            published_at=timezone.now() - timedelta(days=20),
        )
        for unit in organisation.units
    )
    key_results = KeyResult.objects.bulk_create(
        KeyResult(
            objective=objective,
            position=position,
            title=f"{metric} gets better",
            metric=metric,
            better="lower",
            target_kind=TargetKind.RELATIVE,
            change_percent=-20,
            baseline=baseline,
            target=baseline * 0.8,
        )
        for objective in objectives
        for position, (metric, baseline) in enumerate(KEY_RESULTS)
    )
    monday = today - timedelta(days=today.weekday())
    weeks = [(monday - timedelta(weeks=back)).isoformat() for back in range(WEEKS_SHOWN, 0, -1)]
    KeyResultMeasure.objects.bulk_create(
        [
            KeyResultMeasure(
                key_result=result,
                metric_version=1,
                value=(result.baseline or 0) * draws.uniform(0.7, 1.1),
                sample_size=40,
                people=8,
                points=[[week, (result.baseline or 0) * draws.uniform(0.7, 1.1), 8] for week in weeks],
                progress=draws.uniform(-0.2, 1.2),
                forecast=(result.baseline or 0) * 0.85,
                forecast_low=(result.baseline or 0) * 0.8,
                forecast_high=(result.baseline or 0) * 0.9,
                standing=draws.choice(ObjectiveStatus.values),
                why="By its weeks.",
            )
            for result in key_results
        ],
        batch_size=AT_ONCE,
    )
    ObjectiveMeasure.objects.bulk_create(
        ObjectiveMeasure(
            objective=objective,
            progress=draws.uniform(0, 1),
            standing=draws.choice(ObjectiveStatus.values),
            why="By its results.",
        )
        for objective in objectives
    )
    CheckIn.objects.bulk_create(
        CheckIn(objective=objective, confidence="medium", note="Under way.") for objective in objectives
    )
    return objectives


def _tickets(organisation: _Organisation, objectives: Sequence[Objective], number: int) -> None:
    """A third to do, a tenth of them late; the others done in the year before."""
    draws, today = organisation.draws, organisation.today
    rows = []
    for position in range(number):
        unit = draws.choice(organisation.units)
        members = organisation.members.get(unit.pk, ())
        is_done = position % 3 != 0
        due = today + timedelta(days=draws.randrange(-300, 0) if is_done else draws.randrange(-6, 60))
        begins_on = due - timedelta(days=draws.randrange(7, 60))
        rows.append(
            Ticket(
                title=f"Improvement {position:,} of {unit.name}",
                resolution="What has helped elsewhere, step by step.",
                kind=draws.choice(("process", "tooling", "people")),
                unit=unit,
                owner_id=draws.choice(members) if members else None,
                starts_on=begins_on,
                due_on=due,
                completed_on=due if is_done else None,
                state=TicketState.DONE if is_done else draws.choice((TicketState.OPEN, TicketState.IN_PROGRESS)),
                metric=draws.choice(KEY_RESULTS)[0],
                objective=draws.choice(objectives) if objectives else None,
            )
        )
    stored = Ticket.objects.bulk_create(rows, batch_size=AT_ONCE)
    Comment.objects.bulk_create(
        [Comment(ticket=ticket, text="Is under way.") for ticket in stored[::5]], batch_size=AT_ONCE
    )
