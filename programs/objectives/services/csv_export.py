"""Objectives as CSV: a row for each key result; values in the metric's unit of measure, as the API has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from core.csv_export import Cell
from orgtree.access.access import Access
from programs.alignment.offers import visible_among
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.reading import unit_of
from programs.models import Objective
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of

AT_ONCE = 200  # objectives whose figures are read together
HEAD = (
    *("Number", "Quarter", "Objective", "Unit", "Owner", "The team's objective", "Serves", "Standing", "Why"),
    *("Set by hand", "Key result", "Metric", "Statistic", "Unit of measure", "Kind of target", "Baseline", "Target"),
    *("Value", "Progress", "Forecast", "Forecast low", "Forecast high", "Standing of the key result"),
    "Why it stands so",
)


def objective_rows(objectives: Sequence[Objective], access: Access, today: date) -> Iterator[Sequence[Cell]]:
    """Of what an objective serves only what the reader may see is named."""
    yield HEAD
    seen = visible_among([objective.parent_id for objective in objectives], access.visibility)
    for start in range(0, len(objectives), AT_ONCE):
        for progress in progress_of(objectives[start : start + AT_ONCE], access, today=today):
            of_objective = _objective(progress, seen, access)
            for key_result in progress.key_results:
                yield (*of_objective, *_key_result(key_result))
            if not progress.key_results:
                yield (*of_objective, *[None] * (len(HEAD) - len(of_objective)))


def _objective(progress: ObjectiveProgress, seen: Collection[int], access: Access) -> Sequence[Cell]:
    objective = progress.objective
    return (
        *(objective.pk, str(objective.quarter), objective.title, objective.unit.slug if objective.unit else ""),
        *(access.written(objective.owner), "yes" if objective.is_mandatory else "no"),
        *(
            objective.parent_id if objective.parent_id in seen else None,
            progress.shown.value,
            progress.why,
            objective.override_reason,
        ),
    )


def _key_result(measured: KeyResultProgress) -> Sequence[Cell]:
    key_result, forecast = measured.key_result, measured.forecast
    return (
        *(key_result.title, key_result.metric, key_result.statistic, unit_of(key_result), key_result.target_kind),
        *(measured.baseline, measured.target, measured.value, measured.progress),
        *((forecast.value, forecast.low, forecast.high) if forecast else (None, None, None)),
        *(measured.standing.value, measured.reason or measured.why),
    )
