"""From a query to the readings that answer it; also says what is wrong with a query, by parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from insights import windows
from insights.metrics.declarations import Metric
from insights.metrics.errors import QueryError
from insights.metrics.measures import Measure, PeopleAtEnd
from insights.metrics.query import Dimension, MetricQuery, Scope
from insights.metrics.reading import Placed, Reading
from insights.metrics.registry import get
from insights.metrics.statement import has_dimension
from orgtree.models import Unit

LONGEST_WINDOW_DAYS = 5 * 366
MOST_SEGMENTS = 2


@dataclass(frozen=True)
class Clock:
    """The moment at which a batch of queries is answered: one for all, so that they agree."""

    now: datetime
    today: date

    @classmethod
    def read(cls) -> Clock:
        return cls(timezone.now(), windows.local_today())

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    @property
    def settled_before(self) -> datetime:
        """Sessions that ended later are pending: their lines may still be committed."""
        return self.now - settings.SETTLING_TIME


@dataclass(frozen=True)
class Placement:
    """A scope whose unit or person was looked up."""

    placed: Placed
    unit_or_person: int | None = None


@dataclass(frozen=True)
class Plan:
    """A query that can be answered: each measure of the metric with the reading and the measure that give it."""

    query: MetricQuery
    metric: Metric
    clock: Clock
    placement: Placement
    segments: tuple[Dimension, ...]
    buckets: Sequence[windows.Bucket]
    needs: dict[Measure, tuple[Reading, Measure]]

    @property
    def ends(self) -> tuple[date, ...]:
        """Where each bucket ends, or tomorrow: a stock is counted at what has come of the bucket."""
        return tuple(min(bucket.clipped.end, self.clock.tomorrow) for bucket in self.buckets)


def plan(query: MetricQuery, clock: Clock) -> Plan:
    """Raises QueryError, naming the parameter and the remedy, where the query cannot be answered."""
    metric = get(query.key)
    _check(query, metric)
    placement = place(query.scope)
    segments = query.segments or metric.always_by
    buckets = windows.buckets(query.window, query.granularity)
    edges = (*(bucket.clipped.start for bucket in buckets), query.window.end)
    facets = tuple(sorted((dimension, tuple(sorted(values))) for dimension, values in query.facets.items()))
    draft = Plan(query, metric, clock, placement, segments, buckets, {})
    for measure in metric.measures:
        draft.needs[measure] = _need(measure, draft, edges, facets)
    return draft


def _need(
    measure: Measure,
    draft: Plan,
    edges: tuple[date, ...],
    facets: tuple[tuple[Dimension, tuple[str, ...]], ...],
) -> tuple[Reading, Measure]:
    placed, unit_or_person = draft.placement.placed, draft.placement.unit_or_person
    if isinstance(measure, PeopleAtEnd):
        return Reading(measure.relation, draft.ends, placed, unit_or_person), measure
    used = {*draft.segments, *(dimension for dimension, _ in facets)}
    finer = measure.for_dimensions(used)
    reading = Reading(
        finer.relation,
        edges,
        placed,
        unit_or_person,
        facets,
        draft.segments,
        draft.clock.settled_before if Dimension.OUTCOME in used else None,
        Dimension.MODEL in dict(facets) and not has_dimension(finer, Dimension.MODEL),
    )
    return reading, finer


def place(scope: Scope) -> Placement:
    """Look up the scope's unit.  Raises QueryError where there is none of that slug."""
    if scope.where:
        attribute = sorted(scope.where)[0]
        raise QueryError("where", f"People have no attribute “{attribute}” yet. Leave `where` out.")
    if scope.unit is not None and scope.person_id is not None:
        raise QueryError("person", "Ask for a unit or for a person, not for both.")
    if scope.person_id is not None:
        return Placement(Placed.PERSON, scope.person_id)
    if scope.unit is None:
        return Placement(Placed.ANYBODY)
    known = "\0" not in scope.unit  # PostgreSQL's text holds no NUL
    unit = Unit.objects.filter(slug=scope.unit).values_list("id", flat=True).first() if known else None
    if unit is None:
        raise QueryError("unit", f"There is no unit “{scope.unit}”. `manage.py units` lists the slugs.")
    return Placement(Placed.UNIT, unit)


def _check(query: MetricQuery, metric: Metric) -> None:
    if query.window.days <= 0:
        raise QueryError("to", "The window is empty: `to` is the first day that no longer belongs to it.")
    if query.window.days > LONGEST_WINDOW_DAYS:
        raise QueryError("from", "The window is longer than five years. Ask for a shorter one.")
    _check_dimensions("segment", query.segments, metric.segments, metric)
    _check_dimensions("facet", query.facets, metric.facets, metric)
    if any("\0" in value for values in query.facets.values() for value in values):
        raise QueryError("facet", "A value must not contain a NUL character.")
    if len(query.segments) > MOST_SEGMENTS:
        raise QueryError("segment", f"At most {MOST_SEGMENTS} segments at a time.")
    if len(set(query.segments)) < len(query.segments):
        raise QueryError("segment", "The same segment is asked for twice.")
    if query.statistic is not None and query.statistic not in metric.statistics:
        allowed = f"use one of {_or(metric.statistics)}" if metric.statistics else "leave `statistic` out"
        raise QueryError("statistic", f"{metric.key} has no {query.statistic}; {allowed}.")


def _check_dimensions(
    parameter: str, asked: Iterable[Dimension], allowed: tuple[Dimension, ...], metric: Metric
) -> None:
    for dimension in asked:
        if dimension not in allowed:
            remedy = f"It has {_or(allowed)}." if allowed else f"Leave `{parameter}` out."
            raise QueryError(parameter, f"{metric.key} has no {parameter} “{dimension}”. {remedy}")


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
