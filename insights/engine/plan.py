"""Validates queries and plans them as fact queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.text import get_text_list

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.fact_query import (
    Chosen,
    Edges,
    Facets,
    FactQuery,
    GroupKey,
    ResolvedScope,
    ScopeKind,
    StockQuery,
    windows_of,
)
from insights.query import windows
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.measures import Distribution, Measure, PeopleOfWindow
from insights.query.query import UNASSIGNED_PREFIX, Dimension, Query, Scope, Statistic, Window
from integrations.enums import OTHER_SUBTYPES, WorkType
from orgtree.models import Attribute, OrgTree, Unit

LONGEST_WINDOW_DAYS = 5 * 366
MOST_SEGMENTS = 2
MOST_ATTRIBUTES_LISTED = 30  # in a message
OTHER_ALONE = "other_alone"  # facet value: work of the class `other`, excluding its subtypes


@dataclass(frozen=True)
class Clock:
    """The time at which a batch of queries is answered: the same for all, so that their results are consistent."""

    now: datetime
    today: date

    @classmethod
    def read(cls) -> Clock:
        return cls(timezone.now(), windows.local_today())

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    def stock_window(self, window: Window) -> Window:
        """The elapsed part of a window, for which a stock of people is counted; today for a future window."""
        end = min(window.end, self.tomorrow)
        return Window(min(window.start, end - timedelta(days=1)), end)

    @property
    def settled_before(self) -> datetime:
        """The time up to which sessions must have ended to be settled; the lines of later ones may still be committed.

        Rounded down to the hour, so that values change once an hour.
        """
        return (self.now - settings.SETTLING_TIME).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class MeasureQuery:
    """A measure of a metric with the query that reads it: a stock query or a fact query."""

    query: FactQuery | StockQuery
    measure: Measure
    split: tuple[int, ...] = ()  # positions of those query segments that split the fact query

    @property
    def fact_query(self) -> FactQuery:
        """The fact query.  Raises TypeError for a stock."""
        if isinstance(self.query, StockQuery):
            raise TypeError("A stock query is no fact query.")
        return self.query

    def key(self, key: GroupKey) -> GroupKey:
        """Translates the key of a group of the query into the key of the measure's group."""
        if len(self.split) == len(key.segment):
            return key
        return key._replace(segment=tuple(key.segment[position] for position in self.split))


@dataclass(frozen=True)
class Plan:
    """A validated query, with a measure query for each measure of its metric.

    `unit_id` is the plan's own unit if the same query is read for several units together.
    """

    query: Query
    metric: Metric
    clock: Clock
    scope: ResolvedScope
    segments: tuple[Dimension, ...]
    buckets: Sequence[windows.Bucket]
    measure_queries: Mapping[Measure, MeasureQuery]
    unit_id: int | None = None
    of_buckets: bool = True  # whether the answer includes buckets; if not, they only serve to compute the total

    @property
    def windows(self) -> Sequence[Window]:
        """The whole window and each of its buckets."""
        return tuple(dict.fromkeys((self.query.window, *(bucket.clipped for bucket in self.buckets))))

    @property
    def bucket_edges(self) -> Edges:
        return (*(bucket.clipped.start for bucket in self.buckets), self.query.window.end)

    def in_buckets(self, measure_query: MeasureQuery) -> FactQuery:
        """The fact query over the plan's buckets, excluding the whole window.  Raises TypeError for a stock."""
        return replace(measure_query.fact_query, window_edges=(self.bucket_edges,))


class ScopeResolver:
    """Resolves scopes to ids, each distinct scope once per batch of queries."""

    def __init__(self) -> None:
        self._resolved: list[tuple[Scope, ResolvedScope]] = []

    def of(self, scope: Scope) -> ResolvedScope:
        """The resolved scope.  Raises QueryError as `resolve_scope`."""
        for known, resolved in self._resolved:
            if known == scope:
                return resolved
        resolved = resolve_scope(scope)
        self._resolved.append((scope, resolved))
        return resolved


def plan_query(query: Query, clock: Clock, scopes: ScopeResolver | None = None) -> Plan:
    """Plans a query.  Raises QueryError, which names the parameter and a remedy, if the query cannot be answered."""
    _check(query, get(query.key))
    scope = (scopes or ScopeResolver()).of(query.scope)
    return _plan(query, clock, windows.buckets(query.window, query.granularity), scope)


def plan_total(query: Query, clock: Clock, scopes: ScopeResolver | None = None) -> Plan:
    """Plans a query for the whole window alone.  Raises QueryError as `plan_query`."""
    _check(query, get(query.key))
    return replace(
        _plan(query, clock, needed_buckets(query), (scopes or ScopeResolver()).of(query.scope)), of_buckets=False
    )


def plan_units(
    query: Query, units: Sequence[int], clock: Clock, scopes: ScopeResolver, *, of_buckets: bool = False
) -> list[Plan]:
    """Plans the query for each of these units in place of its own, in order; the plans are read together.  Buckets are
    included only with `of_buckets`.
    """
    _check(query, get(query.key))
    people = scopes.of(Scope(where=query.scope.where))
    scope = replace(people, kind=ScopeKind.UNITS, ids=tuple(units), person_id=query.scope.person_id)
    buckets = windows.buckets(query.window, query.granularity) if of_buckets else needed_buckets(query)
    one = replace(_plan(query, clock, buckets, scope), of_buckets=of_buckets)
    return [replace(one, unit_id=unit) for unit in units]


def needed_buckets(query: Query) -> Sequence[windows.Bucket]:
    """The buckets from which the total of the whole window is computed."""
    return windows.buckets(query.window, query.granularity) if get(query.key).over_buckets else ()


def _plan(query: Query, clock: Clock, buckets: Sequence[windows.Bucket], scope: ResolvedScope) -> Plan:
    metric = get(query.key)
    segments = query.segments or metric.always_by
    whole = (query.window.start, query.window.end)
    edges = (*(bucket.clipped.start for bucket in buckets), query.window.end)
    window_edges = tuple(dict.fromkeys((edges, whole))) if buckets else (whole,)
    measure_queries = measure_queries_of(
        metric,
        window_edges,
        scope,
        clock,
        facets=facets_of(query.facets),
        segments=segments,
        statistic=query.statistic or metric.statistic,
    )
    return Plan(query, metric, clock, scope, segments, buckets, measure_queries)


def facets_of(facets: Mapping[Dimension, tuple[str, ...]]) -> Facets:
    """The filters of a query in a fixed order, so that equal filters are read once."""
    return tuple(sorted((dimension, _with_finer(dimension, values)) for dimension, values in facets.items()))


def _with_finer(dimension: Dimension, values: Sequence[str]) -> tuple[str, ...]:
    """The requested values, sorted: a filter by `other` includes its subtypes, one by `other_alone` does not."""
    if dimension is not Dimension.WORK_TYPE:
        return tuple(sorted(set(values)))
    finer = OTHER_SUBTYPES if WorkType.OTHER in values else ()
    return tuple(sorted({*(WorkType.OTHER if value == OTHER_ALONE else value for value in values), *finer}))


def measure_queries_of(
    metric: Metric,
    window_edges: tuple[Edges, ...],
    scope: ResolvedScope,
    clock: Clock,
    *,
    facets: Facets = (),
    segments: tuple[Dimension | Chosen, ...] = (),
    statistic: Statistic | None = None,
) -> Mapping[Measure, MeasureQuery]:
    """A measure query for each measure of the metric, for these windows, this scope and this statistic."""
    used = {*map(_dimension_of, segments), *(dimension for dimension, _ in facets)}

    def measure_query(measure: Measure) -> MeasureQuery:
        if isinstance(measure, PeopleOfWindow):
            windows_of_stock = {clock.stock_window(window) for edges in window_edges for window in windows_of(edges)}
            return MeasureQuery(StockQuery(measure.relation, tuple(sorted(windows_of_stock)), scope), measure)
        finer = measure.for_dimensions(used)
        if isinstance(finer, Distribution):
            finer = finer.of_statistic(statistic)
        split = tuple(i for i, segment in enumerate(segments) if _is_split_by(finer, segment))
        applied = [filter_ for filter_ in facets if filter_[0] not in finer.not_filtered_by]
        fact_query = FactQuery(
            finer.relation,
            window_edges,
            scope,
            tuple(filter_ for filter_ in applied if finer.has(filter_[0])),
            tuple(_split_of(finer, segments[position]) for position in split),
            clock.settled_before,
            facets_of_facts=tuple(filter_ for filter_ in applied if not finer.has(filter_[0])),
        )
        return MeasureQuery(fact_query, finer, split)

    return {measure: measure_query(measure) for measure in metric.measures}


def _dimension_of(segment: Dimension | Chosen) -> Dimension:
    return segment.dimension if isinstance(segment, Chosen) else segment


def _is_split_by(measure: Measure, segment: Dimension | Chosen) -> bool:
    """Whether the measure is split by the segment.  Chosen values come from a filter, so they only split measures that
    the filter applies to.
    """
    undivided = measure.not_filtered_by if isinstance(segment, Chosen) else measure.not_split_by
    return _dimension_of(segment) not in undivided


def _split_of(measure: Measure, segment: Dimension | Chosen) -> Dimension | Chosen:
    if isinstance(segment, Chosen):
        return replace(segment, of_facts=not measure.has(segment.dimension))
    return segment


def resolve_scope(scope: Scope) -> ResolvedScope:
    """Resolve the scope's slugs to ids.  Raises QueryError if a unit, tree or attribute does not exist."""
    attributes = _held(scope.where)
    if scope.unassigned is not None:
        return ResolvedScope(ScopeKind.UNASSIGNED, (_tree(scope.unassigned),), attributes, scope.person_id)
    if scope.unit is None:
        return (
            ResolvedScope(attributes=attributes)
            if scope.person_id is None
            else ResolvedScope(ScopeKind.PERSON, (scope.person_id,), attributes)
        )
    unit = Unit.objects.filter(slug=_text(scope.unit)).values_list("id", flat=True).first()
    if unit is None:
        raise UnknownUnitError(scope.unit)
    return ResolvedScope(ScopeKind.UNIT, (unit,), attributes, scope.person_id)


def _tree(slug: str) -> int:
    tree = OrgTree.objects.filter(slug=_text(slug)).values_list("id", flat=True).first()
    if tree is None:
        raise UnknownUnitError(f"{UNASSIGNED_PREFIX}{slug}")
    return tree


def _held(where: Mapping[str, tuple[str, ...]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Attribute ids with the requested values, in a fixed order, so that equal queries are read once."""
    if not where:
        return ()
    known = dict(Attribute.objects.values_list("slug", "id"))
    for slug, values in where.items():
        if slug not in known:
            raise QueryError("where", _no_attribute(slug, sorted(known)))
        if any("\0" in value for value in values):
            raise QueryError("where", "A value must not contain a NUL character.")
    return tuple(sorted((known[slug], tuple(sorted(set(values)))) for slug, values in where.items()))


def _no_attribute(slug: str, known: Sequence[str]) -> str:
    listed = ", ".join(known[:MOST_ATTRIBUTES_LISTED]) + (" …" if len(known) > MOST_ATTRIBUTES_LISTED else "")
    remedy = f"Use {listed}." if known else "Nothing is said of people yet: import them with their attributes first."
    return f"People have no attribute “{slug}”. {remedy}"


def _text(word: str) -> str:
    """The slug, or the empty text, which matches none, if it contains a NUL: PostgreSQL's text cannot hold one."""
    return "" if "\0" in word else word


def _check(query: Query, metric: Metric) -> None:
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
        allowed = (
            f"use one of {get_text_list([*map(str, metric.statistics)])}"
            if metric.statistics
            else "leave `statistic` out"
        )
        raise QueryError("statistic", f"{metric.key} has no {query.statistic}; {allowed}.")


def _check_dimensions(
    parameter: str, requested: Iterable[Dimension], allowed: tuple[Dimension, ...], metric: Metric
) -> None:
    for dimension in requested:
        if dimension not in allowed:
            remedy = f"It has {get_text_list([*map(str, allowed)])}." if allowed else f"Leave `{parameter}` out."
            raise QueryError(parameter, f"{metric.key} has no {parameter} “{dimension}”. {remedy}")
