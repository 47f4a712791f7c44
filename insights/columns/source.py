"""Where the rows of a question come from: partitions as Parquet where they are true, PostgreSQL for all other days."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from insights.columns.folder import folder, is_whole
from insights.columns.rows import quoted
from insights.columns.shape import families_of, shape_of
from insights.metrics.query import Window
from integrations.facts.relation import Relation

# SQL of a FROM item with these columns of the relation's rows on these days (None: on any), read from PostgreSQL now.
LiveRows = Callable[[Relation, Sequence[Window] | None, Collection[str]], str]


@dataclass(frozen=True)
class BuiltDays:
    """Days of which a relation's rows, if there are any, stand in a file of the folder of columns."""

    days: Window
    file_name: str
    file_days: Window


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read in it, from files and from PostgreSQL, is of one moment.

    Without it a fact that moves between the look for stale partitions and the reading of their rows could count on
    both of its days.  Inside a transaction the caller has decided that.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def source(relation: Relation, days: Window | None, needed: Collection[str], live: LiveRows) -> str:
    """SQL of a FROM item with the `needed` columns of the relation's rows on these days (None: on any, or none).

    Any of the relation's own columns may be needed; the copy lacks those that only describe.
    """
    shape = shape_of(relation)
    if days is None or shape is None or not shape.types.keys() >= set(needed):
        return live(relation, None if days is None else [days], needed)
    built = built_days(relation, days)
    files = [part for part in built if part.file_name]
    missing = days_between(days, [part.days for part in built])
    parts = _of_files(relation, needed, files)
    if not (parts or missing):
        typed = (f"NULL::{shape.types[name]} AS {_quoted_name(name)}" for name in needed)
        return f"(SELECT {', '.join(typed) or 'NULL'} WHERE false)"
    if missing:
        parts.append(f"SELECT {_listed(needed)} FROM {live(relation, missing, needed)}")  # noqa: S608  # quoted names
    return f"({' UNION ALL '.join(parts)})"


def _of_files(relation: Relation, needed: Collection[str], files: Sequence[BuiltDays]) -> list[str]:
    """Rows of files that hold other days than those asked for are compared, all others are not."""
    whole = [part.file_name for part in files if part.days == part.file_days]
    cut = [part for part in files if part.days != part.file_days]
    selects = [f"SELECT {_listed(needed)} FROM {_read_parquet(whole)}"] if whole else []  # noqa: S608  # quoted names
    selects += [
        f"SELECT {_listed(needed)} FROM {_read_parquet([part.file_name])} WHERE {_quoted_name(relation.day)}"  # noqa: S608
        f" >= DATE '{part.days.start}' AND {_quoted_name(relation.day)} < DATE '{part.days.end}'"
        for part in cut
    ]
    return selects


def _read_parquet(names: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(quoted(str(folder() / name)) for name in names)}])"


def _listed(names: Collection[str]) -> str:
    return ", ".join(map(_quoted_name, names)) or "NULL"


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def built_days(relation: Relation, days: Window) -> Sequence[BuiltDays]:
    """In their order, the days in this window of which partitions are true and their files whole; one query.

    A relation that knows the clock has rows for days that came after a partition was built: its partitions are true
    of the days before that one.  A partition that was built in the future, by a clock that was put back, is not.
    """
    shape = shape_of(relation)
    if shape is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH changed AS (
                SELECT range_agg(daterange(day_from, day_to)) AS days
                FROM integrations_factchange WHERE family = ANY(%(families)s)
            )
            SELECT first_day, end_day, file_name, bytes,
                   greatest(first_day, %(start)s::date),
                   least(end_day, %(end)s::date, CASE WHEN %(knows_clock)s THEN built_at::date END)
            FROM insights_columnpartition
            WHERE relation = %(relation)s AND first_day < %(end)s AND end_day > %(start)s
              AND shape = %(shape)s AND stale_since IS NULL AND built_at <= now()
              AND NOT daterange(first_day, end_day) && coalesce((SELECT days FROM changed), '{}')
            ORDER BY first_day
            """,
            {
                "families": [family.value for family in families_of(relation)],
                "relation": relation.name,
                "shape": shape.hash,
                "start": days.start,
                "end": days.end,
                "knows_clock": shape.knows_clock,
            },
        )
        rows = cursor.fetchall()
    return [
        BuiltDays(Window(start, end), name, Window(first, after))
        for first, after, name, size, start, end in rows
        if start < end and (not name or is_whole(name, size))
    ]


def days_between(days: Window, built: Sequence[Window]) -> Sequence[Window]:
    """The days of the window that lie in none of these, which are in their order and share no day."""
    missing, start = [], days.start
    for window in built:
        if start < window.start:
            missing.append(Window(start, window.start))
        start = window.end
    if start < days.end:
        missing.append(Window(start, days.end))
    return missing
