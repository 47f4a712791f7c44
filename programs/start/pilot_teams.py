"""The guided start: pilot teams and a starter set, their baseline, first steps, and what each team has set up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.write_errors import MayNotWriteError
from insights.catalogue.declarations import Metric
from insights.query import windows
from insights.query.enums import Better
from insights.query.errors import QueryError
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.benchmarks.queries.benchmarks import focus_of_units
from programs.benchmarks.services.current_values import (
    BenchmarkQuery,
    CurrentValue,
    benchmark_query,
    current_values_of_units,
)
from programs.benchmarks.services.focusing import STARTER_SETS, StarterSet
from programs.benchmarks.services.suggestions import Question, Suggestion, Suggestions, suggestions_for
from programs.models import Direction, FocusVersion, Objective, Quarter

DEFAULT_SET = "dora"
ONLY_LEADERS = "The guided start is for managers of a unit, executives and admins."
MOST_PILOT_TEAMS = 3
MOST_SUGGESTED = 3


@dataclass(frozen=True)
class StartSelection:
    """The pilot teams and the starter set that were chosen."""

    units: Sequence[Unit]
    chosen: StarterSet


@dataclass(frozen=True)
class BaselineOfMetric:
    """A metric's current value for each pilot team; None if hidden from the viewer."""

    query: BenchmarkQuery
    teams: Sequence[tuple[Unit, CurrentValue | None]]


@dataclass(frozen=True)
class PilotTeam:
    """A pilot team with its current focus, and its objective of the quarter (an id)."""

    unit: Unit
    focus: FocusVersion | None
    has_set: bool  # whether its indicators are those of the set
    objective: int | None

    @property
    def focus_number(self) -> int:
        """The number of the focus version that a starter set replaces."""
        return self.focus.number if self.focus else 0

    @property
    def indicators(self) -> Sequence[str]:
        return self.focus.indicators if self.focus else ()


def check_begins(visibility: Visibility) -> None:
    """Checks that the viewer may use the guided start.  Raises MayNotWriteError."""
    if not visibility.leads_any:
        raise MayNotWriteError(ONLY_LEADERS)


def chosen_teams(visibility: Visibility, chosen_set: str, slugs: Sequence[str]) -> StartSelection:
    """The chosen teams in order, each once, and the set.  Raises QueryError if one does not exist or the viewer does
    not lead it.
    """
    if chosen_set not in STARTER_SETS:
        raise QueryError("set", f"set= is one of: {', '.join(STARTER_SETS)}.")
    wanted_slugs = list(dict.fromkeys(slug.replace("\x00", "") for slug in slugs if slug))
    if len(wanted_slugs) > MOST_PILOT_TEAMS:
        raise QueryError("unit", f"Start with at most {MOST_PILOT_TEAMS} teams.")
    led = {
        unit.slug: unit
        for unit in Unit.objects.within(visibility).filter(slug__in=wanted_slugs)
        if visibility.leads(unit.pk)
    }
    missing = [slug for slug in wanted_slugs if slug not in led]
    if missing:
        raise QueryError("unit", f"There is no unit “{missing[0][:80]}” that you lead.")
    return StartSelection([led[slug] for slug in wanted_slugs], STARTER_SETS[chosen_set])


def baseline_report(selection: StartSelection, access: Access) -> list[BaselineOfMetric]:
    """Reads the baselines of every indicator and team in one call."""
    queries = [benchmark_query(metric, "") for metric in selection.chosen.metrics]
    stood = current_values_of_units(queries, selection.units, access, today=windows.local_today())
    return [
        BaselineOfMetric(query, [(unit, of_units.get(unit.pk)) for unit in selection.units])
        for query, of_units in zip(queries, stood, strict=True)
    ]


def pilot_teams(selection: StartSelection, quarter: Quarter | None) -> list[PilotTeam]:
    """The chosen teams with what they have set up; two queries.  Without a quarter, none has an objective."""
    focus = focus_of_units([unit.pk for unit in selection.units])
    mandatory = Objective.objects.filter(
        quarter=quarter, unit__in=selection.units, is_mandatory=True, published_at__isnull=False, dropped_at=None
    )
    agreed: Mapping[int | None, int] = dict(mandatory.values_list("unit", "pk")) if quarter else {}
    keys = [metric.key for metric in selection.chosen.metrics]
    return [
        PilotTeam(
            unit,
            known := focus.get(unit.pk),
            has_set=known is not None and known.indicators == keys,
            objective=agreed.get(unit.pk),
        )
        for unit in selection.units
    ]


@dataclass(frozen=True)
class FirstStep:
    """A metric of a team, and its distance from the nearest suggested value.

    `gap` is relative to that value: 0.5 is half of it off.
    """

    unit: Unit
    metric: Metric
    here: CurrentValue
    suggestion: Suggestion
    value: float
    gap: float


def first_steps(units: Sequence[Unit], metrics: Sequence[Metric], access: Access, *, today: date) -> list[FirstStep]:
    """The first steps, at most three and the farthest first, each with a different metric.

    Past quarters and comparable units are read once for all of them.
    """
    pairs = [(unit, metric) for metric in metrics if metric.better is not Better.NEITHER for unit in units]
    questions = [
        Question(metric, unit, Direction(metric.better.value), benchmark_query(metric, "").period)
        for unit, metric in pairs
    ]
    answers = suggestions_for(questions, access, today=today)
    steps = [
        step
        for (unit, metric), answer in zip(pairs, answers, strict=True)
        if (step := _step(unit, metric, answer)) is not None
    ]
    steps.sort(key=lambda step: -step.gap)
    chosen: dict[str, FirstStep] = {}
    for step in steps:
        chosen.setdefault(step.metric.key, step)
    return list(chosen.values())[:MOST_SUGGESTED]


def _step(unit: Unit, metric: Metric, answer: Suggestions) -> FirstStep | None:
    if answer.here.value is None:
        return None
    for suggestion in answer.found:  # nearest first: its own past, comparable units, published sets
        value = suggestion.threshold if suggestion.threshold is not None else suggestion.target
        if value is None:
            continue
        behind = answer.here.value - value if metric.better is Better.LOWER else value - answer.here.value
        if behind > 0:
            gap = behind / abs(value) if value else behind
            return FirstStep(unit, metric, answer.here, suggestion, value, gap)
    return None
