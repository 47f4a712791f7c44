"""Where the rows of a question come from: partitions as Parquet where they are true, PostgreSQL for all other days.

An answer may be allowed to lag behind: then it takes partitions that were true a moment ago, and where PostgreSQL would
have to hand out too many rows, the last version that there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from insights.columns.build import FIRST_DAY
from insights.columns.folder import folder, is_whole
from insights.columns.rows import quoted
from insights.columns.shape import families_of, shape_of
from insights.query.query import Window
from insights.query.windows import local_today
from integrations.facts.relation import Relation

# SQL of a FROM item with these columns of the relation's rows on these days, read from PostgreSQL now; None where
# there are more rows than may be read.
LiveRows = Callable[[Relation, Sequence[Window], Collection[str]], str | None]


@dataclass(frozen=True)
class Allowance:
    """How far an answer may lag behind PostgreSQL: by what changed less than `lag` ago, and, where more than
    `live_rows` (None: any number) of a relation would have to be read live, by whatever is not copied yet."""

    lag: timedelta = timedelta(0)
    live_rows: int | None = None


EXACT = Allowance()
PAGE = Allowance(timedelta(seconds=10), 200_000)


@dataclass
class Lag:
    """By what an answer lags: it is as of `as_of` (None: of now), and some relation's rows of `days_lacking` are not
    among its rows at all, because they were never copied."""

    as_of: datetime | None = None
    days_lacking: int = 0
    _lacking: set[date] = field(default_factory=set, repr=False, compare=False)

    def goes_back_to(self, as_of: datetime | None) -> None:
        self.as_of = min(filter(None, (self.as_of, as_of)), default=None)

    def lacks(self, days: Sequence[Window]) -> None:
        """Days before the columns begin, and those to come, are not counted."""
        for start, end in days:
            first, until = max(start, FIRST_DAY), min(end, local_today() + timedelta(days=1))
            self._lacking.update(first + timedelta(days=n) for n in range((until - first).days))
        self.days_lacking = len(self._lacking)


@dataclass(frozen=True)
class BuiltDays:
    """Days of which a relation's rows, if there are any, stand in a file of the folder of columns.

    They are the rows as of `as_of`; None: those of now.
    """

    days: Window
    file_name: str
    as_of: datetime | None = None


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
    days: Sequence[Window],
    needed: Collection[str],
    live: LiveRows,
    partitions: Partitions,
) -> str:
    """SQL of a FROM item with the `needed` columns of the relation's rows on these days, which are in their order and
    share none; there may be rows of other days, too.  What it lags by is noted in that of the partitions.

    Any of the relation's own columns may be needed; the copy lacks those that only describe.
    """
    types = shape_of(relation).types
    is_copied = types.keys() >= set(needed)
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
        typed = (f"NULL::{types.get(name, 'VARCHAR')} AS {_quoted_name(name)}" for name in needed)
        selects.append(f"SELECT {', '.join(typed) or 'NULL'} WHERE false")
    return f"({' UNION ALL '.join(selects)})"


def _quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Partitions:
    """The last versions of all relations' partitions, and which of them are true, as of one moment.

    `lag` says by what an answer lags that was read from them.
    """

    def __init__(
        self, built: Mapping[str, Sequence[_Built]], changed: Mapping[str, Sequence[_Changed]], lag: Lag | None = None
    ) -> None:
        self._built = built
        self._changed = changed
        self.lag = lag or Lag()

    @classmethod
    def read(cls, allowance: Allowance = EXACT) -> Partitions:
        """In one query.

        What changed in the future, by a clock that was put back since, did so an unknown time ago.
        """
        built: dict[str, list[_Built]] = defaultdict(list)
        changed: dict[str, list[_Changed]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH clock AS MATERIALIZED (
                    SELECT now, now - make_interval(secs => %(lag)s) AS allowed FROM clock_timestamp() AS clock (now)
                )
                SELECT relation, first_day, end_day, shape, file_name, bytes, built_at::date, stale_since,
                       stale_since IS NULL OR stale_since BETWEEN clock.allowed AND clock.now
                FROM insights_columnpartition
                CROSS JOIN clock
                WHERE built_at <= now()
                UNION ALL
                SELECT family, lower(days), upper(days), NULL, NULL, NULL, NULL, since, is_recent
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
            )
            for name, start, end, shape, file_name, size, built_on, since, is_recent in cursor.fetchall():
                days = Window(start or date.min, end or date.max)
                if shape is None:
                    changed[name].append(_Changed(days, since, is_recent))
                else:
                    built[name].append(_Built(days, shape, file_name, size, built_on, since, is_recent))
        return cls(built, changed)

    def of(self, relation: Relation, days: Sequence[Window]) -> Sequence[BuiltDays]:
        """In their order, the days of partitions with any of these that are true, or were until as long ago as is
        allowed, and whose files are whole.

        A partition that was built in the future, by a clock that was put back, is not.
        """
        return self._of(relation, days, longest_ago=False)

    def last_of(self, relation: Relation, days: Sequence[Window]) -> Sequence[BuiltDays]:
        """The same of all last versions, however long ago they were true."""
        return self._of(relation, days, longest_ago=True)

    def _of(self, relation: Relation, days: Sequence[Window], *, longest_ago: bool) -> Sequence[BuiltDays]:
        shape = shape_of(relation)
        changed = [change for family in families_of(relation) for change in self._changed.get(family, ())]
        found = []
        for each in self._built.get(relation.name, ()):
            known = shape.known(each.days, each.built_on)
            if each.shape != shape.hash or not any(_share_a_day(known, window) for window in days):
                continue
            since = [change for change in changed if _share_a_day(change.days, each.days)]
            is_recent = each.is_recent and all(change.is_recent for change in since)
            if (is_recent or longest_ago) and (not each.file_name or is_whole(each.file_name, each.size)):
                moments = (each.stale_since, *(change.since for change in since))
                found.append(BuiltDays(known, each.file_name, min(filter(None, moments), default=None)))
        return found


class _Built(NamedTuple):
    days: Window
    shape: str
    file_name: str
    size: int
    built_on: date
    stale_since: datetime | None
    is_recent: bool  # stale for no longer than is allowed, or not at all


class _Changed(NamedTuple):
    days: Window
    since: datetime
    is_recent: bool


def _share_a_day(one: Window, other: Window) -> bool:
    return max(one.start, other.start) < min(one.end, other.end)


def days_between(days: Sequence[Window], built: Sequence[Window]) -> Sequence[Window]:
    """The days of these windows that lie in none that is built; all are in their order and share no day with others."""
    missing: list[Window] = []
    for window in days:
        start = window.start
        for each in built:
            if _share_a_day(each, window):
                missing += [Window(start, each.start)] if start < each.start else []
                start = each.end
        missing += [Window(start, window.end)] if start < window.end else []
    return missing


def _joined(missing: Sequence[Window], built: Sequence[Window]) -> Sequence[Window]:
    """With the days between them, where none of these is built: a stock's row then comes once, and not for each."""
    joined: list[Window] = []
    for window in missing:
        if joined and not any(_share_a_day(each, Window(joined[-1].end, window.start)) for each in built):
            joined[-1] = Window(joined[-1].start, window.end)
        else:
            joined.append(window)
    return joined
