"""The weekly trend of a key result: before and in the quarter, with the forecast to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from core.csv_export import csv_response
from core.views import page_view
from insights.catalogue.registry import find
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from insights.ui.agreements import agreement_lines
from insights.ui.charts import ChartData, ChartView, Dataset, Line, Mark
from orgtree.access.access import Access
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.reading import metric_query, unit_of
from programs.models import KeyResult, Objective, Quarter
from programs.objectives.queries.objectives import progress_of
from programs.requests.visible import visible_objective

WEEK = timedelta(weeks=1)


class KeyResultChart(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        return drawn(request, self.kwargs["pk"], self.kwargs["key_result"])


@page_view
def key_result_chart(request: HttpRequest, pk: int, key_result: int) -> HttpResponseBase:
    response: HttpResponseBase = KeyResultChart.as_view()(request, pk=pk, key_result=key_result)
    return response


@page_view
def key_result_chart_csv(request: HttpRequest, pk: int, key_result: int) -> HttpResponseBase:
    return csv_response(f"headway-key-result-{key_result}", drawn(request, pk, key_result).rows())


def drawn(request: HttpRequest, pk: int, key_result: int) -> ChartData:
    """The chart of a key result.  Raises Http404 if the objective is hidden or has no such key result."""
    access = access_in(request)
    objective = visible_objective(pk, access)
    [progress] = progress_of([objective], access, today=windows.local_today())
    for result in progress.key_results:
        if result.key_result.pk == key_result:
            return replace(course(result, objective.quarter), benchmarks=_lines(result, objective, access))
    raise Http404("No such key result.")


def course(progress: KeyResultProgress, quarter: Quarter) -> ChartData:
    """A line of measured values, and a second one from the last point to the forecast at the quarter's end.

    A metric is drawn by whole weeks; values entered by hand on the days of their entry.
    """
    days = _days(progress, quarter)
    values = dict(progress.points)
    measured = [values.get(day) for day in days]
    unit = unit_of(progress.key_result)
    datasets = [Dataset(progress.key_result.title, f"k{progress.key_result.pk}", "sequence", measured)]
    if forecast := _forecast(progress, days, measured):
        datasets.append(Dataset("Forecast", "forecast", "sequence", forecast))
    return ChartData(
        kind="line",
        unit=unit if unit in set(UnitOfMeasure) else UnitOfMeasure.COUNT.value,
        labels=[f"{day.day} {day:%b}" for day in days],
        days=days,
        datasets=datasets,
        label_name="Week from" if progress.key_result.metric else "Day",
        marks=_range_of(quarter, days),
        reason=progress.reason,
    )


def _days(measured: KeyResultProgress, quarter: Quarter) -> list[date]:
    """The days of the points, then the remaining weeks of the quarter."""
    known = [day for day, _ in measured.points]
    day = known[-1] + WEEK if known else quarter.start - timedelta(days=quarter.start.weekday())
    rest = []
    while day < quarter.end:
        rest.append(day)
        day += WEEK
    return [*known, *rest]


def _forecast(
    progress: KeyResultProgress, days: Sequence[date], measured: Sequence[float | None]
) -> list[float | None] | None:
    """A straight line from the last value to the forecast on the last day."""
    last = max((index for index, value in enumerate(measured) if value is not None), default=None)
    if progress.forecast is None or last is None or last == len(days) - 1:
        return None
    start, steps = measured[last] or 0.0, len(days) - 1 - last
    slope = (progress.forecast.value - start) / steps
    before: list[float | None] = [None] * last
    return [*before, *(start + slope * step for step in range(steps + 1))]


def _range_of(quarter: Quarter, days: Sequence[date]) -> list[Mark]:
    """A shade that marks the quarter among the weeks."""
    inside = [index for index, day in enumerate(days) if quarter.start <= day < quarter.end]
    if not inside:
        return []
    return [Mark(str(quarter), inside[0], inside[-1], quarter.start, quarter.end)]


def _lines(measured: KeyResultProgress, objective: Objective, access: Access) -> list[Line]:
    """Lines for baseline, target, and the metric's benchmarks in force for the unit."""
    target = "Not worse than" if measured.key_result.is_guardrail else "Target"
    own = [
        Line(value, label)
        for value, label in ((measured.baseline, "Baseline"), (measured.target, target))
        if value is not None
    ]
    return [*_agreed(measured.key_result, objective, access), *own]


def _agreed(key_result: KeyResult, objective: Objective, access: Access) -> Sequence[Line]:
    """Threshold and target of the metric's benchmark; none for a closed quarter, whose benchmark may have been
    another.
    """
    if objective.quarter.is_closed or find(key_result.metric) is None:
        return ()
    unit = objective.unit.slug if objective.unit else None
    return agreement_lines(
        metric_query(key_result.metric, key_result.statistic, unit, objective.quarter.window), access
    )
