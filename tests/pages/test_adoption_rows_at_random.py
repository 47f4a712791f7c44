"""The rows behind adoption are what was told, by plain loops over random courses."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query import windows
from tests.org import Org
from tests.pages.test_adoption_rows import (
    LONG_USERS,
    OTHERS,
    ROWS,
    TAKERS,
    Recorded,
    SignIn,
    query,
    rows,
    tell_of_teams,
)
from tests.personas import MANAGER

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3))])
def test_the_rows_are_what_was_sent(org: Org, sign_in: SignIn, seed: int) -> None:
    """Every developer's row, by plain loops over what was told."""
    recorded = tell_of_teams(org, seed)
    client = sign_in(MANAGER)
    window = query().window
    start, end = window.start, min(window.end, windows.local_today() + timedelta(days=1))
    first_border, last_border = start + timedelta(days=14), end - timedelta(days=14)
    firsts = sorted(
        first
        for name in recorded.pulls
        if (first := recorded.first_session(name)) is not None and first_border <= first <= last_border
    )
    middle = firsts[(len(firsts) - 1) // 2]
    expected = {}
    for name in (*TAKERS, *OTHERS):
        first = recorded.first_session(name)
        border = first or middle
        before = [seconds for day, seconds in recorded.pulls[name] if start <= day < border]
        after = [seconds for day, seconds in recorded.pulls[name] if border <= day < end]
        if first_border <= border <= last_border and before and after:
            expected[name.capitalize()] = (
                border.isoformat(), len(before), len(after), statistics.mean(before), statistics.mean(after),
            )  # fmt: skip
    actual = {
        row["Developer"]: (
            row["Border"], int(row["PRs before"]), int(row["PRs after"]), float(row["Before"]), float(row["After"])
        )
        for row in rows(client, f"{ROWS}?unit=platform&of=cycle")
    }  # fmt: skip
    assert {name: row[:3] for name, row in actual.items()} == {name: row[:3] for name, row in expected.items()}
    for name, row in actual.items():
        assert row[3:] == pytest.approx(expected[name][3:]), name
    assert uses(client) == expected_uses(recorded, start, end)


def uses(client: Client) -> Mapping[str, Sequence[Any]]:
    return {
        row["Developer"]: (row["Use"], int(row["Days with a session"]), int(row["Weeks at work"]), row["PRs merged"])
        for row in rows(client, f"{ROWS}?unit=platform&of=use")
    }


def expected_uses(recorded: Recorded, start: date, end: date) -> Mapping[str, Sequence[Any]]:
    """Whoever merged or had a session was at work that day; in a week that begins on Monday."""
    uses = {}
    for name in (*TAKERS, *OTHERS, *LONG_USERS):
        sessions = {day for day in recorded.sessions.get(name, []) if start <= day < end}
        pulls = [day for day, _ in recorded.pulls[name] if start <= day < end]
        weeks = len({day - timedelta(days=day.weekday()) for day in (*sessions, *pulls)})
        a_week = len(sessions) / weeks
        use = "None" if not sessions else "Light" if a_week < 1 else "Moderate" if a_week < 3 else "Heavy"
        uses[name.capitalize()] = (use, len(sessions), weeks, str(len(pulls)))
    return uses
