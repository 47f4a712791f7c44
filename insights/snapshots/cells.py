"""Computing cells from facts and storing them; the statements are those that answer ad-hoc queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from django.db import connection

from insights.metrics.declarations import Metric, Outcome
from insights.metrics.measures import Measure
from insights.metrics.outcomes import Facts
from insights.metrics.plan import Clock, Need, needs_of
from insights.metrics.query import Dimension, Window
from insights.metrics.reading import ANYBODY, CellKey, Edges, Placed, Placement, Reading, StockReading, windows_of
from insights.metrics.registry import metrics
from insights.metrics.stints import stints_of
from insights.models import Period
from insights.snapshots.kept import KEPT_SEGMENTS, MOST_SEGMENT_VALUES, keeps, kept_segments
from insights.snapshots.storing import Computed, store
from integrations.models import FactFamily

Partitions = Sequence[tuple[Period, Edges]]
SPLITS: Sequence[tuple[Dimension, ...]] = ((), *((dimension,) for dimension in KEPT_SEGMENTS))

# Stands in for all values of a segment that has too many in a span: readers go to the facts.
TOO_MANY_VALUES = ""


class Span(NamedTuple):
    """A unit (None: the whole organisation) and a window."""

    unit_id: int | None
    window: Window


def metrics_of(family: FactFamily) -> tuple[Metric, ...]:
    """The metrics that facts of the family enter."""
    return tuple(metric for metric in metrics() if family in metric.changed_by)


def recompute(partitions: Partitions, placement: Placement, clock: Clock, only: Collection[Metric]) -> int:
    """Compute the cells of these metrics in these windows anew, in the caller's transaction; how many there are."""
    distinct = dict.fromkeys(partitions)
    _delete(distinct, placement, only)
    periods: dict[Window, list[str]] = defaultdict(list)
    for period, edges in distinct:
        for window in windows_of(edges):
            periods[window].append(period.value)
    needs = {
        split: {
            metric: needs_of(metric, _edges(distinct, metric), placement, clock, segments=split)
            for metric in only
            if split in kept_segments(metric)
        }
        for split in SPLITS
    }
    written = 0
    with _stints(placement, tuple(periods), clock):
        # What is not split is part of several splits: read once for all of them.
        unsplit = Facts.read(need for of_split in needs.values() for need in _needs(of_split) if not _is_split(need))
        for split, of_split in needs.items():
            facts = unsplit.and_also(Facts.read(filter(_is_split, _needs(of_split))))
            cells = _cells(facts, of_split, split, tuple(periods), clock, everybody=placement.placed is Placed.ANYBODY)
            written += store(cells, periods, split, clock.now)
    return written


def _edges(partitions: Iterable[tuple[Period, Edges]], metric: Metric) -> tuple[Edges, ...]:
    return tuple(dict.fromkeys(edges for period, edges in partitions if keeps(metric, period)))


def _needs(of_metrics: Mapping[Metric, Mapping[Measure, Need]]) -> Iterator[Need]:
    for needs in of_metrics.values():
        yield from needs.values()


def _is_split(need: Need) -> bool:
    return isinstance(need.reading, Reading) and bool(need.reading.segments)


def _stints(placement: Placement, windows: Sequence[Window], clock: Clock) -> AbstractContextManager[None]:
    if placement.placed is not Placed.UNITS:
        return nullcontext()
    days = Window(min(each.start for each in windows), max(each.end for each in windows))
    return stints_of(placement.ids, days, clock.today)


def _cells(
    facts: Facts,
    needs: Mapping[Metric, Mapping[Measure, Need]],
    split: tuple[Dimension, ...],
    all_windows: Sequence[Window],
    clock: Clock,
    *,
    everybody: bool,
) -> Iterator[Computed]:
    """In the order of the table's index, unit by unit: scattered over it, millions of entries would be read again."""
    segments: dict[frozenset[Reading | StockReading], Mapping[Span, Collection[str]]] = {}
    told: list[tuple[Metric, Mapping[Span, Collection[str]], Callable[[CellKey], Outcome]]] = []
    for metric, needed in needs.items():
        readings = frozenset(need.reading for need in needed.values())
        if readings not in segments:
            segments[readings] = _segments(facts, needed, split, all_windows)
        told.append((metric, segments[readings], facts.outcomes(metric, needed, clock)))
    spans = {span for of_spans in segments.values() for span in of_spans}
    for span in sorted(spans, key=lambda each: (each.unit_id or 0, each.window)):
        unit_id, window = span
        for metric, of_spans, outcome_of in told:
            values = of_spans.get(span, ())
            unmatched = facts.unmatched(metric, needs[metric], window) if everybody else None
            if len(values) > MOST_SEGMENT_VALUES:
                yield Computed(metric, unit_id, window, TOO_MANY_VALUES, unmatched, Outcome(None))
                continue
            for value in values:
                outcome = outcome_of(CellKey(unit_id, window, (value,) if split else ()))
                if metric.entered(outcome, split) or (not split and not outcome.empty):
                    yield Computed(metric, unit_id, window, value, unmatched, outcome)


def _segments(
    facts: Facts, needs: Mapping[Measure, Need], split: tuple[Dimension, ...], all_windows: Sequence[Window]
) -> Mapping[Span, Collection[str]]:
    """The segment values for which there may be figures; "" alone where nothing is split."""
    found: dict[Span, set[str]] = defaultdict(set)
    for unit_id, window, segment in facts.found(needs, split):
        found[Span(unit_id, window)].add(segment[0] if split else "")
    for span in () if split else _stock_spans(facts, needs.values(), all_windows):
        found[span].add("")
    return found


def _stock_spans(facts: Facts, needs: Iterable[Need], all_windows: Sequence[Window]) -> Iterator[Span]:
    """A stock has figures in windows without facts."""
    for need in needs:
        if isinstance(need.reading, StockReading):
            for unit_id in {unit_id for unit_id, _ in facts.stocked[need.reading]}:
                for window in all_windows:
                    yield Span(unit_id, window)


def _delete(partitions: Iterable[tuple[Period, Edges]], placement: Placement, only: Collection[Metric]) -> None:
    spans = [(period.value, window) for period, edges in partitions for window in windows_of(edges)]
    units = "unit_id IS NULL" if placement == ANYBODY else "unit_id = ANY(%(units)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM insights_metriccell AS cell
            USING unnest(%(periods)s::text[], %(starts)s::date[], %(ends)s::date[]) AS span (period, starts, ends)
            WHERE cell.start = span.starts AND cell."end" = span.ends AND cell.period = span.period
              AND cell.metric = ANY(%(metrics)s) AND cell.{units}
            """,  # noqa: S608 — one of two texts above
            {
                "periods": [period for period, _ in spans],
                "starts": [window.start for _, window in spans],
                "ends": [window.end for _, window in spans],
                "metrics": [metric.key for metric in only],
                "units": list(placement.ids),
            },
        )
