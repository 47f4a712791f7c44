"""The leadership view: DORA by team against target, objectives at risk, gaps, and overdue action plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from orgtree.access.access import Access
from orgtree.models import Placement, Unit
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_of_units
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query, current_values_of_units
from programs.models import Objective, ObjectiveStatus, Qbr, QbrPeriod, QbrState, Quarter, Ticket
from programs.objectives.queries.objectives import ObjectiveProgress
from programs.teams.queries import teams_on

FOUR_KEYS = ("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time")
MOST_TEAMS = 50
NO_TEAM = "No team"


@dataclass(frozen=True)
class TeamFigures:
    """The four keys of a team in the order of FOUR_KEYS, with the benchmark of each, or None."""

    team: Unit
    values: Sequence[CurrentValue]
    benchmarks: Sequence[EffectiveBenchmark | None]


@dataclass(frozen=True)
class OverdueOfUnit:
    """Overdue tickets by the team of their owner; `slug` is empty if there is none."""

    name: str
    slug: str
    number: int


def four_keys_of_teams(access: Access, *, today: date) -> tuple[list[TeamFigures], int]:
    """DORA figures of the first teams by name, and the total number of teams."""
    visible = teams_on(today).filter(pk__in=Unit.objects.within(access.visibility))
    teams = list(visible[: MOST_TEAMS + 1])
    total = visible.count() if len(teams) > MOST_TEAMS else len(teams)
    teams = teams[:MOST_TEAMS]
    metrics = [get(key) for key in FOUR_KEYS]
    requests = [benchmark_query(metric, "") for metric in metrics]
    values = current_values_of_units(requests, teams, access, today=today) if teams else []
    benchmarks = benchmarks_of_units(FOUR_KEYS, [team.pk for team in teams], access.visibility)
    return [_figures(team, metrics, values, benchmarks.get(team.pk, {})) for team in teams], total


def _figures(
    team: Unit,
    metrics: Sequence[Metric],
    values: Sequence[Mapping[int, CurrentValue]],
    benchmarks: Mapping[str, EffectiveBenchmark],
) -> TeamFigures:
    comparable = [benchmarks.get(metric.key) for metric in metrics]
    return TeamFigures(
        team,
        [of_metric[team.pk] for of_metric in values],
        [benchmark if benchmark is not None and _is_comparable(benchmark) else None for benchmark in comparable],
    )


def _is_comparable(benchmark: EffectiveBenchmark) -> bool:
    """Whether the benchmark covers a whole window and the metric's current formula."""
    return not benchmark.version.period and not benchmark.is_of_older_formula


def objectives_at_risk(objectives: Sequence[ObjectiveProgress]) -> list[ObjectiveProgress]:
    """The objectives at risk or off track, off track first."""
    order = (ObjectiveStatus.OFF_TRACK, ObjectiveStatus.AT_RISK)
    return sorted((line for line in objectives if line.shown in order), key=lambda line: order.index(line.shown))


def overdue_by_unit(access: Access, *, today: date) -> list[OverdueOfUnit]:
    """Overdue tickets by team, most first.  A ticket without an owner counts for its own unit."""
    overdue = Ticket.objects.within(access.visibility).overdue(today).select_related("unit")
    tickets = list(overdue.only("owner_id", "unit__name", "unit__slug"))
    own = Placement.objects.filter(
        person__in={ticket.owner_id for ticket in tickets if ticket.owner_id},
        ancestor__in=teams_on(today),
        during__contains=today,
    )
    teams = {
        person: (slug, name) for person, slug, name in own.values_list("person", "ancestor__slug", "ancestor__name")
    }
    counted: Counter[tuple[str, str]] = Counter()
    for ticket in tickets:
        of_ticket = (ticket.unit.slug, ticket.unit.name) if ticket.unit else ("", NO_TEAM)
        counted[teams.get(ticket.owner_id, of_ticket) if ticket.owner_id else of_ticket] += 1
    return [OverdueOfUnit(name, slug, number) for (slug, name), number in counted.most_common()]


def latest_qbrs(access: Access, *, most: int) -> list[Qbr]:
    """The latest business reviews that the viewer may see, with their unit."""
    return list(
        Qbr.objects.newest_within(access.visibility).select_related("unit").order_by("-end", "-start", "pk")[:most]
    )


def ran_in(quarter: Quarter) -> bool:
    """Whether the program ran in the quarter, with an objective or a business review; otherwise nothing is due."""
    reviews = Qbr.objects.filter(start__lt=quarter.end, end__gt=quarter.start)
    return Objective.objects.filter(quarter__start=quarter.start).exists() or reviews.exists()


def is_qbr_signed(qbrs: Sequence[Qbr], quarter: Quarter) -> bool:
    """Whether the whole organisation's business review of the quarter is signed."""
    of_all = (qbr for qbr in qbrs if qbr.unit_id is None and qbr.period == QbrPeriod.QUARTER)
    return any(qbr.start == quarter.start and qbr.state == QbrState.SIGNED for qbr in of_all)
