"""The pull requests, sessions and days at work of developers, in the order in which these stand.

How many rows each developer has is known, so that of a page no others than its own are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg import sql

from insights.metrics.adoption_developers import COHORT_NAMES, DID_NOT, GROUP_NAMES, TOOK_UP, Developers
from insights.metrics.adoption_effect import Courses
from insights.metrics.developer_facts import DeveloperFacts, people_of, pulls_of
from insights.metrics.reading import ANYBODY, Reading
from insights.metrics.rows import DAY, DESCRIPTIONS, PERSON, ColumnKind, RowColumn, Rows
from insights.metrics.source import parameters, placed_rows_statement
from insights.metrics.usage_cohorts import COHORTS, cohort_places
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import AT_WORK, IN_SESSION

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags

ANY_ROW, NOT_GROUPED = sql.SQL("true"), sql.SQL("")

GROUP = RowColumn("group", "Group", "Who took up an agent in the window, and who never used one.", ColumnKind.WORD)
COHORT = RowColumn("group", "Use", "By days with a session in a week at work.", ColumnKind.WORD)
SIDE = RowColumn("side", "When", "Before the developer's border, or after it.", ColumnKind.WORD)
FACT = RowColumn("fact_id", "Pull request", "Headway's number of the pull request.", ColumnKind.FACT)
SESSION = RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT)
AGENT = RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD)
CYCLE = RowColumn("contribution", "Contribution", "From open to merge, in seconds.", ColumnKind.DURATION)
# By its reference and title a pull request of another can be looked up: told as the policy allows.
REFERENCE, TITLE = (replace(DESCRIPTIONS[name], kind=ColumnKind.PLACE) for name in ("reference", "title"))


def number(name: str, label: str, meaning: str) -> RowColumn:
    return RowColumn(name, label, meaning, ColumnKind.NUMBER)


def pull_request_rows(developers: Developers, first: int, size: int) -> Rows:
    """By developer, in the order of their rows, the newest first.  Only those on this page are read."""
    courses = developers.courses
    counts = (developers.uses.pulls if courses is None else courses.before + courses.after).tolist()
    among, skipped = _on_page(developers.people, counts, first, size)
    need = pulls_of(developers.query)
    told = sql.SQL("source.day AS day, source.reference AS reference, source.title AS title")
    # A cohort counts those of unknown cycle time, too.
    known = ANY_ROW if courses is None else sql.SQL("c_0 IS NOT NULL")
    columns = "person_id, fact_id, day, reference, title, c_0::float8 AS contribution"
    rows = _listed(
        need.of_facts.of_whole(),
        among,
        (skipped, size),
        rows=lambda reading: placed_rows_statement(reading, [need.measure], [told]),
        shape=sql.SQL("SELECT {}, array_position(%(order)s::bigint[], person_id) AS place").format(sql.SQL(columns)),
        condition=known,
    )
    total = sum(counts)
    if courses is None:
        of_people = developers.uses.of(_are(developers.uses, among))
        cohorts = dict(zip(of_people.people.tolist(), cohort_places(of_people).tolist(), strict=True))
        named = [{**row, "group": COHORT_NAMES[COHORTS[cohorts[row["person_id"]]]]} for row in rows]
        return (FACT, PERSON, COHORT, DAY, REFERENCE, TITLE, CYCLE), named, total
    whose = courses.of(_are(courses, among))
    columns_of_whose = (whose.people, whose.took_up, whose.borders)
    told_of = {person: told for person, *told in zip(*(each.tolist() for each in columns_of_whose), strict=True)}
    sided = [{**row, **_side(row["day"], *told_of[row["person_id"]])} for row in rows]
    return (FACT, PERSON, GROUP, SIDE, DAY, REFERENCE, TITLE, CYCLE), sided, total


def _side(day: date, took_up: bool, border: int) -> Mapping[str, str]:
    return {
        "group": GROUP_NAMES[TOOK_UP if took_up else DID_NOT],
        "side": "Before" if day.toordinal() < border else "After",
    }


def _are(developers: DeveloperFacts | Courses, people: Sequence[int]) -> Flags:
    import numpy as np

    return np.isin(developers.people, np.array(people, dtype=np.int64))


def session_rows(developers: Developers, first: int, size: int) -> Rows:
    """Of a cohort all; of whoever took up an agent those of the first day ever, whatever unit it was in."""
    reading = replace(people_of(developers.query).of_facts.of_whole(), relation=AGENT_SESSIONS, facets=())
    people, sessions = developers.people, _sessions
    if developers.courses is None:
        counts = developers.uses.session_count.tolist()
    else:
        reading, sessions = replace(reading, placement=ANYBODY), _first_sessions
        by_person = _counted(reading, people)
        counts = [by_person.get(person, 0) for person in people]
    among, skipped = _on_page(people, counts, first, size)
    rows = _listed(
        reading,
        among,
        (skipped, size),
        rows=sessions,
        shape=sql.SQL("SELECT person_id, fact_id, day, agent, array_position(%(order)s::bigint[], person_id) AS place"),
    )
    return (SESSION, PERSON, DAY, AGENT), rows, sum(counts)


def day_rows(developers: Developers, first: int, size: int) -> Rows:
    counts = developers.uses.days.tolist()
    among, skipped = _on_page(developers.people, counts, first, size)
    need = people_of(developers.query)
    shape = sql.SQL(
        """
        SELECT person_id, day, date_trunc('week', day)::date AS week,
               count(*) FILTER (WHERE c_0 & {at_work} <> 0) AS works,
               count(*) FILTER (WHERE c_0 & {in_session} <> 0) AS sessions,
               day AS fact_id, array_position(%(order)s::bigint[], person_id) AS place
        """
    ).format(at_work=sql.Literal(AT_WORK), in_session=sql.Literal(IN_SESSION))
    rows = _listed(
        need.of_facts.of_whole(),
        among,
        (skipped, size),
        rows=lambda reading: placed_rows_statement(reading, [need.measure], [sql.SQL("source.day AS day")]),
        shape=shape,
        grouped=sql.SQL("GROUP BY person_id, day"),
    )
    columns = (
        *(PERSON, DAY),
        RowColumn("week", "Week from", "The Monday of its week.", ColumnKind.DAY),
        number("works", "Work", "Commits, pull requests opened and merged, reviews given and items done."),
        number("sessions", "Sessions", "Agent sessions that started on the day."),
    )
    return columns, rows, sum(counts)


def _on_page(people: Sequence[int], counts: Sequence[int], first: int, size: int) -> tuple[list[int], int]:
    """The people whose rows a page holds, and how many of the first one's rows stand on pages before."""
    among: list[int] = []
    skipped, at = 0, 0
    for person, count in zip(people, counts, strict=True):
        if count and at + count > first and at < first + size:
            if not among:
                skipped = first - at
            among.append(person)
        at += count
    return among, max(0, skipped)


def _sessions(reading: Reading) -> sql.Composed:
    return placed_rows_statement(reading, [], [sql.SQL("source.day AS day, source.agent AS agent")])


def _first_sessions(reading: Reading) -> sql.Composed:
    return sql.SQL(
        "SELECT * FROM (SELECT *, min(day) OVER (PARTITION BY person_id) AS first_day FROM ({}) AS every) AS dated"
        " WHERE day = first_day"
    ).format(_sessions(reading))


def _among(reading: Reading, people: Sequence[int]) -> Reading:
    """The same of these people alone."""
    return replace(reading, placement=replace(reading.placement, among=tuple(people)))


def _counted(reading: Reading, people: Sequence[int]) -> Mapping[int, int]:
    """First sessions, by person."""
    if not people:
        return {}
    narrowed = _among(reading, people)
    told = _first_sessions(narrowed)
    statement = sql.SQL("SELECT person_id, count(*) FROM ({}) AS told GROUP BY person_id").format(told)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters(narrowed))
        return dict(cursor.fetchall())


def _listed(
    reading: Reading,
    people: Sequence[int],
    part: tuple[int, int],
    *,
    rows: Callable[[Reading], sql.Composed],
    shape: sql.Composable,
    condition: sql.Composable = ANY_ROW,
    grouped: sql.Composable = NOT_GROUPED,
) -> list[dict[str, Any]]:
    """The rows of these people, in their order, the newest first; of them the `part`: skipped, and how many."""
    if not people:
        return []
    narrowed = _among(reading, people)
    statement = sql.SQL(
        "{shape} FROM ({rows}) AS told WHERE person_id > 0 AND {condition} {grouped}"
        " ORDER BY place, day DESC, fact_id DESC LIMIT %(limit)s OFFSET %(offset)s"
    ).format(shape=shape, rows=rows(narrowed), condition=condition, grouped=grouped)
    skipped, size = part
    values = {**parameters(narrowed), "order": list(people), "limit": size, "offset": skipped}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
