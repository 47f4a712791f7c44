"""An experiment in words: its verdict, its guard rails and its design."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from insights.catalogue.registry import find
from insights.ui import wording
from orgtree.access.access import Access
from programs.experiments.queries import names_of_units, visible_results
from programs.models import Experiment, ExperimentResult, ExperimentState, ExperimentVerdict

TONES = {
    ExperimentVerdict.BETTER.value: "good",
    ExperimentVerdict.WORSE.value: "bad",
    ExperimentVerdict.NO_DIFFERENCE.value: "",
}
STATE_TONES = {ExperimentState.PLANNED: "", ExperimentState.RUNNING: "acc", ExperimentState.OVER: ""}


@dataclass(frozen=True)
class DifferenceInWords:
    """The outcome for one metric; `size` is empty with too little data."""

    label: str
    verdict: str
    tone: str
    size: str
    interval: str


@dataclass(frozen=True)
class ExperimentLine:
    """`why_none` says why there is no verdict yet, or for this reader."""

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


def signed(value: float, unit: str) -> str:
    """−3.2 h, +4.0 pts, −21 lines"""
    size = wording.difference(value, unit)
    named = f"{size} {unit}" if unit in ("lines", "tokens") else size
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{named}"


def metric_label(key: str) -> str:
    metric = find(key)
    return metric.label if metric else key
