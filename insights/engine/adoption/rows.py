"""The rows behind adoption effects and cohorts.

A developer's row holds everything that enters a figure, so that the figure can be recomputed from the rows alone.  Pull
requests, sessions and active days are the facts behind a developer's row, listed in the order of the developers.
Because the number of rows per developer is known, only the rows of the requested page are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from insights.engine.adoption.developer_facts import DeveloperFacts, people_of, pulls_of
from insights.engine.adoption.developers import (
    COHORT_NAMES,
    DID_NOT,
    GROUP_NAMES,
    OF_PEOPLE_AND_AGENTS,
    TOOK_UP,
    AdoptionRowsQuery,
    Developers,
    Panel,
    RowKind,
)
from insights.engine.adoption.effect import COHORTS, BeforeAfter, cohort_places
from insights.engine.contributions import DAY, DESCRIPTIONS, PERSON, ColumnKind, RowColumn, Rows, RowsPage
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
# The reference and the title identify another person's pull request: they are shown as far as the policy allows.
REFERENCE, TITLE = (replace(DESCRIPTIONS[name], kind=ColumnKind.PLACE) for name in ("reference", "title"))

NOT_DESCRIBED = {"reference": "", "title": ""}


def number(name: str, label: str, meaning: str) -> RowColumn:
    return RowColumn(name, label, meaning, ColumnKind.NUMBER)


@rows_of_answer()
def pull_request_rows(developers: Developers, first: int, size: int) -> Rows:
    """Pull requests by developer, in row order, newest first; only the page's rows are read."""
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
    """All sessions of a cohort; for adopters, the sessions of their very first day, in whatever unit."""
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
    """The people whose rows are on a page, and how many rows of the first person are on earlier pages."""
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
    """The rows of these people, ordered by person id, then newest first."""
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


BORDER = RowColumn(
    "border",
    "Border",
    "The day of the first session ever; for developers who never used an agent, the median of these days.",
    ColumnKind.DAY,
)
USES = (
    *(PERSON, COHORT),
    number("session_days", "Days with a session", "With an agent session of theirs."),
    number("weeks", "Weeks at work", "With any activity of theirs."),
    number("days_a_week", "Days a week", "Days with a session ÷ weeks at work."),
    number("sessions", "Sessions", "Agent sessions that started in the window."),
    number("merged", "PRs merged", "In the window."),
)


def rows_of(developers: Developers, *, page: int, size: int) -> RowsPage:
    """Page `page` (from 1) of the requested rows of these developers."""
    columns, rows, total = {
        RowKind.DEVELOPERS: _developer_rows,
        RowKind.PULL_REQUESTS: pull_request_rows,
        RowKind.SESSIONS: session_rows,
        RowKind.DAYS: day_rows,
    }[developers.rows_query.listed](developers, (page - 1) * size, size)
    query = replace(developers.query, key=OF_PEOPLE_AND_AGENTS, segments=(), statistic=None)
    if developers.rows_query.group:  # which is the same in every row
        columns = [column for column in columns if column.name != GROUP.name]
    return RowsPage(query, columns, rows, total, page, size, recipe_of(developers.rows_query))


def recipe_of(rows_query: AdoptionRowsQuery) -> str:
    """The rule that computes the figures from these rows."""
    if rows_query.figure is Panel.USE:
        return {
            RowKind.DEVELOPERS: "developers: number of rows; PRs per developer per week: "
            "Σ PRs merged ÷ Σ weeks at work",
            RowKind.PULL_REQUESTS: "cycle time: the median of contribution; PRs merged: number of rows",
            RowKind.SESSIONS: "days with a session: number of different days, by developer",
            RowKind.DAYS: "days with a session: rows with a session; weeks at work: different weeks, by developer",
        }[rows_query.listed]
    if rows_query.listed is RowKind.SESSIONS:
        return "border of adopters: the day of these sessions, the first ever"
    if rows_query.listed is RowKind.PULL_REQUESTS:
        return (
            "mean of contribution by developer, before and after, and of these the mean over developers"
            if rows_query.figure is Panel.CYCLE
            else "number of rows by developer, before and after, ÷ the developer's weeks before and after"
        )
    group = "of adopters − of the others"
    return f"means of before and of after, by group; difference: mean of contribution {group}"


def _developer_rows(developers: Developers, first: int, size: int) -> Rows:
    if developers.before_after is None:
        return USES, _use_rows(developers.uses, first, size), len(developers.people)
    before_after = developers.before_after
    in_seconds = developers.rows_query.figure is Panel.CYCLE
    kind, what = (
        (ColumnKind.DURATION, "mean seconds from open to merge")
        if in_seconds
        else (ColumnKind.NUMBER, "pull requests a week")
    )
    columns = (
        *(PERSON, GROUP, BORDER),
        number("merged_before", "PRs before", "Merged pull requests before the border."),
        number("weeks_before", "Weeks before", "From the window's first day to the border."),
        number("merged_after", "PRs after", "Merged pull requests from the border on."),
        number("weeks_after", "Weeks after", "From the border to the window's end, or today's."),
        RowColumn("before", "Before", f"Before the border: {what}.", kind),
        RowColumn("after", "After", f"From the border on: {what}.", kind),
        RowColumn("contribution", "Contribution", "After minus before: its contribution to the mean change.", kind),
    )
    part = before_after.of(_places(len(before_after), first, size))
    return columns, _course_rows(part, in_seconds=in_seconds), len(before_after)


def _places(number: int, first: int, size: int) -> Flags:
    import numpy as np

    places = np.arange(number)
    return (places >= first) & (places < first + size)


def _use_rows(uses: DeveloperFacts, first: int, size: int) -> list[Mapping[str, Any]]:
    part = uses.of(_places(len(uses.people), first, size))
    names = ("people", "session_days", "weeks", "session_count", "pulls")
    return [
        {
            "person_id": person,
            "group": COHORT_NAMES[COHORTS[place]],
            "session_days": session_days,
            "weeks": weeks,
            "days_a_week": session_days / weeks,
            "sessions": sessions,
            "merged": merged,
        }
        for place, person, session_days, weeks, sessions, merged in zip(
            cohort_places(part).tolist(), *(getattr(part, name).tolist() for name in names), strict=True
        )
    ]


def _course_rows(before_after: BeforeAfter, *, in_seconds: bool) -> list[Mapping[str, Any]]:
    sides = before_after.sides("cycle" if in_seconds else "merged")
    figures = (before_after.before, before_after.after, *before_after.weeks(), *sides, sides[1] - sides[0])
    names = ("merged_before", "merged_after", "weeks_before", "weeks_after", "before", "after", "contribution")
    return [
        {
            "person_id": person,
            "group": GROUP_NAMES[TOOK_UP if took_up else DID_NOT],
            "border": date.fromordinal(border),
            **dict(zip(names, values, strict=True)),
        }
        for person, took_up, border, *values in zip(
            before_after.people.tolist(),
            before_after.took_up.tolist(),
            before_after.borders.tolist(),
            *(column.tolist() for column in figures),
            strict=True,
        )
    ]
