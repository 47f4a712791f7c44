"""An experiment in words: its verdict, its guard rails and its design."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.ui import wording
from orgtree.access.access import Access
from programs.experiments.queries import names_of_units, visible_results
from programs.experiments.services.choosing import TeamDistance
from programs.experiments.services.pilots import ASPECTS
from programs.models import Experiment, ExperimentResult, ExperimentState, ExperimentVerdict, PilotFigure

TONES = {
    ExperimentVerdict.BETTER.value: "good",
    ExperimentVerdict.WORSE.value: "bad",
    ExperimentVerdict.NO_DIFFERENCE.value: "",
}
STATE_TONES = {ExperimentState.PLANNED: "", ExperimentState.RUNNING: "acc", ExperimentState.OVER: ""}


@dataclass(frozen=True)
class DifferenceInWords:
    """The result for one metric; `size` is empty if there was too little data."""

    label: str
    verdict: str
    tone: str
    size: str
    interval: str


@dataclass(frozen=True)
class ExperimentLine:
    """`why_none` says why there is no verdict yet, or none for this viewer."""

    experiment: Experiment
    metric: str
    state: str
    state_tone: str
    outcome: DifferenceInWords | None
    why_none: str
    broken: Sequence[str]  # guard rails that got worse
    treated: str
    compared: str


def experiment_lines(experiments: Iterable[Experiment], access: Access, today: date) -> list[ExperimentLine]:
    listed = [*experiments]
    results = visible_results(listed, access)
    return [_line(experiment, results.get(experiment.pk), access, today) for experiment in listed]


def _line(experiment: Experiment, result: ExperimentResult | None, access: Access, today: date) -> ExperimentLine:
    state = experiment.state(today)
    rails = guard_rails(result) if result else []
    return ExperimentLine(
        experiment=experiment,
        metric=metric_label(experiment.metric),
        state=state.label,
        state_tone=STATE_TONES[state],
        outcome=outcome(experiment.metric, result_as_mapping(result)) if result else None,
        why_none="" if result else _why_none(experiment, state),
        broken=[rail.label for rail in rails if rail.tone == TONES[ExperimentVerdict.WORSE.value]],
        treated=wording.listed(names_of_units(experiment.treated, access)),
        compared=wording.listed(names_of_units(experiment.compared, access)),
    )


def _why_none(experiment: Experiment, state: ExperimentState) -> str:
    if state is not ExperimentState.OVER:
        return f"The verdict follows on {wording.day(experiment.ends_on)}: looking earlier finds differences by chance."
    if not hasattr(experiment, "result"):
        return "It is over; its verdict follows within a day."
    return "Its figures are of units that you may not see, or of too few people."


def result_as_mapping(result: ExperimentResult) -> Mapping[str, Any]:
    found = {"metric": result.experiment.metric, "verdict": result.verdict}
    return found if result.effect is None else {**found, "value": result.effect, "low": result.low, "high": result.high}


def guard_rails(result: ExperimentResult) -> list[DifferenceInWords]:
    return [outcome(rail["metric"], rail) for rail in result.guard_rails]


def outcome(key: str, found: Mapping[str, Any]) -> DifferenceInWords:
    metric = find(key)
    unit = metric.unit.value if metric else "count"
    has_size = "value" in found
    return DifferenceInWords(
        label=metric_label(key),
        verdict=ExperimentVerdict(found["verdict"]).label,
        tone=TONES[found["verdict"]],
        size=signed(found["value"], unit) if has_size else "",
        interval=f"{signed(found['low'], unit)} to {signed(found['high'], unit)}" if has_size else "",
    )


@dataclass(frozen=True)
class TeamLine:
    """The distance of a team from the typical one, in words; unknown distances are empty."""

    name: str
    people: int
    size: str
    work: str
    value: str
    why_none: str  # no value
    baseline: str
    distance: str
    is_chosen: bool


def team_lines(distances: Sequence[TeamDistance], metric: Metric, chosen: Collection[str]) -> list[TeamLine]:
    return [
        TeamLine(
            name=one.unit.name,
            people=one.unit.people,
            size=_share(one.size),
            work=_share(one.work),
            value=str(wording.reading(one.value.value, metric.unit.value))
            if one.value and one.value.value is not None
            else "",
            why_none=one.value.reason if one.value else "No access.",
            baseline=_share(one.baseline),
            distance=_share(one.distance),
            is_chosen=one.unit.slug in chosen,
        )
        for one in distances
    ]


def _share(part: float | None) -> str:
    return "" if part is None else f"{part:.0%}"


@dataclass(frozen=True)
class FigureInWords:
    """A figure with its sample; `why` says why there is none."""

    value: str = ""
    interval: str = ""
    sample_size: int = 0
    why: str = ""


@dataclass(frozen=True)
class FigureLine:
    """A metric of a unit before the start and at the end."""

    metric: str
    label: str
    unit: str
    name: str
    before: FigureInWords
    after: FigureInWords


@dataclass(frozen=True)
class AspectLines:
    name: str
    question: str
    lines: Sequence[FigureLine]


def aspects_in_words(figures: Sequence[PilotFigure], names: Mapping[str, str]) -> list[AspectLines]:
    """Execution, alignment and planning of each unit; `names` maps slugs to names, in order."""
    by_key = {(one.unit, one.metric, one.is_at_end): one for one in figures}
    return [
        AspectLines(
            aspect.name,
            aspect.question,
            [
                FigureLine(
                    key,
                    metric_label(key),
                    slug,
                    name,
                    *(_figure(by_key.get((slug, key, is_at_end))) for is_at_end in (False, True)),
                )
                for key in aspect.metrics
                for slug, name in names.items()
                if (slug, key, False) in by_key or (slug, key, True) in by_key
            ],
        )
        for aspect in ASPECTS
    ]


def _figure(figure: PilotFigure | None) -> FigureInWords:
    if figure is None:
        return FigureInWords()
    metric = find(figure.metric)
    if figure.value is None or metric is None:
        return FigureInWords(why=figure.reason)
    unit = metric.unit.value
    return FigureInWords(
        value=str(wording.reading(figure.value, unit)),
        interval=wording.between(figure.low, figure.high, unit)
        if figure.low is not None and figure.high is not None
        else "",
        sample_size=figure.sample_size,
    )


def signed(value: float, unit: str) -> str:
    """−3.2 h, +4.0 pts, −21 lines"""
    size = wording.difference(value, unit)
    named = f"{size} {unit}" if unit in ("lines", "tokens") else size
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{named}"


def metric_label(key: str) -> str:
    metric = find(key)
    return metric.label if metric else key
