"""Keeping rows of relations as columns, week by week, for questions with filters (insights/metrics/kept_columns.py).

A week is forgotten in the transaction that takes a change of its facts out of the outbox, and kept anew after that by
the one process that computes cells: nothing is kept that a change, taken before, had made wrong.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from operator import itemgetter

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from insights.engine.dimensions import has_dimension
from insights.metrics.cells_in_memory import is_computable
from insights.metrics.kept_columns import WEEK, is_keepable, narrowed, week_of
from insights.metrics.measures import Measure
from insights.metrics.plan import Clock
from insights.metrics.query import Dimension, Window
from insights.metrics.reading import Reading
from insights.metrics.registry import metrics
from insights.metrics.row_arrays import columns_read, row_arrays
from insights.metrics.table_sizes import MANY_ROWS, most_rows
from insights.models import KeptColumn, SnapshotState
from insights.snapshots.groups import families_of
from insights.snapshots.kept import lagging_windows
from integrations.facts.changes import Change
from integrations.facts.relation import Relation

OVER_AFTER = timedelta(days=4)  # facts of the days before go on coming, and sessions settle for three
LONGEST_SECONDS = 1.0  # facts that come meanwhile wait for their cells
SHARE_OF_TIME = 0.1
SHORTEST_PAUSE = timedelta(seconds=10)


def forget_columns_of(changes: Sequence[Change]) -> None:
    """In the transaction that takes these changes: what is kept of their weeks is not true any more."""
    changed: dict[str, list[Change]] = defaultdict(list)
    for each in changes:
        changed[each.family].append(each)
    for family, of_family in changed.items():
        relations = asked_of_relations().items()
        names = [name for name, asked in relations if family in families_of(asked.relation)]
        if names:
            _forget(names, of_family)


def _forget(relations: Sequence[str], changes: Sequence[Change]) -> None:
    starts, ends = [each.day_from for each in changes], [each.day_to for each in changes]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM insights_keptcolumn kept
            USING (SELECT range_agg(daterange(starts, ends)) AS days
                   FROM unnest(%s::date[], %s::date[]) AS c (starts, ends)) AS changed
            WHERE kept.relation = ANY(%s) AND kept.start > %s AND kept.start < %s
              AND daterange(kept.start, kept.start + 7) && changed.days
            """,
            [starts, ends, list(relations), min(starts) - WEEK, max(ends)],
        )


def forget_all_columns() -> None:
    """Before everything is computed anew."""
    KeptColumn.objects.all().delete()
    SnapshotState.note(columns_due_at=None)


def keep_columns(clock: Clock, *, however_long: bool = False) -> int:
    """Keep weeks that are over and not kept, the latest first, as long as that may take; how many were kept.

    What is kept are columns of the relations with many rows, for the weeks of the pages' windows and of those that
    these are compared with.
    """
    due_at = SnapshotState.current().columns_due_at
    if due_at is not None and due_at > clock.now and not however_long:
        return 0
    began, kept = time.monotonic(), 0
    weeks = weeks_to_keep(clock.today)
    KeptColumn.objects.filter(start__lt=min(weeks)).delete()
    for week, asked in _not_kept(weeks):
        _keep(asked, week, clock)
        kept += 1
        if not however_long and time.monotonic() - began > LONGEST_SECONDS:
            break
    pause = max(SHORTEST_PAUSE, timedelta(seconds=(time.monotonic() - began) / SHARE_OF_TIME))
    SnapshotState.note(columns_due_at=timezone.now() + pause)
    return kept


@dataclass(frozen=True)
class AskedOf:
    """What any page may ask of the rows of a relation."""

    relation: Relation
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]

    def reading(self, days: Window, clock: Clock) -> Reading:
        """All of the rows on these days."""
        edges = (days.start, days.end)
        return Reading(self.relation, (edges,), segments=self.dimensions, settled_before=clock.settled_before)


@cache
def asked_of_relations() -> Mapping[str, AskedOf]:
    """By name, of those whose rows may be kept; of measures that tell the same of a row there is one."""
    measures: dict[Relation, dict[Measure, None]] = defaultdict(dict)
    dimensions: dict[Relation, dict[Dimension, None]] = defaultdict(dict)
    for metric in metrics():
        for measure in _and_instead(metric.measures):
            if is_computable(measure) and is_keepable(measure.relation):
                asked = (*metric.facets, *metric.segments)
                measures[measure.relation][measure] = None
                dimensions[measure.relation] |= dict.fromkeys(each for each in asked if has_dimension(measure, each))
    return {
        relation.name: AskedOf(relation, tuple(dimensions[relation]), tuple(told))
        for relation, told in measures.items()
    }


def _and_instead(measures: Iterable[Measure]) -> Iterator[Measure]:
    for measure in measures:
        yield measure
        yield from _and_instead(finer for _, finer in measure.instead)


def weeks_to_keep(today: date) -> Sequence[date]:
    """Their Mondays, the latest first."""
    first = week_of(min(window.start for window in lagging_windows(today)))
    after = week_of(today - OVER_AFTER)
    return [after - number * WEEK for number in range(1, (after - first) // WEEK + 1)]


def _not_kept(weeks: Sequence[date]) -> Sequence[tuple[date, AskedOf]]:
    """The latest first."""
    missing = []
    for asked in asked_of_relations().values():
        if most_rows(asked.relation) >= MANY_ROWS:
            kept = _kept_weeks(asked)
            missing += [(week, asked) for week in weeks if week not in kept]
    return sorted(missing, key=itemgetter(0), reverse=True)


def _kept_weeks(asked: AskedOf) -> Collection[date]:
    columns = columns_read(asked.reading(Window(date.min, date.min + WEEK), Clock.read()), asked.measures)
    names = {column.kept_as for column in columns}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT start FROM insights_keptcolumn WHERE relation = %s AND name = ANY(%s)
            GROUP BY start HAVING count(*) = %s
            """,
            [asked.relation.name, list(names), len(names)],
        )
        return {start for (start,) in cursor.fetchall()}


def _keep(asked: AskedOf, start: date, clock: Clock) -> None:
    reading = asked.reading(Window(start, start + WEEK), clock)
    columns = {column.kept_as: column for column in columns_read(reading, asked.measures)}
    with transaction.atomic(), row_arrays(reading, asked.measures) as rows:
        KeptColumn.objects.filter(relation=asked.relation.name, start=start).delete()
        numbers = [(name, narrowed(rows.read(column))) for name, column in columns.items()]
        with connection.cursor(), connection.wrap_database_errors:
            # Django's cursors send texts: numbers would be twice as many digits.
            psycopg.Cursor(connection.connection).executemany(
                """
                INSERT INTO insights_keptcolumn (relation, start, name, rows, kind, content)
                VALUES (%s, %s, %s, %s, %s, %b)
                """,
                [
                    (asked.relation.name, start, name, len(rows), narrow.dtype.str.lstrip("<|"), narrow.tobytes())
                    for name, narrow in numbers
                ],
            )
