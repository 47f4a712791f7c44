"""Restated values: key results of a closed quarter whose value differs today from the frozen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.figure_records.recording import people_now
from insights.privacy.visible import visible_totals
from insights.privacy.withhold import reveals_few_people, unconfirmed_for, withholds
from insights.query.query import Freshness, MetricValue, Window
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.closing.services.frozen import FrozenObjective
from programs.key_results.services.reading import metric_of, metric_query


@dataclass(frozen=True)
class Restated:
    """The figure of today (None: it is hidden, for both would tell of few people), and by which formula."""

    figure: MetricValue | None
    version: int


def restated_results(objectives: Sequence[FrozenObjective], quarter: Window, access: Access) -> Mapping[int, Restated]:
    """By id of the key result, of metrics and units that there still are and that the viewer may see."""
    units = set(
        Unit.objects.filter(slug__in={objective.unit_slug for objective in objectives}).values_list("slug", flat=True)
    )
    seen = units if access.visibility.whole else units & set(access.visibility.slugs)
    results = [
        (result, metric, metric_query(result.metric, result.statistic, objective.unit_slug or None, quarter))
        for objective in objectives
        if objective.unit_slug in seen or (not objective.unit_slug and access.visibility.whole)
        for result in objective.key_results
        if result.metric and not result.withheld and (metric := metric_of(result.metric))
    ]
    queries = [query for *_, query in results]
    if not queries:
        return {}
    answers = visible_totals(queries, access, freshness=Freshness.OF_PAGES)
    protected = {query.key for query in queries if withholds(query, access)}
    people = people_now(queries, unconfirmed_for(access)) if protected else [0] * len(queries)
    restated = {}
    for (result, metric, query), answer, now in zip(results, answers, people, strict=True):
        figure = answer.total[0]
        if figure.withheld or figure.value == result.value:
            continue
        is_of_few = query.key in protected and reveals_few_people(result.people, now, access)
        restated[result.id] = Restated(None if is_of_few else figure, metric.version)
    return restated
