"""Figures of chosen units for monitoring systems: one sample per metric and unit, over the last weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from insights.catalogue.registry import get
from insights.privacy.visible import Freshness, UnitQueries, visible_together
from insights.query import windows
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.query import Query, Scope
from orgtree.access.access import Access
from orgtree.models import Unit

MOST_UNITS, MOST_METRICS = 100, 30
DEFAULT_WEEKS = 4
DEFAULT_METRICS = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    *("dora.rework_rate", "pr.cycle_time", "ai.adoption_rate"),
)


@dataclass(frozen=True)
class Sample:
    """A figure in the metric's own unit of measure: seconds, percent 0–100, counts, US dollars."""

    key: str
    unit: str
    unit_of_measure: str
    statistic: str  # empty if the metric has none
    value: float


def samples(
    access: Access, *, units: Sequence[str], keys: Sequence[str] = (), weeks: int = DEFAULT_WEEKS
) -> Iterator[Sample]:
    """One sample per figure; a figure that has no value, or comes from too few people, has none.

    Raises UnknownMetricError, UnknownUnitError and QueryError before the first sample.
    """
    if len(units) > MOST_UNITS or len(keys) > MOST_METRICS:
        raise QueryError("unit", f"At most {MOST_UNITS} units and {MOST_METRICS} metrics at a time.")
    if weeks not in windows.TRAILING_WEEKS:
        raise QueryError("weeks", f"Use one of {', '.join(map(str, windows.TRAILING_WEEKS))}.")
    chosen = [get(key) for key in keys or DEFAULT_METRICS]
    for metric in chosen:
        if metric.always_by:
            raise QueryError("metric", f"{metric.key} is a table of shares. Choose another metric.")
    slugs = [Scope.of_unit(slug).unit_word for slug in units]
    units_by_slug = {unit.slug: unit for unit in Unit.objects.within(access.visibility).filter(slug__in=slugs)}
    for slug in units:
        if slug not in units_by_slug:
            raise UnknownUnitError(slug)
    window = windows.trailing(weeks)
    queries = [Query(metric.key, window) for metric in chosen]
    side_by_side = UnitQueries(queries, [unit.pk for unit in units_by_slug.values()])
    [answers] = visible_together(access, units=[side_by_side], freshness=Freshness.OF_PAGES).units
    return (
        Sample(metric.key, slug, metric.unit.value, metric.statistic.value if metric.statistic else "", value)
        for slug, unit in sorted(units_by_slug.items())
        for metric, answer in zip(chosen, answers[unit.pk], strict=True)
        if (value := answer.total[0].value) is not None
    )
