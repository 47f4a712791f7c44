"""Restated values: figures of frozen documents whose current value differs from the frozen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.catalogue.registry import find
from insights.figure_records.recording import people_now
from insights.privacy.visible import visible_totals
from insights.privacy.withhold import reveals_few_people, withholds
from insights.query.query import Freshness, MetricValue, Query, Window
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.closing.services.frozen import FrozenObjective
from programs.key_results.services.reading import metric_query


@dataclass(frozen=True)
class Restated:
    """The current value (None if hidden because both values together would reveal few people), and the formula's
    version.
    """

    figure: MetricValue | None
    version: int


@dataclass(frozen=True)
class RecordedValue:
    """A value of a document, with the number of people behind it and the query for its current value."""

    query: Query
    version: int  # the current version of the formula
    value: float | None
    people: int


def restated_values(recorded: Sequence[RecordedValue], access: Access) -> list[Restated | None]:
    """Today's values in order; None if unchanged or hidden from the viewer.  Raises QueryError for an unknown scope."""
    queries = [one.query for one in recorded]
    if not queries:
        return []
    answers = visible_totals(queries, access, freshness=Freshness.OF_PAGES)
    protected = {query.key for query in queries if withholds(query, access)}
    people = people_now(queries, access) if protected else [0] * len(queries)
    return [
        _restated(one, answer.total[0], now, access, is_protected=one.query.key in protected)
        for one, answer, now in zip(recorded, answers, people, strict=True)
    ]


def _restated(
    recorded: RecordedValue, figure: MetricValue, people: int, access: Access, *, is_protected: bool
) -> Restated | None:
    if figure.withheld or figure.value == recorded.value:
        return None
    is_of_few = is_protected and reveals_few_people(recorded.people, people, access)
    return Restated(None if is_of_few else figure, recorded.version)


def restated_results(objectives: Sequence[FrozenObjective], quarter: Window, access: Access) -> Mapping[int, Restated]:
    """Map key result ids to restated results, for metrics and units that still exist and are visible to the viewer."""
    slugs = {objective.unit.slug for objective in objectives if objective.unit}
    units = set(Unit.objects.filter(slug__in=slugs).values_list("slug", flat=True))
    seen = units if access.visibility.whole else units & set(access.visibility.slugs)
    recorded = {
        result.id: RecordedValue(
            metric_query(result.metric, result.statistic, objective.unit.slug if objective.unit else None, quarter),
            metric.version,
            result.value,
            result.people,
        )
        for objective in objectives
        if (objective.unit.slug in seen if objective.unit else access.visibility.whole)
        for result in objective.key_results
        if result.metric and not result.withheld and (metric := find(result.metric))
    }
    restated = zip(recorded, restated_values(list(recorded.values()), access), strict=True)
    return {pk: value for pk, value in restated if value is not None}
