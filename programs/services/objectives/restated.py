"""What key results of a closed quarter say today, where that reads differently from what was frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.metrics.query import Figure, Freshness, Window
from insights.metrics.visible import visible_totals
from orgtree.models import Unit
from orgtree.services.access import Access
from programs.services.objectives.frozen import FrozenObjective
from programs.services.objectives.reading import metric_of, metric_query


@dataclass(frozen=True)
class Restated:
    """The figure of today, by which formula, and how many facts entered then."""

    figure: Figure
    version: int
    frozen_version: int | None
    frozen_sample_size: int


def restated_results(objectives: Sequence[FrozenObjective], quarter: Window, access: Access) -> Mapping[int, Restated]:
    """By id of the key result, of metrics and units that there still are and that the viewer may see."""
    units = set(Unit.objects.filter(slug__in={each.unit_slug for each in objectives}).values_list("slug", flat=True))
    seen = units if access.sight.whole else units & set(access.sight.slugs)
    asked = [
        (result, objective.unit_slug or None)
        for objective in objectives
        if objective.unit_slug in seen or (not objective.unit_slug and access.sight.whole)
        for result in objective.key_results
        if result.metric and not result.withheld and metric_of(result.metric)
    ]
    queries = [metric_query(result.metric, result.statistic, unit, quarter) for result, unit in asked]
    answers = visible_totals(queries, access, freshness=Freshness.OF_PAGES) if queries else []
    found = {}
    for (result, _), answer in zip(asked, answers, strict=True):
        figure, metric = answer.total[0], metric_of(result.metric)
        if metric is not None and not figure.withheld and figure.value != result.value:
            found[result.id] = Restated(figure, metric.version, result.metric_version, result.sample_size)
    return found
