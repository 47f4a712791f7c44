"""Measures key results hourly, and right after an objective is saved.

Pages read the stored measures, so a list of objectives runs no metric queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from insights.catalogue.registry import find
from insights.forecasts.forecasting import InitiativeForecast
from insights.query import windows
from programs.key_results.services.forecasting import (
    Accumulation,
    Outlook,
    Point,
    SoFar,
    accumulation_of,
    grows,
    outlook,
)
from programs.key_results.services.initiatives import (
    InitiativeOutlook,
    initiative_outlook,
    measured_initiative,
    read_initiatives,
)
from programs.key_results.services.items import ItemsOutlook, counts_items, items_outlook
from programs.key_results.services.judging import KeyResultState, judge, together
from programs.key_results.services.reading import (
    NO_SUCH_METRIC,
    KeyResultQuery,
    MeasuredMetric,
    query_of_key_result,
    read_metrics,
    version_of,
)
from programs.models import CheckIn, KeyResult, KeyResultMeasure, Objective, ObjectiveMeasure

Row = TypeVar("Row", KeyResultMeasure, ObjectiveMeasure)

OBJECTIVES_AT_ONCE = 50  # locked in one transaction
OBJECTIVES_READ_AT_ONCE = 500  # read with the same few statements
Figures = dict[KeyResultQuery, MeasuredMetric]
NOTHING_ENTERED = "No value entered yet; a check-in sets it."
NOT_STARTED = "The quarter has not started."


def measure_objectives(*, only: Sequence[int] | None = None, today: date | None = None) -> int:
    """Measures the objectives of open quarters, drafts included, or `only` some; returns the number of key results.

    Skips an objective that is being written at this moment: its writer measures it.
    """
    today = today or windows.local_today()
    open_ones = Objective.objects.open()
    waiting = list(
        (open_ones if only is None else open_ones.filter(pk__in=only)).order_by("pk").values_list("pk", flat=True)
    )
    measured, figures = 0, Figures()
    for start in range(0, len(waiting), OBJECTIVES_AT_ONCE):
        if start % OBJECTIVES_READ_AT_ONCE == 0:
            _read_ahead(waiting[start : start + OBJECTIVES_READ_AT_ONCE], figures, today=today)
        with transaction.atomic():
            batch = open_ones.filter(pk__in=waiting[start : start + OBJECTIVES_AT_ONCE])
            held = batch.select_for_update(of=("self",), skip_locked=only is None)
            measured += measure_batch(held, today=today, figures=figures)
    return measured


def _read_ahead(objectives: Sequence[int], figures: Figures, *, today: date) -> None:
    """Reads the figures of many objectives at once, outside of any transaction; equal queries are read once."""
    asking = KeyResult.objects.filter(objective__in=objectives).exclude(metric="")
    _read_missing(asking.select_related("objective__quarter", "objective__unit"), figures, today=today)


def _read_missing(key_results: Iterable[KeyResult], figures: Figures, *, today: date) -> None:
    queries = {query_of_key_result(result) for result in key_results if result.metric and _has_started(result, today)}
    figures.update(read_metrics(queries - figures.keys(), today=today))


def measure_batch(objectives: QuerySet[Objective], *, today: date, figures: Figures | None = None) -> int:
    """`measure_objectives` in the caller's transaction; `figures` are those already read."""
    batch = list(objectives.select_related("quarter", "unit").order_by("pk"))
    key_results = list(
        KeyResult.objects.filter(objective__in=batch)
        .select_related("objective__quarter", "objective__unit")
        .order_by("objective", "position")
    )
    stands = states_of(key_results, today=today, figures=figures)
    now = timezone.now()
    judged: dict[int, list[KeyResultMeasure]] = {objective.pk: [] for objective in batch}
    for key_result in key_results:
        judged[key_result.objective_id].append(_measure(key_result, *stands[key_result.pk]))
    rows = [row for of_objective in judged.values() for row in of_objective]
    outcomes = {pk: together(of_objective) for pk, of_objective in judged.items()}
    for row in rows:
        row.measured_at = now
    for pk, outcome in outcomes.items():
        outcome.objective_id, outcome.measured_at = pk, now
    _store(KeyResultMeasure, rows, "key_result")
    _store(ObjectiveMeasure, list(outcomes.values()), "objective")
    return len(rows)


def states_of(
    key_results: Sequence[KeyResult], *, today: date, figures: Figures | None = None
) -> Mapping[int, tuple[MeasuredMetric, KeyResultState]]:
    """Measured metric and state of each key result."""
    read = Figures() if figures is None else figures
    _read_missing(key_results, read, today=today)
    entered = _entered([result for result in key_results if result.is_by_hand])
    initiatives = read_initiatives((result.initiative for result in key_results), today=today)
    by_hand = {}
    for key_result in key_results:
        made = initiatives.get(key_result.initiative)
        if key_result.is_by_hand:
            measured = _by_hand(entered.get(key_result.pk, []))
        elif not _has_started(key_result, today):
            measured = MeasuredMetric(None, NOT_STARTED, 0, 0, ())
        elif key_result.initiative:
            measured = measured_initiative(key_result, made, today=today)
        else:
            measured = read.get(query_of_key_result(key_result), MeasuredMetric(None, NO_SUCH_METRIC, 0, 0, ()))
        by_hand[key_result.pk] = (measured, _stand(key_result, measured, made, today))
    return by_hand


def _has_started(key_result: KeyResult, today: date) -> bool:
    return key_result.objective.quarter.start <= today


def _stand(
    key_result: KeyResult, measured: MeasuredMetric, made: InitiativeForecast | None, today: date
) -> KeyResultState:
    metric = find(key_result.metric) if key_result.metric else None
    quarter = key_result.objective.quarter.window
    accumulation = accumulation_of(metric)
    by_days = bool(metric and metric.per_days)
    come = windows.passed(quarter, today=today).days
    is_gone = bool(key_result.metric) and metric is None
    ahead: Outlook | ItemsOutlook | InitiativeOutlook | None = None
    why_not = NO_SUCH_METRIC
    if key_result.initiative:
        ahead, why_not = initiative_outlook(key_result, made, quarter, today=today)
    elif counts_items(metric):
        name = f"key result {key_result.pk}"
        ahead, why_not = items_outlook(measured.value, measured.finished, quarter, today=today, name=name)
    elif not is_gone:
        ahead, why_not = outlook(
            accumulation,
            measured.points,
            SoFar(measured.value, come if by_days else measured.sample_size),
            quarter,
            today=today,
            is_percent=bool(metric and metric.unit == "percent"),
            by_days=by_days,
            by_hand=not key_result.metric,
        )
    return KeyResultState(
        key_result,
        measured.value,
        measured.reason,
        metric.unit if metric else "",
        grows(metric) and accumulation is not Accumulation.STOCK,
        quarter,
        today,
        ahead,
        why_not,
    )


def _entered(key_results: Sequence[KeyResult]) -> Mapping[int, list[Point]]:
    """Maps each key result to the last value entered on each day."""
    if not key_results:
        return {}
    by_day: dict[int, dict[date, float]] = defaultdict(dict)
    values = CheckIn.objects.filter(key_result__in=key_results, value__isnull=False).order_by("at", "pk")
    for key_result, at, value in values.values_list("key_result", "at", "value"):
        by_day[key_result or 0][timezone.localdate(at)] = value or 0.0
    return {pk: [Point(day, value) for day, value in days.items()] for pk, days in by_day.items()}


def _by_hand(points: Sequence[Point]) -> MeasuredMetric:
    if not points:
        return MeasuredMetric(None, NOTHING_ENTERED, 0, 0, ())
    return MeasuredMetric(points[-1].value, "", len(points), 0, points)


def _measure(key_result: KeyResult, measured: MeasuredMetric, stand: KeyResultState) -> KeyResultMeasure:
    row = judge(stand)
    row.key_result = key_result
    row.metric_version = version_of(key_result.metric) if key_result.metric else None
    row.value, row.reason = measured.value, measured.reason
    row.sample_size, row.people = measured.sample_size, measured.people
    row.points = [[point.day.isoformat(), point.value, point.people] for point in measured.points]
    return row


def _store(model: type[Row], rows: Sequence[Row], key: str) -> None:
    fields = [field.name for field in model._meta.concrete_fields if field.name != key]
    model._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=[key], update_fields=fields)
