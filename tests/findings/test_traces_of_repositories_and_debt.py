"""Every number of a finding about a repository, and of what a change looks like, is that of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import mean, median
from typing import Any

import pytest
from django.test import Client

from insights.findings.checks import HALF_YEAR, WEEK, Check, Weeks, teams_of
from insights.findings.debt import SIGNS, with_debt
from insights.findings.detectors import BY_KEY
from insights.formulas.findings import DEBT, gap
from insights.query.query import Window
from integrations.models import AgentSession, AgentSessionDay, ContextFile, Repository, SessionShare
from orgtree.models import Identity, IdentityKind, IndividualPolicy, Person, Unit
from tests.delivery.linking.delivery import Record
from tests.findings.test_findings import MONDAY, TODAY
from tests.findings.test_traces import OF_METHOD, numbers_in, push, stored
from tests.org import Org
from tests.pages.delivering import REPOSITORY, at, deployed, merged
from tests.personas import EXECUTIVE, MANAGER, signed_in
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = pytest.mark.django_db
FIRST = MONDAY - HALF_YEAR * WEEK
REPOSITORIES = ("red", "gold", "grey", "blue", "green", "white")
WASTEFUL = "red"
YEAR = Window(MONDAY - 52 * WEEK, MONDAY)
PEOPLE = ("ada", *OTHERS_IN_PLATFORM)


def spent(repository: int, week: int, person: int) -> Decimal:
    return Decimal(10 + (repository * 5 + week * 3 + person * 7) % 9)


def is_wasted(repository: int, week: int, person: int) -> bool:
    """Of six sessions a week one or two; in the first repository all but one or two."""
    is_other = (person + week + repository) % 6 < 1 + week % 2
    return not is_other if repository == 0 else is_other


def half_a_year_of_sessions() -> None:
    """Each of six people has a session a week in each repository; all but the first have a context file."""
    identities = [
        Identity.objects.get_or_create(
            kind=IdentityKind.EMAIL,
            value=f"{name}@example.com",
            defaults={"person": Person.objects.get(email=f"{name}@example.com")},
        )[0]
        for name in PEOPLE
    ]
    sessions, days, shares = [], [], []
    for place, name in enumerate(REPOSITORIES):
        repository = Repository.objects.create(name=name)
        if name != WASTEFUL:
            ContextFile.objects.create(repository=repository, path="AGENTS.md", present_from=FIRST)
        for week in range(HALF_YEAR):
            for person, identity in enumerate(identities):
                day = FIRST + week * WEEK
                moment = datetime.combine(day, time(9 + person), UTC)
                wasted = is_wasted(place, week, person)
                session = AgentSession(
                    agent="claude_code",
                    external_id=f"{name}-{week}-{person}",
                    identity=identity,
                    started_at=moment,
                    ended_at=moment,
                    started_on=day,
                    has_work=True,
                    committed=not wasted,
                    covered=True,
                )
                sessions.append(session)
                days.append(
                    AgentSessionDay(
                        session=session,
                        identity=identity,
                        agent="claude_code",
                        source=AgentSessionDay.Source.EVENTS,
                        counted=True,
                        day=day,
                        model="opus",
                        input_tokens=1000,
                        spend=spent(place, week, person),
                    )
                )
                named = {"weight": 1, "weight_before": 0, "weight_of_session": 1}
                lines = {"lines": 0, "lines_before": 0, "lines_of_session": 0}
                shares.append(SessionShare(session=session, repository=repository, **named, **lines))
    AgentSession.objects.bulk_create(sessions)
    AgentSessionDay.objects.bulk_create(days)
    SessionShare.objects.bulk_create(shares)


def rows_of(client: Client, key: str, window: Window, **more: str) -> list[dict[str, Any]]:
    params = {"from": window.start.isoformat(), "to": window.end.isoformat(), "size": "1000", **more}
    answer = client.get(f"/api/v1/metrics/{key}/rows/", params).json()
    assert answer["total"] == len(answer["rows"]), answer
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


@pytest.mark.parametrize("kind", ["repositories", "context_files"])
def test_every_number_of_a_repository_apart_is_that_of_rows(kind: str) -> None:
    """The share of wasted spend by week, beside the other repositories and beside those with a context file."""
    create_teams(IndividualPolicy.NAMED)
    half_a_year_of_sessions()
    found = {check.key: check for check in Weeks.read(teams_of(TODAY), YEAR).checks()}
    check = found[f"ai.spend_wasted.gap.{kind}", None, WASTEFUL]
    assert check.is_large
    finding, words = stored(check)

    client, half = signed_in(MANAGER), Window(FIRST, MONDAY)  # who leads the people of all sessions
    sums: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    counted: dict[str, int] = defaultdict(int)
    for name in REPOSITORIES:
        for key in ("ai.spend_wasted", "ai.spend_committed"):
            for row in rows_of(client, key, half, unit="platform", facet=f"repository={name}"):
                sums[name, (date.fromisoformat(row["day"]) - FIRST) // WEEK][key] += row["contribution"]
                counted[name] += 1
    shares = {
        name: [100 * of["ai.spend_wasted"] / sum(of.values()) for of in (sums[name, week] for week in range(HALF_YEAR))]
        for name in REPOSITORIES
    }
    own, *others = (shares[name] for name in REPOSITORIES)
    rows = gap(own, others, most=100.0)
    assert rows is not None
    assert finding.before == pytest.approx(median(median(week) for week in zip(*others, strict=True)))
    assert finding.after == pytest.approx(median(own))
    assert (finding.low, finding.high) == pytest.approx((rows.low, rows.high))
    assert (finding.since, finding.sample, finding.repository) == (FIRST, counted[WASTEFUL], WASTEFUL)
    assert finding.sample == HALF_YEAR * len(PEOPLE)
    assert f"{finding.after:.1f}%" in words.title
    assert f"{finding.before:.1f}%" in words.title
    values = (finding.before, finding.after, finding.low, finding.high)
    texts = {number for value in values for number in numbers_in(f"{value:.1f}")}
    texts |= {*OF_METHOD, str(finding.sample), *numbers_in(f"{finding.since.day} {finding.since.year}")}
    for text in (words.title, words.detail, words.sure, words.compared):
        assert {*numbers_in(text)} <= texts, text


SINCE, WEEKS_OF_DEBT = MONDAY - 8 * WEEK, 20
START = MONDAY - WEEKS_OF_DEBT * WEEK


def growing_debt() -> Iterator[Record]:
    """Six changes a week, each released.  Since a day two a week are reverted, two releases are unplanned, three
    incidents begin, and a bug of that week is done twice; before it one of each, every other week."""
    number = 0
    for week in range(WEEKS_OF_DEBT):
        monday = START + week * WEEK
        is_later = monday >= SINCE
        some = 2 if is_later else (week + 1) % 2
        for place in range(6):
            number += 1
            day = monday + timedelta(days=place % 5)
            reverts = place < some and number > 6
            title = f'Revert "Change {number - 6} (#{number - 6})"' if reverts else ""
            yield "pull-requests", merged(number, day, author=PEOPLE[place], title=title)
            yield "deployments", deployed(number, day, sha=f"{number:040x}", unplanned=place < some)
        for place in range(3 if is_later else (week + 1) % 2):
            began = monday + timedelta(days=place)
            incident = {"id": f"i-{week}-{place}", "repository": REPOSITORY, "started_at": at(began, 20)}
            yield "incidents", {**incident, "resolved_at": at(began, 21)}
        for place in range(4):
            again = place < some
            moves = [("in_progress", 1.0), ("done", 2.0), *([("in_progress", 3.0), ("done", 4.0)] if again else [])]
            started = at(monday, 0.5)
            item = {"id": f"SHOP-{week * 4 + place + 1}", "project": "SHOP", "title": "A crash", "type": "bug"}
            yield (
                "work-items",
                {
                    **{**item, "created_at": started, "assignee": f"{PEOPLE[place]}@example.com"},
                    "status_category": "done",
                    "transitions": [
                        {"at": at(monday, hours), "from": "x", "to": category, "category": category}
                        for category, hours in moves
                    ],
                },
            )


def test_what_speaks_for_debt_is_that_of_rows(org: Org) -> None:
    """Each sign before and since the change: the mean of its weeks, each recomputed from its rows."""
    create_teams(IndividualPolicy.NAMED)
    push(*growing_debt())
    org.own(REPOSITORY, "platform", from_=date(2025, 1, 1))
    platform, detector = Unit.objects.get(slug="platform"), BY_KEY["issue.cycle_time.change"]
    window = Window(START, MONDAY)
    slower = Check(
        detector=detector,
        unit=platform.pk,
        chance=1e-5,
        since=SINCE,
        before=3600.0,
        after=7200.0,
        low=1800.0,
        high=5400.0,
        sample=80,
        is_large=True,
    )
    [check] = with_debt([slower], window)
    judged = check.details["debt"]
    assert judged["answer"] == DEBT
    signs = {sign["metric"]: (sign["before"], sign["after"]) for sign in judged["signs"]}
    assert signs.keys() == {*SIGNS}, "no clone is read, so nobody knows how old rewritten code is"
    client = signed_in(EXECUTIVE)
    for key, values in signs.items():
        weeks = by_week(rows_of(client, key, window, unit="platform"), is_count=key == "incident.count")
        before, after = weeks[: (SINCE - START) // WEEK], weeks[(SINCE - START) // WEEK :]
        assert values == pytest.approx((mean(before), mean(after))), key
    finding, words = stored(check)
    assert finding.details["debt"] == judged
    for before, after in signs.values():
        assert after > before
    assert words is not None


def by_week(rows: Sequence[dict[str, Any]], *, is_count: bool) -> list[float]:
    above, below = [0.0] * WEEKS_OF_DEBT, [0.0] * WEEKS_OF_DEBT
    for row in rows:
        week = (date.fromisoformat(row["day"]) - START) // WEEK
        above[week] += row["contribution"]
        below[week] += row.get("denominator", 1.0)
    return above if is_count else [100 * one / of for one, of in zip(above, below, strict=True)]
