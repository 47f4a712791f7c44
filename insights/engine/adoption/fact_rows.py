"""Pages of the pull requests, sessions and active days of developers, in the order of the developers.

The number of rows per developer is known, so only the rows of the requested page are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from insights.engine.adoption.cohorts import COHORTS, cohort_places
from insights.engine.adoption.developer_facts import DeveloperFacts, people_of, pulls_of
from insights.engine.adoption.developers import COHORT_NAMES, DID_NOT, GROUP_NAMES, TOOK_UP, Developers
from insights.engine.adoption.effect import BeforeAfter
from insights.engine.contributions import DAY, DESCRIPTIONS, PERSON, ColumnKind, RowColumn, Rows
from insights.engine.fact_query import ANYBODY, FactQuery
from insights.engine.fact_rows import columns_by_id
from insights.engine.live_rows import rows_of_answer
from insights.engine.scan import select
from insights.query.measures import Measure
from insights.query.query import Dimension
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import AT_WORK, IN_SESSION

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags

GROUP = RowColumn(
    "group",
    "Group",
    "Developers who adopted an agent in the window, and developers who never used one.",
    ColumnKind.WORD,
)
COHORT = RowColumn("group", "Use", "By days with a session in a week at work.", ColumnKind.WORD)
SIDE = RowColumn("side", "When", "Before the developer's border, or after it.", ColumnKind.WORD)
FACT = RowColumn("fact_id", "Pull request", "Headway's number of the pull request.", ColumnKind.FACT)
SESSION = RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT)
AGENT = RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD)
CYCLE = RowColumn("contribution", "Contribution", "From open to merge, in seconds.", ColumnKind.DURATION)
# Reference and title identify another person's pull request: shown as far as the policy allows.
REFERENCE, TITLE = (replace(DESCRIPTIONS[name], kind=ColumnKind.PLACE) for name in ("reference", "title"))

NOT_DESCRIBED = {"reference": "", "title": ""}


def number(name: str, label: str, meaning: str) -> RowColumn:
    return RowColumn(name, label, meaning, ColumnKind.NUMBER)


@rows_of_answer()
def pull_request_rows(developers: Developers, first: int, size: int) -> Rows:
    """By developer, in row order, the newest first.  Only the rows of the page are read."""
    before_after = developers.before_after
    counts = (developers.uses.pulls if before_after is None else before_after.before + before_after.after).tolist()
    among, skipped = _on_page(developers.people, counts, first, size)
    measure_query = pulls_of(developers.query)
    # A cohort includes pull requests with an unknown cycle time.
    known = "" if before_after is None else "AND c_0 IS NOT NULL"
    statement = f"""
        SELECT person_id, fact_id, day, c_0::DOUBLE AS contribution FROM counted WHERE person_id > 0 {known}
    """  # a constant
    listed = _listed(measure_query.fact_query.over_whole_window(), [measure_query.measure], among, statement)[
        skipped : skipped + size
    ]
    relation = measure_query.fact_query.relation
    named = columns_by_id(relation, relation.fact, tuple(NOT_DESCRIBED), [row["fact_id"] for row in listed])
    rows = [{**row, **named.get(row["fact_id"], NOT_DESCRIBED)} for row in listed]
    total = sum(counts)
    if before_after is None:
        of_people = developers.uses.of(_are(developers.uses, among))
        cohorts = dict(zip(of_people.people.tolist(), cohort_places(of_people).tolist(), strict=True))
        grouped = [{**row, "group": COHORT_NAMES[COHORTS[cohorts[row["person_id"]]]]} for row in rows]
        return (FACT, PERSON, COHORT, DAY, REFERENCE, TITLE, CYCLE), grouped, total
    developers_listed = before_after.of(_are(before_after, among))
    columns = (developers_listed.people, developers_listed.took_up, developers_listed.borders)
    group_of = {person: group for person, *group in zip(*(column.tolist() for column in columns), strict=True)}
    sided = [{**row, **_side(row["day"], *group_of[row["person_id"]])} for row in rows]
    return (FACT, PERSON, GROUP, SIDE, DAY, REFERENCE, TITLE, CYCLE), sided, total


def _side(day: date, took_up: bool, border: int) -> Mapping[str, str]:
    return {
        "group": GROUP_NAMES[TOOK_UP if took_up else DID_NOT],
        "side": "Before" if day.toordinal() < border else "After",
    }


def _are(developers: DeveloperFacts | BeforeAfter, people: Sequence[int]) -> Flags:
    import numpy as np

    return np.isin(developers.people, np.array(people, dtype=np.int64))


def session_rows(developers: Developers, first: int, size: int) -> Rows:
    """All sessions of a cohort; for adopters the sessions of their first day ever, in whatever unit."""
    fact_query = replace(
        people_of(developers.query).fact_query.over_whole_window(),
        relation=AGENT_SESSIONS,
        facets=(),
        segments=(Dimension.AGENT,),
    )
    people, statement = developers.people, _SESSIONS
    if developers.before_after is None:
        counts = developers.uses.session_count.tolist()
    else:
        fact_query, statement = replace(fact_query, scope=ANYBODY), _FIRST_SESSIONS
        by_person = Counter(row["person_id"] for row in _listed(fact_query, [], people, statement))
        counts = [by_person[person] for person in people]
    among, skipped = _on_page(people, counts, first, size)
    rows = _listed(fact_query, [], among, statement)[skipped : skipped + size]
    return (SESSION, PERSON, DAY, AGENT), rows, sum(counts)


def day_rows(developers: Developers, first: int, size: int) -> Rows:
    counts = developers.uses.days.tolist()
    among, skipped = _on_page(developers.people, counts, first, size)
    measure_query = people_of(developers.query)
    columns = (
        *(PERSON, DAY),
        RowColumn("week", "Week from", "The Monday of its week.", ColumnKind.DAY),
        number("works", "Work", "Commits, pull requests opened and merged, reviews given and items done."),
        number("sessions", "Sessions", "Agent sessions that started on the day."),
    )
    rows = _listed(measure_query.fact_query.over_whole_window(), [measure_query.measure], among, _DAYS)[
        skipped : skipped + size
    ]
    return columns, rows, sum(counts)


def _on_page(people: Sequence[int], counts: Sequence[int], first: int, size: int) -> tuple[list[int], int]:
    """The people whose rows are on a page, and how many rows of the first one are on earlier pages."""
    among: list[int] = []
    skipped, at = 0, 0
    for person, count in zip(people, counts, strict=True):
        if count and at + count > first and at < first + size:
            if not among:
                skipped = first - at
            among.append(person)
        at += count
    return among, max(0, skipped)


def _listed(
    fact_query: FactQuery, measures: Sequence[Measure], people: Sequence[int], statement: str
) -> Sequence[Mapping[str, Any]]:
    """The rows of these people, ordered by id, the newest first."""
    if not people:
        return []
    narrowed = replace(fact_query, scope=replace(fact_query.scope, among=tuple(people)))
    return select(narrowed, measures, f"{statement} ORDER BY person_id, day DESC, fact_id DESC")


_SESSIONS = "SELECT person_id, fact_id, day, segment_0 AS agent FROM counted WHERE person_id > 0"
_FIRST_SESSIONS = """
    SELECT person_id, fact_id, day, segment_0 AS agent
    FROM (SELECT *, min(day) OVER (PARTITION BY person_id) AS first_day FROM counted WHERE person_id > 0)
    WHERE day = first_day
"""
_DAYS = f"""
    SELECT person_id, day, date_trunc('week', day)::DATE AS week, day AS fact_id,
           count(*) FILTER (WHERE c_0 & {AT_WORK} <> 0) AS works,
           count(*) FILTER (WHERE c_0 & {IN_SESSION} <> 0) AS sessions
    FROM counted
    WHERE person_id > 0
    GROUP BY person_id, day
"""  # a constant
