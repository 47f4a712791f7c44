"""Objectives as CSV: a row for each key result, with values in the metric's unit of measure, as in the API."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db.models import Model

from core.batches import batched
from core.columns import Columns
from core.csv_export import Cell
from insights.query import windows
from orgtree.access.access import Access
from programs.alignment.offers import visible_among
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.reading import unit_of
from programs.models import Objective
from programs.objectives.columns import FILE, KEY_RESULTS_FILE
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of

AT_ONCE = 200  # objectives whose figures are read together


def objective_rows(records: Iterable[Objective], access: Access) -> Iterator[Sequence[Cell]]:
    """CSV rows of objectives; parents are named only if visible to the reader."""
    objectives, today = [*records], windows.local_today()
    yield [*FILE.labels.values(), *KEY_RESULTS_FILE.labels.values()]
    seen = visible_among([objective.parent_id for objective in objectives], access.visibility)
    for some in batched(objectives, AT_ONCE):
        for progress in progress_of(some, access, today=today):
            of_objective = _cells(FILE, progress.objective, _objective(progress, seen, access))
            for measured in progress.key_results:
                yield [*of_objective, *_cells(KEY_RESULTS_FILE, measured.key_result, _key_result(measured))]
            if not progress.key_results:
                yield [*of_objective, *[None] * len(KEY_RESULTS_FILE)]


def _cells(columns: Columns, record: Model, derived: Mapping[str, Cell]) -> list[Cell]:
    """A record's fields, with `derived` values in place of the record's own."""
    return [derived[column.name] if column.name in derived else getattr(record, column.name) for column in columns]


def _objective(progress: ObjectiveProgress, seen: Collection[int], access: Access) -> Mapping[str, Cell]:
    objective = progress.objective
    return {
        "number": objective.pk,
        "quarter": str(objective.quarter),
        "unit": objective.unit.slug if objective.unit else "",
        "owner": access.written(objective.owner),
        "is_mandatory": "yes" if objective.is_mandatory else "no",
        "parent": objective.parent_id if objective.parent_id in seen else None,
        "shown": progress.shown.value,
        "why": progress.why,
    }


def _key_result(measured: KeyResultProgress) -> Mapping[str, Cell]:
    forecast = measured.forecast
    return {
        "measured_in": unit_of(measured.key_result),
        **{name: getattr(measured, name) for name in ("baseline", "target", "value", "progress")},
        "forecast": forecast.value if forecast else None,
        "forecast_low": forecast.low if forecast else None,
        "forecast_high": forecast.high if forecast else None,
        "standing": measured.standing.value,
        "reason": measured.reason or measured.why,
    }
