"""Computing cells from facts and storing them; the statements are those that answer ad-hoc queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection
from psycopg.types.json import Jsonb

from insights.metrics.declarations import Metric, Outcome
from insights.metrics.outcomes import Facts
from insights.metrics.plan import Clock, Need, needs_of
from insights.metrics.query import Dimension, Statistic, Window
from insights.metrics.reading import ANYBODY, CellKey, Edges, Placed, Placement, StockReading, windows_of
from insights.metrics.registry import metrics
from insights.models import Period
from insights.snapshots.kept import KEPT_SEGMENTS, MOST_SEGMENT_VALUES, kept_segments
from integrations.models import FactFamily

Partitions = Sequence[tuple[Period, Edges]]

# Stands in for all values of a segment that has too many in a span: readers go to the facts.
TOO_MANY_VALUES = ""

COLUMNS = (
    *("metric", "version", "unit_id", "period", "start", "end", "segment_name", "segment_value"),
    *("value", "numerator", "denominator", "sample_size", "people", "missing", "unmatched"),
    *("mean", "median", "p75", "p90", "p95", "low", "mix", "computed_at"),
)


class Span(NamedTuple):
    """A unit (None: the whole organisation) and a window."""

    unit_id: int | None
    window: Window


def metrics_of(family: FactFamily) -> tuple[Metric, ...]:
    """The metrics that facts of the family enter."""
    return tuple(metric for metric in metrics() if family in metric.families)


def recompute(partitions: Partitions, placement: Placement, clock: Clock, only: Collection[Metric]) -> int:
    """Compute the cells of these metrics in these windows anew, in the caller's transaction; how many there are."""
    distinct = dict.fromkeys(partitions)
    _delete(distinct, placement, only)
    periods: dict[Window, list[Period]] = defaultdict(list)
    for period, edges in distinct:
        for window in windows_of(edges):
            periods[window].append(period)
    written = 0
    splits: Iterable[tuple[Dimension, ...]] = ((), *((dimension,) for dimension in KEPT_SEGMENTS))
    with connection.cursor() as cursor:
        for split in splits:
            wanted = [metric for metric in only if split in kept_segments(metric)]
            if not wanted:
                continue
            edges_of_all = tuple(dict.fromkeys(edges for _, edges in distinct))
            rows = list(_rows(wanted, split, edges_of_all, placement, clock))
            names = ", ".join(f'"{name}"' for name in COLUMNS)
            with cursor.copy(f"COPY insights_metriccell ({names}) FROM STDIN") as copy:
                for row in rows:
                    for period in periods[row["window"]]:
                        copy.write_row([row.get(name, period.value) for name in COLUMNS])
                        written += 1
    return written


def _rows(
    wanted: Sequence[Metric],
    split: tuple[Dimension, ...],
    partitions: tuple[Edges, ...],
    placement: Placement,
    clock: Clock,
) -> Iterator[Mapping[str, Any]]:
    """The rows of the table but for their period."""
    needs = {metric: needs_of(metric, partitions, placement, clock, segments=split) for metric in wanted}
    facts = Facts.read(need for each in needs.values() for need in each.values())
    everybody = placement.placed is Placed.ANYBODY
    all_windows = [window for edges in partitions for window in windows_of(edges)]
    for metric, needed in needs.items():
        segments: dict[Span, set[str]] = defaultdict(set)
        for key in facts.found(needed, split):
            segments[Span(key.unit_id, key.window)].add(key.segment[0] if split else "")
        for span in () if split else _stock_spans(facts, needed.values(), all_windows):
            segments[span].add("")
        for span, values in segments.items():
            unmatched = facts.unmatched(metric, needed, span.window) if everybody else None
            common = _common(metric, span, split, clock) | {"unmatched": unmatched}
            if len(values) > MOST_SEGMENT_VALUES:
                yield common | _figures(Outcome(None)) | {"segment_value": TOO_MANY_VALUES}
                continue
            for value in values:
                key = CellKey(span.unit_id, span.window, (value,) if split else ())
                outcome = facts.outcome(metric, needed, key, clock)
                if metric.entered(outcome, split) or (not split and not outcome.empty):
                    yield common | _figures(outcome) | {"segment_value": value}


def _stock_spans(facts: Facts, needs: Iterable[Need], all_windows: Sequence[Window]) -> Iterator[Span]:
    """A stock has figures in windows without facts."""
    for need in needs:
        if isinstance(need.reading, StockReading):
            for unit_id in {unit_id for unit_id, _ in facts.stocked[need.reading]}:
                for window in all_windows:
                    yield Span(unit_id, window)


def _common(metric: Metric, span: Span, split: tuple[Dimension, ...], clock: Clock) -> dict[str, Any]:
    return {
        "window": span.window,
        "metric": metric.key,
        "version": metric.version,
        "unit_id": span.unit_id,
        "start": span.window.start,
        "end": span.window.end,
        "segment_name": split[0].value if split else "",
        "computed_at": clock.now,
    }


def _figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "value": outcome.value,
        "numerator": outcome.numerator,
        "denominator": outcome.denominator,
        "sample_size": outcome.sample_size,
        "people": outcome.people,
        "missing": outcome.missing,
        "low": outcome.low,
        "mix": Jsonb(dict(outcome.mix)),
        **{statistic.value: outcome.statistics.get(statistic) for statistic in Statistic},
    }


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
