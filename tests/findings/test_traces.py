"""Every number of a finding is that of rows: what checks find in records, counted a second time from the rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from statistics import median
from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client

from insights.findings.checks import HALF_YEAR, WEEK, Check, Weeks, teams_of
from insights.findings.detectors import CHANGE, GAP, MOVE, TREND
from insights.findings.night import Night, store
from insights.findings.words import FindingWords, names_behind, worded
from insights.formulas.findings import change_at, gap, trend
from insights.models import Finding
from insights.query.query import Window
from insights.ui import wording
from integrations.intake.store_drafts import store_drafts
from integrations.push.drafts import KINDS
from integrations.push.store import push_connection
from orgtree.models import IndividualPolicy, Placement
from tests.delivery.linking.delivery import Record
from tests.findings.test_findings import MONDAY, TODAY
from tests.personas import EXECUTIVE, signed_in
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, add_teams, create_teams

pytestmark = pytest.mark.django_db
SLOW_WEEKS = 12
CHANGED = MONDAY - SLOW_WEEKS * WEEK
FIRST = MONDAY - HALF_YEAR * WEEK
TEAMS = {"platform": ("ada", *OTHERS_IN_PLATFORM)} | {
    name: [f"{name}-{number}" for number in range(6)] for name in ("red", "gold", "grey", "blue", "green")
}
# How many times as long each team waits, by the week.
STORIES: Mapping[str, Callable[[int], float]] = {
    "platform": lambda week: 3 if week >= HALF_YEAR - SLOW_WEEKS else 1,
    "red": lambda _: 30,
    "gold": lambda week: 1 + week / 14,
    "grey": lambda week: 3 if week >= HALF_YEAR - SLOW_WEEKS else 1,
}
KINDS_OF = {"platform": CHANGE, "red": GAP, "gold": TREND, "grey": MOVE}
# Numbers of the method, which stand in every text: the interval, the chance, and the weeks of a trend.
OF_METHOD = {"95", "1", "100", "26"}


def times_as_long(team: str, week: int) -> float:
    return STORIES[team](week) if team in STORIES else 1.0


def pull_requests() -> Iterator[Record]:
    """Each of six people of six teams merges one a week, for half a year."""
    for place, (team, people) in enumerate(TEAMS.items()):
        for week in range(HALF_YEAR):
            for number, author in enumerate(people):
                opened = datetime.combine(FIRST + week * WEEK + timedelta(days=number % 4), time(8), UTC)
                usual = 3 + (week * 7 + number * 5 + place) % 4 + number / 10
                reviewed = opened + timedelta(hours=usual * times_as_long(team, week))
                review = {"author": f"{people[number - 1]}@example.com", "state": "approved"}
                record = {
                    **{"id": f"{team}#{week}-{number}", "repository": f"acme/{team}", "number": week * 10 + number + 1},
                    **{"author": f"{author}@example.com", "state": "merged", "additions": 10, "deletions": 0},
                    **{"created_at": opened.isoformat(), "merged_at": (reviewed + timedelta(hours=1)).isoformat()},
                    "reviews": [{**review, "submitted_at": reviewed.isoformat()}],
                }
                yield "pull-requests", record


def push(*records: Record) -> None:
    """Push the records of each kind in one request."""
    drafts: dict[str, list[Any]] = defaultdict(list)
    for kind, record in records:
        serializer = KINDS[kind].record(data=record)
        assert serializer.is_valid(), (kind, record, serializer.errors)
        drafts[kind].append(KINDS[kind].draft_of(serializer.validated_data))
    for of_kind in drafts.values():
        with transaction.atomic():
            store_drafts(push_connection(), of_kind)


@pytest.fixture(scope="module")
def _stored(stored_once: StoreOnce) -> Iterator[None]:
    with stored_once(half_a_year):
        yield


def half_a_year() -> None:
    """Half of Grey's people come on the day on which its waits change."""
    add_teams(create_teams(IndividualPolicy.NAMED), {name: TEAMS[name] for name in [*TEAMS][1:]})
    newcomers = Placement.objects.filter(person__email__in=[f"grey-{number}@example.com" for number in range(3)])
    for one in newcomers:
        one.during = DateRange(CHANGED, None)
    Placement.objects.bulk_update(newcomers, ["during"])
    push(*pull_requests())


@dataclass(frozen=True)
class Traced:
    """A recount from rows: both values, the bounds of their difference, and how many rows the finding rests on."""

    before: float
    after: float
    low: float
    high: float
    sample: int


def waits_of(client: Client, team: str) -> list[list[float]]:
    """The waits of the rows that the page shows of a team, by week."""
    params = {"unit": team, "from": FIRST.isoformat(), "to": MONDAY.isoformat(), "size": "1000"}
    answer = client.get("/api/v1/metrics/pr.pickup_time/rows/", params).json()
    assert answer["total"] == len(answer["rows"])
    weeks: list[list[float]] = [[] for _ in range(HALF_YEAR)]
    for row in answer["rows"]:
        weeks[(date.fromisoformat(row["day"]) - FIRST) // WEEK].append(row["contribution"])
    return weeks


def traced(kind: str, team: str, waits: Mapping[str, Sequence[Sequence[float]]]) -> Traced:
    """Recompute a finding from the rows of its team, and of comparable ones."""
    own = [median(week) for week in waits[team]]
    rows, since = sum(map(len, waits[team])), HALF_YEAR - SLOW_WEEKS
    if kind == TREND:
        pairs = combinations(range(HALF_YEAR), 2)
        slope = median((own[later] - own[earlier]) / (later - earlier) for earlier, later in pairs)
        start = median(value - slope * week for week, value in enumerate(own))
        made = trend(own, HALF_YEAR)
        assert made is not None
        return Traced(start, start + slope * (HALF_YEAR - 1), made.low, made.high, rows)
    if kind == GAP:
        others = [[median(week) for week in waits[other]] for other in TEAMS if other != team]
        beside = gap(own, others)
        assert beside is not None
        usual = median(median(of_week) for of_week in zip(*others, strict=True))
        return Traced(usual, median(own), beside.low, beside.high, rows)
    made = change_at(own, since)
    assert made is not None
    later = sum(map(len, waits[team][since:]))
    return Traced(median(own[:since]), median(own[since:]), made.low, made.high, later)


@pytest.mark.usefixtures("_stored")
@pytest.mark.parametrize("team", KINDS_OF)
def test_every_number_of_a_finding_is_that_of_rows(team: str) -> None:
    """A change, a team apart from comparable ones, a trend, and a change with a reorganisation."""
    kind, known = KINDS_OF[team], teams_of(TODAY)
    found = {check.key: check for check in Weeks.read(known, Window(MONDAY - 52 * WEEK, MONDAY)).checks()}
    pk = Placement.objects.filter(ancestor__slug=team).values_list("ancestor", flat=True)[0]
    check = found["pr.pickup_time." + kind, pk, ""]
    assert check.is_large
    finding, words = stored(check)
    client = signed_in(EXECUTIVE)
    waits = {name: waits_of(client, name) for name in TEAMS}
    rows = traced(kind, team, waits)
    for name in ("before", "after", "low", "high"):
        assert getattr(finding, name) == pytest.approx(getattr(rows, name)), name
    assert finding.sample == rows.sample
    assert finding.since == (FIRST if kind in (TREND, GAP) else CHANGED)
    weeks = (MONDAY - finding.since) / WEEK
    month = 365.25 / 12 / 7 / 3600 * rows.sample / weeks
    hours = [month * value for value in (rows.after - rows.before, rows.low, rows.high)]
    times = {str(wording.reading(value, "seconds")) for value in (rows.before, rows.after, rows.low, rows.high)}
    texts = {
        *(number for one in times for number in numbers_in(one)),
        *numbers_in(wording.day(finding.since)),
        f"{rows.sample:,}",
        wording.amount(round(hours[0])),
        wording.compact(rows.after / rows.before),
        *([str(len(TEAMS) - 1)] if kind == GAP else []),
    }
    texts |= OF_METHOD
    for text in (words.title, words.detail, words.cost, words.sure, words.compared):
        assert {*numbers_in(text)} <= texts, text
    if words.hours:
        assert [words.hours, words.hours_low, words.hours_high] == pytest.approx(hours)


def stored(check: Check) -> tuple[Finding, FindingWords]:
    store(Night(1, [check]), today=TODAY)
    [finding] = Finding.objects.select_related("unit")
    words = worded(finding, names_behind([finding]))
    assert words is not None
    return finding, words


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\d[\d,]*(?:\.\d+)?", text)
