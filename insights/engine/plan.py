"""From a query to the readings that answer it; also says what is wrong with a query, by parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.fact_query import CellKey, Edges, Placed, Placement, Reading, StockReading, windows_of
from insights.query import windows
from insights.query.dimensions import has_dimension
from insights.query.errors import QueryError, UnknownUnitError
from insights.query.measures import Measure, PeopleOfWindow
from insights.query.query import UNASSIGNED_PREFIX, Dimension, MetricQuery, Scope, Window
from integrations.enums import FINER_THAN_OTHER, WorkType
from orgtree.models import Attribute, OrgTree, Unit

LONGEST_WINDOW_DAYS = 5 * 366
MOST_SEGMENTS = 2
MOST_ATTRIBUTES_LISTED = 30  # in a message
OTHER_ALONE = "other_alone"  # as a facet: work of the class other, without its finer classes


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

    def stock_span(self, window: Window) -> Window:
        """The days of a window that have come, for which people are counted in a stock; today where none has."""
        end = min(window.end, self.tomorrow)
        return Window(min(window.start, end - timedelta(days=1)), end)

    @property
    def settled_before(self) -> datetime:
        """Sessions that ended later are pending: their lines may still be committed.

        A full hour, so that a figure stays what it is until the next one.
        """
        return (self.now - settings.SETTLING_TIME).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Need:
    """Where a metric's measure is read: a stock, or a measure in one reading of facts."""

    reading: Reading | StockReading
    measure: Measure
    split: tuple[int, ...] = ()  # positions of the query's segments by which the reading is split, too

    @property
    def of_facts(self) -> Reading:
        """The reading.  Raises TypeError where it is a stock."""
        if isinstance(self.reading, StockReading):
            raise TypeError("A stock is no reading of facts.")
        return self.reading

    def key(self, asked: CellKey) -> CellKey:
        """Where the measure stands for a cell of the query."""
        if len(self.split) == len(asked.segment):
            return asked
        return asked._replace(segment=tuple(asked.segment[position] for position in self.split))


@dataclass(frozen=True)
class Plan:
    """A query that can be answered, with what has to be read for each measure of its metric.

    Where it is read together with the same query of other units, `unit_id` is the unit that it is of.
    """

    query: MetricQuery
    metric: Metric
    clock: Clock
    placement: Placement
    segments: tuple[Dimension, ...]
    buckets: Sequence[windows.Bucket]
    needs: Mapping[Measure, Need]
    unit_id: int | None = None
    of_buckets: bool = True  # whether its buckets are asked for, and not only read to put the whole together

    @property
    def windows(self) -> Sequence[Window]:
        """The whole window and each of its buckets."""
        return tuple(dict.fromkeys((self.query.window, *(bucket.clipped for bucket in self.buckets))))

    @property
    def bucket_edges(self) -> Edges:
        return (*(bucket.clipped.start for bucket in self.buckets), self.query.window.end)

    def in_buckets(self, need: Need) -> Reading:
        """What is read for it in the plan's buckets, and not in the whole window.  Raises TypeError for a stock."""
        return replace(need.of_facts, partitions=(self.bucket_edges,))


class Places:
    """Looks up what scopes name, each of them once for a batch of queries."""

    def __init__(self) -> None:
        self._known: list[tuple[Scope, Placement]] = []

    def of(self, scope: Scope) -> Placement:
        """Raises QueryError: see `place`."""
        for known, placement in self._known:
            if known == scope:
                return placement
        placement = place(scope)
        self._known.append((scope, placement))
        return placement


def plan(query: MetricQuery, clock: Clock, places: Places | None = None) -> Plan:
    """Raises QueryError, naming the parameter and the remedy, where the query cannot be answered."""
    _check(query, get(query.key))
    placement = (places or Places()).of(query.scope)
    return _plan(query, clock, windows.buckets(query.window, query.granularity), placement)


def plan_total(query: MetricQuery, clock: Clock, places: Places | None = None) -> Plan:
    """As `plan`, for the whole window alone."""
    _check(query, get(query.key))
    return replace(_plan(query, clock, _needed(query), (places or Places()).of(query.scope)), of_buckets=False)


def plan_units(query: MetricQuery, units: Sequence[int], clock: Clock, places: Places) -> list[Plan]:
    """As `plan_total`, for each of these units instead of the query's own, in order; they are read together."""
    _check(query, get(query.key))
    narrowed = places.of(Scope(where=query.scope.where))
    together = replace(narrowed, placed=Placed.UNITS, ids=tuple(units), person_id=query.scope.person_id)
    one = replace(_plan(query, clock, _needed(query), together), of_buckets=False)
    return [replace(one, unit_id=unit) for unit in units]


def _needed(query: MetricQuery) -> Sequence[windows.Bucket]:
    """The buckets without which there is no figure of the whole window."""
    return windows.buckets(query.window, query.granularity) if get(query.key).over_buckets else ()


def _plan(query: MetricQuery, clock: Clock, buckets: Sequence[windows.Bucket], placement: Placement) -> Plan:
    metric = get(query.key)
    segments = query.segments or metric.always_by
    whole = (query.window.start, query.window.end)
    edges = (*(bucket.clipped.start for bucket in buckets), query.window.end)
    partitions = tuple(dict.fromkeys((edges, whole))) if buckets else (whole,)
    facets = tuple(sorted((dimension, _with_finer(dimension, values)) for dimension, values in query.facets.items()))
    needs = needs_of(metric, partitions, placement, clock, facets=facets, segments=segments)
    return Plan(query, metric, clock, placement, segments, buckets, needs)


def _with_finer(dimension: Dimension, values: Sequence[str]) -> tuple[str, ...]:
    """The values asked for, in order: who filters by other means its finer classes, too, unless they say alone."""
    if dimension is not Dimension.WORK_TYPE:
        return tuple(sorted(set(values)))
    finer = FINER_THAN_OTHER if WorkType.OTHER in values else ()
    return tuple(sorted({*(WorkType.OTHER if value == OTHER_ALONE else value for value in values), *finer}))


def needs_of(
    metric: Metric,
    partitions: tuple[Edges, ...],
    placement: Placement,
    clock: Clock,
    *,
    facets: tuple[tuple[Dimension, tuple[str, ...]], ...] = (),
    segments: tuple[Dimension, ...] = (),
) -> Mapping[Measure, Need]:
    """What has to be read for each measure of the metric, in these windows and for this scope."""
    used = {*segments, *(dimension for dimension, _ in facets)}

    def need(measure: Measure) -> Need:
        if isinstance(measure, PeopleOfWindow):
            spans = {clock.stock_span(window) for edges in partitions for window in windows_of(edges)}
            return Need(StockReading(measure.relation, tuple(sorted(spans)), placement), measure)
        finer = measure.for_dimensions(used)
        split = tuple(i for i, dimension in enumerate(segments) if dimension not in finer.not_split_by)
        heeded = tuple((dimension, values) for dimension, values in facets if dimension not in finer.not_filtered_by)
        reading = Reading(
            finer.relation,
            partitions,
            placement,
            heeded,
            tuple(segments[position] for position in split),
            clock.settled_before,
            Dimension.MODEL in dict(heeded) and not has_dimension(finer, Dimension.MODEL),
        )
        return Need(reading, finer, split)

    return {measure: need(measure) for measure in metric.measures}


def place(scope: Scope) -> Placement:
    """Look up what the scope names.  Raises QueryError where there is no such unit, tree or attribute."""
    held = _held(scope.where)
    if scope.unassigned is not None:
        return Placement(Placed.UNASSIGNED, (_tree(scope.unassigned),), held, scope.person_id)
    if scope.unit is None:
        return Placement(held=held) if scope.person_id is None else Placement(Placed.PERSON, (scope.person_id,), held)
    unit = Unit.objects.filter(slug=_text(scope.unit)).values_list("id", flat=True).first()
    if unit is None:
        raise UnknownUnitError(scope.unit)
    return Placement(Placed.UNIT, (unit,), held, scope.person_id)


def _tree(slug: str) -> int:
    tree = OrgTree.objects.filter(slug=_text(slug)).values_list("id", flat=True).first()
    if tree is None:
        raise UnknownUnitError(f"{UNASSIGNED_PREFIX}{slug}")
    return tree


def _held(where: Mapping[str, tuple[str, ...]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Ids of the attributes with the values asked for, in one order, so that equal questions are read once."""
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
    """PostgreSQL's text holds no NUL; no slug is empty."""
    return "" if "\0" in word else word


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
