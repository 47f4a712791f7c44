"""Where the rows of a question come from: partitions as Parquet where they are true, PostgreSQL for all other days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

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


def source(
    relation: Relation,
    days: Window | None,
    needed: Collection[str],
    live: LiveRows,
    partitions: Partitions | None = None,
) -> str:
    """SQL of a FROM item with the `needed` columns of the relation's rows on these days (None: on any, or none).

    Any of the relation's own columns may be needed; the copy lacks those that only describe.  `partitions` are those
    that are true, where they were read already.
    """
    shape = shape_of(relation)
    if days is None or shape is None or not shape.types.keys() >= set(needed):
        return live(relation, None if days is None else [days], needed)
    built = (partitions or Partitions.read()).of(relation, days)
    files = [part for part in built if part.file_name]
    missing = days_between(days, [part.days for part in built])
    parts = _of_files(relation, needed, files)
    if not (parts or missing):
        typed = (f"NULL::{shape.types[name]} AS {_quoted_name(name)}" for name in needed)
        return f"(SELECT {', '.join(typed) or 'NULL'} WHERE false)"
    if missing:
        parts.append(f"SELECT {_listed(needed)} FROM {live(relation, missing, needed)}")
    return f"({' UNION ALL '.join(parts)})"


def _of_files(relation: Relation, needed: Collection[str], files: Sequence[BuiltDays]) -> list[str]:
    """Rows of files that hold other days than those asked for are compared, all others are not."""
    whole = [part.file_name for part in files if part.days == part.file_days]
    cut = [part for part in files if part.days != part.file_days]
    selects = [f"SELECT {_listed(needed)} FROM {_read_parquet(whole)}"] if whole else []
    selects += [
        f"SELECT {_listed(needed)} FROM {_read_parquet([part.file_name])} WHERE {_quoted_name(relation.day)}"
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


class Partitions:
    """Those of all relations that are true, as of one moment: nothing changed that was not in their rows."""

    def __init__(self, built: Mapping[str, Sequence[_Built]], changed: Mapping[str, Sequence[Window]]) -> None:
        self._built = built
        self._changed = changed

    @classmethod
    def read(cls) -> Partitions:
        """In one query."""
        built: dict[str, list[_Built]] = defaultdict(list)
        changed: dict[str, list[Window]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT relation, first_day, end_day, shape, file_name, bytes, built_at::date
                FROM insights_columnpartition WHERE stale_since IS NULL AND built_at <= now()
                UNION ALL
                SELECT family, lower(days), upper(days), NULL, NULL, NULL, NULL
                FROM (
                    SELECT family, unnest(range_agg(daterange(day_from, day_to))) AS days
                    FROM integrations_factchange GROUP BY family
                ) AS changes
                ORDER BY 2
                """
            )
            for name, start, end, shape, file_name, size, built_on in cursor.fetchall():
                if shape is None:
                    changed[name].append(Window(start or date.min, end or date.max))
                else:
                    built[name].append(_Built(Window(start, end), shape, file_name, size, built_on))
        return cls(built, changed)

    def of(self, relation: Relation, days: Window) -> Sequence[BuiltDays]:
        """In their order, the days in this window of which partitions are true and their files whole.

        A relation that knows the clock has rows for days that came after a partition was built: its partitions are
        true of the days before that one.  A partition that was built in the future, by a clock that was put back, is
        not.
        """
        shape = shape_of(relation)
        if shape is None:
            return []
        changed = [window for family in families_of(relation) for window in self._changed.get(family, ())]
        found = []
        for each in self._built.get(relation.name, ()):
            first, end = each.days
            part = Window(
                max(first, days.start), min(end, days.end, each.built_on) if shape.knows_clock else min(end, days.end)
            )
            is_true = each.shape == shape.hash and not any(
                window.start < end and first < window.end for window in changed
            )
            if part.start < part.end and is_true and (not each.file_name or is_whole(each.file_name, each.size)):
                found.append(BuiltDays(part, each.file_name, each.days))
        return found


class _Built(NamedTuple):
    days: Window
    shape: str
    file_name: str
    size: int
    built_on: date


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
