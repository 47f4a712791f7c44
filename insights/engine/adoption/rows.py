"""The rows behind adoption effects and cohorts.

A developer's row holds everything that enters a figure, so that the figure can be recomputed from the rows alone; pull
requests, sessions and active days are the facts behind a developer's row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from insights.engine.adoption.cohorts import COHORTS, cohort_places
from insights.engine.adoption.developer_facts import DeveloperFacts
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
from insights.engine.adoption.effect import BeforeAfter
from insights.engine.adoption.fact_rows import COHORT, GROUP, day_rows, number, pull_request_rows, session_rows
from insights.engine.contributions import PERSON, ColumnKind, RowColumn, Rows, RowsPage

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags

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
    """How the figures are computed from these rows."""
    if rows_query.figure is Panel.USE:
        return {
            RowKind.DEVELOPERS: "developers: number of rows; PRs per developer and week: "
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
