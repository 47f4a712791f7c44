"""What each developer did in a window, of which before and after adoption and the cohorts of use are made.

A developer is a person; what nobody could be matched to, and what agents did for nobody known, is nobody's here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg import sql

from insights import windows
from insights.metrics.comparison import LINE_DIMENSIONS
from insights.metrics.line_counts import per_developer
from insights.metrics.plan import Clock, Need, Plan, plan
from insights.metrics.query import MetricQuery
from insights.metrics.reading import Reading
from insights.metrics.source import parameters, placed_rows_statement
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import IN_SESSION

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

CYCLE_TIME, MERGED = "pr.cycle_time", "pr.merged_per_developer"
DAYS_OF_WEEK = 7
BITS_COUNTED = 4  # bytes before the bits that PostgreSQL sends
SESSIONS = "uint32"  # of a person on a day: the longest window of 10,000 people has 18 million of these


@dataclass(frozen=True, eq=False)
class DeveloperFacts:
    """A place for each person, in order of ids; `pull_days` and `cycles` have one for each merged pull request instead,
    by person in the same order.

    Days of the window are counted from its first, which is 0.  `first_sessions` are the days of the first session ever,
    before or in the window, as of `date.toordinal`, of whoever merged a pull request; 0 where there was none.  `cycles`
    are seconds from open to merge, NaN where that is not known.
    """

    start: date
    end: date  # of the days that have come
    people: Integers
    first_sessions: Integers
    worked: Flags  # by person and day: whether anything was done
    sessions: Integers  # by person and day: how many started
    pulls: Integers
    pull_days: Integers
    cycles: Floats

    @cached_property
    def authors(self) -> Integers:
        """The place of the person of each pull request."""
        import numpy as np

        return np.repeat(np.arange(len(self.people)), self.pulls)

    @cached_property
    def days(self) -> Integers:
        """On which anything was done."""
        days: Integers = self.worked.sum(axis=1)
        return days

    @cached_property
    def weeks(self) -> Integers:
        """In which anything was done, from Monday to Sunday."""
        import numpy as np

        people, days = self.worked.shape
        before = self.start.weekday()
        weeks_touched = -(-(before + days) // DAYS_OF_WEEK)
        whole = np.pad(self.worked, ((0, 0), (before, weeks_touched * DAYS_OF_WEEK - before - days)))
        weeks: Integers = whole.reshape(people, weeks_touched, DAYS_OF_WEEK).any(axis=2).sum(axis=1)
        return weeks

    @cached_property
    def session_days(self) -> Integers:
        days: Integers = (self.sessions > 0).sum(axis=1)
        return days

    @cached_property
    def session_count(self) -> Integers:
        """Of each person."""
        sessions: Integers = self.sessions.sum(axis=1)
        return sessions

    def of(self, wanted: Flags) -> DeveloperFacts:
        """Of some of the people."""
        theirs = wanted[self.authors]
        return replace(
            self,
            people=self.people[wanted],
            first_sessions=self.first_sessions[wanted],
            worked=self.worked[wanted],
            sessions=self.sessions[wanted],
            pulls=self.pulls[wanted],
            pull_days=self.pull_days[theirs],
            cycles=self.cycles[theirs],
        )

    def on(self, days: Flags) -> DeveloperFacts:
        """What was done on these days, by person and day; of whoever did anything then."""
        import numpy as np

        then = days[self.authors, self.pull_days]
        pulls = np.bincount(self.authors[then], minlength=len(self.people))
        narrowed = replace(
            self,
            first_sessions=np.where(pulls > 0, self.first_sessions, 0),
            worked=self.worked & days,
            sessions=np.where(days, self.sessions, 0),
            pulls=pulls,
            pull_days=self.pull_days[then],
            cycles=self.cycles[then],
        )
        return narrowed.of((narrowed.days > 0) | (narrowed.pulls > 0))


def read_developer_facts(query: MetricQuery) -> DeveloperFacts:
    """Of everybody in the query's scope; agents among the facets are not heeded."""
    import numpy as np

    end = min(query.window.end, windows.local_today() + timedelta(days=1))
    active, worked, sessions = _read_activity(people_of(query), (end - query.window.start).days)
    authors, counts, pull_days, cycles = _read_pulls(pulls_of(query))
    people = np.union1d(active, authors)
    return DeveloperFacts(
        start=query.window.start,
        end=end,
        people=people,
        first_sessions=_spread(people, *_first_sessions(authors, end)),
        worked=_spread(people, active, worked),
        sessions=_spread(people, active, sessions),
        pulls=_spread(people, authors, counts),
        pull_days=pull_days,
        cycles=cycles,
    )


def pulls_of(query: MetricQuery) -> Need:
    """How the merged pull requests of which both parts tell are read."""
    each = _planned(query, CYCLE_TIME)
    return each.needs[each.metric.sampled]


def people_of(query: MetricQuery) -> Need:
    """How it is read who was at work, and who in a session, on which day."""
    each = _planned(query, MERGED)
    return each.needs[per_developer(each).denominator]


def _planned(query: MetricQuery, key: str) -> Plan:
    """The query for another metric, whole, whatever agents it names."""
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    return plan(replace(query, key=key, segments=(), facets=facets, statistic=None), Clock.read())


def _read_activity(need: Need, days: int) -> tuple[Integers, Flags, Integers]:
    """People; by person and day whether they did anything, and how many sessions began.

    Days are gathered as bits: to count different ones, PostgreSQL would sort or hash every single thing that was done.
    """
    import numpy as np

    reading = need.of_facts.of_whole()
    statement = _ACTIVITY.format(
        people=placed_rows_statement(reading, [need.measure], [sql.SQL("source.day AS day")]),
        in_session=sql.Literal(IN_SESSION),
        days=sql.Literal(days),
    )
    rows = _fetch(statement, reading, days=days)
    people, worked, in_session = zip(*rows, strict=True) if rows else ((), (), ())
    sessions = np.zeros((len(rows), days), dtype=SESSIONS)
    for place, began in enumerate(in_session):
        sessions[place] = np.bincount(np.frombuffer(began or b"", ">i4"), minlength=days)
    return _integers(people), flags_of(b"".join(each[BITS_COUNTED:] for each in worked), days), sessions


def flags_of(bits: bytes, days: int) -> Flags:
    """By person and day; each person's days begin with a byte."""
    import numpy as np

    packed = np.frombuffer(bits, dtype=np.uint8).reshape(-1, (days + 7) // 8)
    return np.unpackbits(packed, axis=1, count=days).astype(bool)


def _read_pulls(need: Need) -> tuple[Integers, Integers, Integers, Floats]:
    """Authors and how many pull requests they merged; on which days, and their cycle times."""
    import numpy as np

    reading = need.of_facts.of_whole()
    pulls = placed_rows_statement(reading, [need.measure], [sql.SQL("source.day AS day")])
    rows = _fetch(_PULLS.format(pulls=pulls), reading)
    people, counts, days, cycles = zip(*rows, strict=True) if rows else ((), (), (), ())
    return (
        _integers(people),
        _integers(counts),
        np.frombuffer(b"".join(days), ">i4").astype(np.int64),
        np.frombuffer(b"".join(cycles), ">f8").astype(np.float64),
    )


def _first_sessions(people: Integers, end: date) -> tuple[Integers, Integers]:
    """Those of these people who ever had a session, and the day of the first one."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT person_id, min(day) - '0001-01-01'::date + 1 FROM ({}) AS s"
                " WHERE day < %(end)s AND person_id = ANY(%(people)s) GROUP BY person_id ORDER BY person_id"
            ).format(sql.SQL(AGENT_SESSIONS.sql)),
            {"end": end, "people": people.tolist()},
        )
        rows = cursor.fetchall()
    return _integers([person for person, _ in rows]), _integers([day for _, day in rows])


def _spread(people: Integers, some: Integers, told: Any) -> Any:
    """What is told of some people, at their places among all of them; nothing of the others."""
    import numpy as np

    spread = np.zeros((len(people), *told.shape[1:]), dtype=told.dtype)
    spread[np.searchsorted(people, some)] = told
    return spread


def _integers(values: Sequence[int]) -> Integers:
    import numpy as np

    return np.array(values, dtype=np.int64)


def _fetch(statement: sql.Composed, reading: Reading, **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters(reading), **more})
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


_ACTIVITY = sql.SQL(
    """
    SELECT person_id, bit_send(bit_or(set_bit('0'::bit({days}), day - %(start)s::date, 1))),
           string_agg(int4send(day - %(start)s::date), ''::bytea) FILTER (WHERE c_0 & {in_session} <> 0)
    FROM ({people}) AS p
    WHERE person_id > 0 AND day < %(start)s::date + %(days)s
    GROUP BY person_id
    ORDER BY person_id
    """
)

# As bytes: lists of numbers would be written as text and read again.  Both lists of a person are in the same order.
_PULLS = sql.SQL(
    """
    SELECT person_id, count(*), string_agg(int4send(day - %(start)s::date), ''::bytea),
           string_agg(float8send(coalesce(c_0::float8, 'NaN')), ''::bytea)
    FROM ({pulls}) AS p WHERE person_id > 0
    GROUP BY person_id
    ORDER BY person_id
    """
)
