"""Chooses the source of a fact query's rows: current partitions as Parquet, PostgreSQL for all other days.

An answer may be allowed to lag.  Then it uses partitions that became stale recently, and the last version of any
partition for which reading PostgreSQL would mean too many rows or take too long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from core import sql
from insights.columns.build import FIRST_DAY
from insights.columns.folder import folder, is_whole
from insights.columns.rows import quoted, types_of
from insights.columns.shape import families_of, shape_of
from insights.query.query import Window
from insights.query.windows import local_today
from integrations.facts.relation import Relation

# Returns a FROM item with these columns of the relation's rows on these days, read live from PostgreSQL; the empty text
# if there are no rows, None if there are more than allowed or they take too long.
LiveRows = Callable[[Relation, Sequence[Window], Collection[str]], str | None]


@dataclass(frozen=True)
class Allowance:
    """The lag that an answer may have behind PostgreSQL.

    Changes less than `lag` ago may be missing.  So may everything not yet copied, if more than `live_rows` of a
    relation would have to be read live, or for longer than `live_seconds`; None: unlimited.
    """

    lag: timedelta = timedelta(0)
    live_rows: int | None = None
    live_seconds: float | None = None


EXACT = Allowance()
PAGE = Allowance(timedelta(seconds=10), 20_000, 2.0)

# One statement.  A cancelled read rolls back to the savepoint, in the same snapshot because nothing was written since.
BEGIN_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SAVEPOINT snapshot"
BACK_TO_SNAPSHOT = "ROLLBACK TO SAVEPOINT snapshot"


@dataclass
class Lag:
    """The lag of an answer: it is as of `as_of` (None: now), and `days_lacking` days of some relation are missing
    because they were never copied.
    """

    as_of: datetime | None = None
    days_lacking: int = 0
    _lacking: set[date] = field(default_factory=set, repr=False, compare=False)

    def goes_back_to(self, as_of: datetime | None) -> None:
        self.as_of = min(filter(None, (self.as_of, as_of)), default=None)

    def lacks(self, days: Sequence[Window]) -> None:
        """Note that these days are missing; days before the first partition and future days do not count."""
        for start, end in days:
            first, until = max(start, FIRST_DAY), min(end, local_today() + timedelta(days=1))
            self._lacking.update(first + timedelta(days=n) for n in range((until - first).days))
        self.days_lacking = len(self._lacking)


@dataclass(frozen=True)
class BuiltDays:
    """Days of a relation whose rows, if any, are in a column file, as of `as_of` (None: now)."""

    days: Window
    file_name: str
    as_of: datetime | None = None


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Makes everything read within the block, from files and from PostgreSQL, come from one snapshot.

    Otherwise a fact that moves between the check for stale partitions and the reading of their rows could count on both
    of its days.  Inside a transaction the caller is responsible.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        sql.execute(BEGIN_SNAPSHOT)
        yield


def source(
    relation: Relation,
    days: Sequence[Window],
    needed: Collection[str],
    live: LiveRows,
    partitions: Partitions,
) -> str:
    """A FROM item with the `needed` columns of the relation's rows on these days, which are in order and disjoint; rows
    of other days may be included.  Notes in `partitions.lag` how far these rows lag.

    `needed` may include any column of the relation; descriptive columns, which the copy lacks, are read from
    PostgreSQL.
    """
    is_copied = shape_of(relation).types.keys() >= set(needed)
    built = partitions.of(relation, days) if is_copied else []
    true = [part.days for part in built]
    missing = _joined(days_between(days, true), true)
    rows = live(relation, missing, needed) if missing else None
    if missing and rows is None:
        built = partitions.last_of(relation, days) if is_copied else []
        partitions.lag.lacks(days_between(days, [part.days for part in built]))
    for part in built:
        partitions.lag.goes_back_to(part.as_of)
    listed = ", ".join(map(_quoted_name, needed)) or "NULL"
    selects = [f"SELECT {listed} FROM {rows}"] if rows else []
    if files := [quoted(str(folder() / part.file_name)) for part in built if part.file_name]:
        selects.append(f"SELECT {listed} FROM read_parquet([{', '.join(files)}])")
    if not selects:
        types = types_of(relation)
        typed = (f"NULL::{types[name]} AS {_quoted_name(name)}" for name in needed)
        selects.append(f"SELECT {', '.join(typed) or 'NULL'} WHERE false")
    return f"({' UNION ALL '.join(selects)})"


def reads_rows(statement: str) -> bool:
    """Whether any relation in a statement has rows: the FROM items of those without rows read nothing."""
    return "read_csv(" in statement or "read_parquet(" in statement


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Partitions:
    """The last versions of all partitions, and which of them are current, in one snapshot.

    `lag` is the lag of an answer read from them.
    """

    def __init__(
        self, built: Mapping[str, Sequence[_Built]], changed: Mapping[str, Sequence[_Changed]], lag: Lag | None = None
    ) -> None:
        self._built = built
        self._changed = changed
        self.lag = lag or Lag()

    @classmethod
    def read(cls, allowance: Allowance = EXACT) -> Partitions:
        """Read all partitions in one query.

        Changes dated in the future (the clock was set back) count as old.
        """
        built: dict[str, list[_Built]] = defaultdict(list)
        changed: dict[str, list[_Changed]] = defaultdict(list)
        for name, start, end, shape, file_name, size, number, built_on, since, is_recent in sql.rows(
            """
            WITH clock AS MATERIALIZED (
                SELECT now, now - make_interval(secs => %(lag)s) AS allowed FROM clock_timestamp() AS clock (now)
            )
            SELECT relation, first_day, end_day, shape, file_name, bytes, rows, built_at::date, stale_since,
                   stale_since IS NULL OR stale_since BETWEEN clock.allowed AND clock.now
            FROM insights_columnpartition
            CROSS JOIN clock
            WHERE built_at <= now()
            UNION ALL
            SELECT family, lower(days), upper(days), NULL, NULL, NULL, NULL, NULL, since, is_recent
            FROM (
                SELECT family, is_recent, unnest(range_agg(daterange(day_from, day_to))) AS days, min(at) AS since
                FROM integrations_factchange
                CROSS JOIN clock
                CROSS JOIN LATERAL (SELECT at BETWEEN clock.allowed AND clock.now AS is_recent) AS change
                GROUP BY family, is_recent
            ) AS changes
            ORDER BY 2
            """,
            {"lag": allowance.lag.total_seconds()},
        ):
            days = Window(start or date.min, end or date.max)
            if shape is None:
                changed[name].append(_Changed(days, since, is_recent))
            else:
                built[name].append(_Built(days, shape, file_name, size, number, built_on, since, is_recent))
        return cls(built, changed)

    def of(self, relation: Relation, days: Sequence[Window]) -> Sequence[BuiltDays]:
        """The days of partitions that overlap these days, are current or stale within the allowance, and have a
        complete file; in order.

        Excludes partitions dated in the future (the clock was set back).
        """
        return self._of(relation, days, longest_ago=False)

    def last_of(self, relation: Relation, days: Sequence[Window]) -> Sequence[BuiltDays]:
        """The same for the last version of every partition, however long it has been stale."""
        return self._of(relation, days, longest_ago=True)

    def rows_of(self, relation: Relation, days: Sequence[Window]) -> float:
        """An estimate of the number of rows on these days: the rows of the last versions, spread evenly over
        the past.
        """
        number = 0.0
        for partition in self._built.get(relation.name, ()):
            start, end = partition.days.start, min(partition.days.end, partition.built_on + timedelta(days=1))
            shared = sum(max(0, (min(end, window.end) - max(start, window.start)).days) for window in days)
            number += partition.rows * shared / max(1, (end - start).days)
        return number

    def _of(self, relation: Relation, days: Sequence[Window], *, longest_ago: bool) -> Sequence[BuiltDays]:
        shape = shape_of(relation)
        changed = [change for family in families_of(relation) for change in self._changed.get(family, ())]
        built_days = []
        for partition in self._built.get(relation.name, ()):
            known = shape.known(partition.days, partition.built_on)
            if partition.shape != shape.hash or not any(_share_a_day(known, window) for window in days):
                continue
            since = [change for change in changed if _share_a_day(change.days, partition.days)]
            is_recent = partition.is_recent and all(change.is_recent for change in since)
            if (is_recent or longest_ago) and (
                not partition.file_name or is_whole(partition.file_name, partition.size)
            ):
                moments = (partition.stale_since, *(change.since for change in since))
                built_days.append(BuiltDays(known, partition.file_name, min(filter(None, moments), default=None)))
        return built_days


class _Built(NamedTuple):
    days: Window
    shape: str
    file_name: str
    size: int
    rows: int
    built_on: date
    stale_since: datetime | None
    is_recent: bool  # not stale, or only within the allowance


class _Changed(NamedTuple):
    days: Window
    since: datetime
    is_recent: bool


def _share_a_day(one: Window, other: Window) -> bool:
    return max(one.start, other.start) < min(one.end, other.end)


def days_between(days: Sequence[Window], built: Sequence[Window]) -> Sequence[Window]:
    """The days of these windows that no built window covers; all windows are in order and disjoint."""
    missing: list[Window] = []
    for window in days:
        start = window.start
        for built_window in built:
            if _share_a_day(built_window, window):
                missing += [Window(start, built_window.start)] if start < built_window.start else []
                start = built_window.end
        missing += [Window(start, window.end)] if start < window.end else []
    return missing


def _joined(missing: Sequence[Window], built: Sequence[Window]) -> Sequence[Window]:
    """Merge windows that have no built window between them, so that a stock's row is read once rather than once per
    window.
    """
    joined: list[Window] = []
    for window in missing:
        if joined and not any(
            _share_a_day(built_window, Window(joined[-1].end, window.start)) for built_window in built
        ):
            joined[-1] = Window(joined[-1].start, window.end)
        else:
            joined.append(window)
    return joined
