"""Suggests what to improve first: the metrics of the pilot teams with the largest gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from insights.catalogue.declarations import Metric
from insights.query.enums import Better
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query
from programs.benchmarks.services.suggestions import Question, Suggestion, Suggestions, suggestions_for
from programs.models import Direction

MOST_PILOT_TEAMS = 3
MOST_SUGGESTED = 3


@dataclass(frozen=True)
class FirstStep:
    """A metric of a team, and how far it is from the nearest thing that suggests a value.

    `gap` is a share of that value: 0.5 is half of it off.
    """

    unit: Unit
    metric: Metric
    here: CurrentValue
    suggestion: Suggestion
    value: float
    gap: float


def first_steps(units: Sequence[Unit], metrics: Sequence[Metric], access: Access, *, today: date) -> list[FirstStep]:
    """At most three, the farthest first; of each metric one, so that they are three different things.

    One look at the quarters and at the comparable units of all of them.
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
    for suggestion in answer.found:  # the nearest first: its own past, units like it, what others published
        value = suggestion.threshold if suggestion.threshold is not None else suggestion.target
        if value is None:
            continue
        behind = answer.here.value - value if metric.better is Better.LOWER else value - answer.here.value
        if behind > 0:
            gap = behind / abs(value) if value else behind
            return FirstStep(unit, metric, answer.here, suggestion, value, gap)
    return None
