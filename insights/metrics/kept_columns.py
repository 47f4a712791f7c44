"""Rows of relations that are kept by week, a column of numbers each: docs/decisions/0039.

A filter picks among a week's rows in a few milliseconds where the database takes as long for every thousand of them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from django.db import connection
from psycopg import sql

from insights import windows
from insights.formulas.positions import Numbers
from insights.metrics.query import Dimension, Granularity, Window
from insights.metrics.reading import ANYBODY, Reading
from insights.metrics.source import dimension_expression, model_picks_among
from insights.short_memory import ShortMemory
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from insights.formulas.arrays import Flags

WEEK = timedelta(days=7)
WEEKS_AT_ONCE = 13  # of which what a statement answers is in memory twice
MOST_GAPS = 6  # between kept weeks, each read by a statement of its own; with more all days are read
WORTH_KEEPING_SECONDS = 0.1
MOST_SESSIONS = 4_000_000  # of models that were filtered by, a few bytes each
FACT, DAY = "fact_id", "day_offset"  # columns by which rows of a week are picked
KINDS = ("i1", "i2", "i4", "f4")  # the narrow kinds, of which a column takes the first that holds its numbers


class Columns(Protocol):
    """Arrays with an entry for each of the same rows."""

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...


class ThoseThatPass:
    """Columns of the rows that pass a filter."""

    def __init__(self, columns: Columns, passes: Flags) -> None:
        import numpy as np

        self._columns = columns
        self._places = np.flatnonzero(passes)  # for many columns looked up once: flags take ten times as long

    def __getitem__(self, name: str, /) -> NDArray[Any]:
        return self._columns[name][self._places]


# A page asks several relations for the same sessions; a statement finds them among millions.
_sessions = ShortMemory[Numbers](len, most=MOST_SESSIONS)


@dataclass(frozen=True)
class KeptRows:
    """Of a reading's rows those that are kept, by the first day of their week, and the stretches of the others.

    What a statement reads of these has to pass `of_gap`: facts that were picked already are not picked anew there.
    """

    weeks: Mapping[date, Columns]
    gaps: Sequence[Reading]
    of_gap: Callable[[Columns], Columns]


def is_keepable(relation: Relation) -> bool:
    """Whether its rows of days that are over stay what they are until facts change."""
    return relation.stock is None and "now()" not in relation.sql


def column_name(relation: Relation, told: str, expression: sql.Composable) -> str:
    """Another one for whatever is computed in another way."""
    text = repr((relation.sql, relation.day, expression.as_string(None)))
    return f"{told} {hashlib.sha256(text.encode()).hexdigest()[:20]}"


def segment_column(relation: Relation, dimension: Dimension) -> str:
    """The name of the column with the hashes of a dimension's values."""
    return column_name(relation, dimension.value, dimension_expression(dimension))


def week_of(day: date) -> date:
    """The Monday of its week."""
    return windows.whole_bucket(day, Granularity.WEEK).start


def kept_rows(reading: Reading, names: Mapping[str, str]) -> KeptRows:
    """The rows in weeks of which all of these columns are kept; `names` says by what they are asked for how each is.

    A fact is a number among these.
    """
    hull, nothing = reading.hull, KeptRows({}, [reading], lambda columns: columns)
    if reading.placement != ANYBODY or not is_keepable(reading.relation):
        return nothing
    picks = _Picks(reading)
    wanted = {**names, **{each.value: segment_column(reading.relation, each) for each, _ in picks.by_value}}
    weeks = _weeks(reading.relation, hull, set(wanted.values()))
    gaps = _gaps(hull, weeks)
    if not weeks or len(gaps) > MOST_GAPS:
        return nothing
    found = {
        start: picks.of_week({asked: columns[name] for asked, name in wanted.items()}, start)
        for start, columns in sorted(weeks.items())
    }
    facets = picks.by_value if picks.by_facts else reading.facets
    return KeptRows(
        found, [replace(reading, facets=facets, partitions=((gap.start, gap.end),)) for gap in gaps], picks.by_fact
    )


def narrowed(numbers: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in as few bytes as hold them, and one of them alone where all are the same."""
    import numpy as np

    if not len(numbers):
        return numbers.astype("i1")
    if np.array_equal(numbers, np.broadcast_to(numbers[:1], numbers.shape), equal_nan=numbers.dtype.kind == "f"):
        numbers = numbers[:1]
    for kind in KINDS:
        if kind[0] == "i" and not (np.isfinite(numbers).all() and np.abs(numbers).max() <= np.iinfo(kind).max):
            continue
        if kind[0] == "f" and numbers.dtype.kind != "f":
            continue
        with np.errstate(over="ignore"):
            narrow = numbers.astype(kind)
        if np.array_equal(narrow.astype(numbers.dtype), numbers, equal_nan=numbers.dtype.kind == "f"):
            return narrow
    return numbers.astype(numbers.dtype.newbyteorder("<"))


def widened(content: bytes, kind: str, rows: int) -> NDArray[Any]:
    import numpy as np

    numbers = np.frombuffer(content, dtype=np.dtype(kind).newbyteorder("<"))
    return numbers if len(numbers) == rows else np.broadcast_to(numbers, (rows,))


def _weeks(relation: Relation, hull: Window, names: Collection[str]) -> Mapping[date, Mapping[str, NDArray[Any]]]:
    """Of weeks that have all of these columns."""
    found: dict[date, dict[str, NDArray[Any]]] = defaultdict(dict)
    with connection.cursor(), connection.wrap_database_errors:
        # Django's cursors read texts: numbers would come as twice as many digits.
        cursor = psycopg.Cursor(connection.connection)
        start = week_of(hull.start)
        while start < hull.end:
            end = min(start + WEEKS_AT_ONCE * WEEK, hull.end)
            # All columns of a week by one statement, so that they are of the same rows.
            cursor.execute(
                """
                SELECT start, name, rows, kind, content
                FROM insights_keptcolumn
                WHERE relation = %s AND start >= %s AND start < %s AND name = ANY(%s)
                """,
                [relation.name, start, end, list(names)],
                binary=True,
            )
            for week, name, rows, kind, content in cursor:
                found[week][name] = widened(content, kind, rows)
            start = end
    return {week: columns for week, columns in found.items() if len(columns) == len(names)}


def _gaps(hull: Window, weeks: Collection[date]) -> Sequence[Window]:
    """The stretches of days in none of these weeks."""
    gaps: list[Window] = []
    start = hull.start
    for week in sorted(weeks):
        if start < week:
            gaps.append(Window(start, week))
        start = max(start, week + WEEK)
    return [*gaps, Window(start, hull.end)] if start < hull.end else gaps


class _Picks:
    """Which rows a reading's filters pass, as the statement of its rows does (source.py)."""

    def __init__(self, reading: Reading) -> None:
        facets = dict(reading.facets)
        self._hull = reading.hull
        self.by_facts = facets.pop(Dimension.MODEL, None) if reading.model_picks_facts else None
        self.by_value = tuple(facets.items())

    def of_week(self, columns: Columns, start: date) -> Columns:
        import numpy as np

        passes = [np.isin(columns[dimension.value], self._hashes[dimension]) for dimension, _ in self.by_value]
        if start < self._hull.start or start + WEEK > self._hull.end:
            first, after = (self._hull.start - start).days, (self._hull.end - start).days
            passes.append((columns[DAY] >= first) & (columns[DAY] < after))
        return self.by_fact(ThoseThatPass(columns, np.logical_and.reduce(passes)) if passes else columns)

    def by_fact(self, columns: Columns) -> Columns:
        """Those of the facts that a filter picks, where one does."""
        return columns if self._facts is None else ThoseThatPass(columns, self._facts.hold(columns[FACT]))

    @cached_property
    def _hashes(self) -> Mapping[Dimension, Sequence[int]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT array_agg(hashtextextended(value, 0) ORDER BY position)"
                " FROM unnest(%s::text[]) WITH ORDINALITY AS v (value, position)",
                [[value for _, values in self.by_value for value in values]],
            )
            hashes = iter(cursor.fetchone()[0] or [])
        return {dimension: [next(hashes) for _ in values] for dimension, values in self.by_value}

    @cached_property
    def _facts(self) -> Numbers | None:
        if self.by_facts is None:
            return None
        models = self.by_facts
        return _sessions.find(models, lambda: _sessions_of(models), worth_keeping_seconds=WORTH_KEEPING_SECONDS)


def _sessions_of(models: Sequence[str]) -> Numbers:
    """The sessions that used one of these models."""
    import numpy as np

    statement = sql.SQL("SELECT array_send(array_agg(session_id)) FROM ({}) AS picked")
    with connection.cursor(), connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(statement.format(model_picks_among(sql.Literal(list(models)))), binary=True)
        found = cursor.fetchone()
    if not found or found[0] is None:
        return Numbers(np.zeros(0, dtype=np.int64))
    entries = np.dtype([("length", ">i4"), ("fact", ">i8")])
    return Numbers(np.frombuffer(found[0], dtype=entries, offset=_ARRAY_HEADER_LENGTH)["fact"].astype(np.int64))


_ARRAY_HEADER_LENGTH = 20  # of an array of one dimension, as PostgreSQL sends it: five numbers of 32 bits
