"""Findings tell of no few people: neither one of them, nor what is left of one by another, nor those of two nights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from statistics import median

import pytest

from insights.findings.checks import WEEK, WEEKS
from insights.findings.night import look, store
from insights.models import Finding
from insights.privacy import visible
from insights.query.query import Answer
from orgtree.access.access import Access
from tests.delivery.linking.delivery import Record
from tests.findings.test_traces import push
from tests.org import Org
from tests.personas import EXECUTIVE, signed_in
from tests.stored_once import StoreOnce
from tests.teams import add_teams, create_teams

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_teams")]
MONDAY = date(2026, 11, 23)
PAGE, FILE, API = "/insights/findings/", "/insights/findings.csv", "/api/v1/findings/"
FEW, ENOUGH = 3, 5
SLOW_WEEKS = 14
FIRST, CHANGED = MONDAY - (WEEKS - 1) * WEEK, MONDAY - SLOW_WEEKS * WEEK
TEAMS = {name: [f"{name}-{number}" for number in range(7)] for name in ("red", "blue")}


def at_work(monday: date) -> int:
    """All seven until Red's waits change; then only three of them in every other week."""
    return FEW if monday >= CHANGED and (monday - CHANGED) // WEEK % 2 else len(TEAMS["red"])


def waits(team: str, number: int, monday: date) -> float:
    """Red waits three times as long since the change; those who are alone in a week, ten times."""
    usual = 3 + ((monday - FIRST) // WEEK * 7 + number * 5) % 4 + number / 10
    if team != "red" or monday < CHANGED:
        return usual
    return usual * (10 if at_work(monday) == FEW else 3)


def mondays() -> Sequence[date]:
    """The Mondays of the weeks that two nights read."""
    return [FIRST + week * WEEK for week in range(-1, WEEKS)]


def pull_requests() -> Iterator[Record]:
    for monday in mondays():
        for team, people in TEAMS.items():
            for number in range(at_work(monday) if team == "red" else len(people)):
                opened = datetime.combine(monday + timedelta(days=number % 3), time(8), UTC)
                reviewed = opened + timedelta(hours=waits(team, number, monday))
                review = {"author": f"{people[number - 1]}@example.com", "state": "approved"}
                yield (
                    "pull-requests",
                    {
                        **{"id": f"{team}#{monday}-{number}", "repository": "acme/shop", "state": "merged"},
                        "number": (monday - FIRST).days * 20 + number + (10 if team == "red" else 0) + 1000,
                        **{"author": f"{people[number]}@example.com", "additions": 10, "deletions": 0},
                        "created_at": opened.isoformat(),
                        "merged_at": (reviewed + timedelta(hours=1)).isoformat(),
                        "reviews": [{**review, "submitted_at": reviewed.isoformat()}],
                    },
                )


@pytest.fixture(scope="module")
def two_teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: made_of_two_teams(Org(tmp_path_factory.mktemp))) as org:
        yield org


def made_of_two_teams(org: Org) -> Org:
    add_teams(create_teams(), TEAMS)
    push(*pull_requests())
    org.session(by="ada", on=FIRST - 30 * WEEK)  # stores the ingest token for all tests
    org.fold()
    return org


def night(monday: date) -> list[Finding]:
    """The findings of the night after that Monday."""
    today = monday + timedelta(days=3)
    store(look(today), today=today)
    return [*Finding.objects.open().select_related("unit")]


def of_red(found: Sequence[Finding]) -> Finding:
    [one] = [one for one in found if one.metric == "pr.pickup_time" and one.unit and one.unit.slug == "red"]
    return one


def weeks_until(end: date) -> list[date]:
    return [monday for monday in mondays() if end - WEEKS * WEEK <= monday < end]


def typical(weeks: Sequence[date]) -> float:
    """The median over these weeks of the median wait of the people of each."""
    return median(median(waits("red", number, monday) for number in range(at_work(monday))) for monday in weeks)


def leaks(nights: Mapping[date, Finding]) -> list[str]:
    """The leaks of three people’s waits: by figures of single nights, and by the difference of two."""
    found = []
    for end, one in nights.items():
        since = [monday for monday in weeks_until(end) if monday >= one.since]
        enough = [monday for monday in since if at_work(monday) >= ENOUGH]
        if one.sample != sum(map(at_work, enough)):
            found.append(f"of {one.sample} facts, {one.sample - sum(map(at_work, enough))} are of weeks of few people")
        if one.after / 3600 != pytest.approx(typical(enough)):
            found.append(f"{one.after / 3600:.2f} h is no typical week of those of enough people")
    first, second = nights.values()
    if 0 < second.sample - first.sample < ENOUGH:
        found.append(f"{second.sample - first.sample} facts of a week of few people are the difference of two nights")
    return found


def two_nights() -> Mapping[date, Finding]:
    nights = (MONDAY - WEEK, MONDAY)
    return {monday: of_red(night(monday)) for monday in nights}


def test_no_figure_of_a_finding_is_of_few_people() -> None:
    """The attack: weeks of three people are among those that a finding rests on."""
    assert at_work(MONDAY - WEEK) == FEW, "the week between both nights is of few people"
    assert leaks(two_nights()) == []


def test_the_attack_finds_weeks_of_few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visible, "without_few_in_buckets", every_bucket)
    assert len(leaks(two_nights())) > 2


def every_bucket(position: int, by_unit: Mapping[int, Sequence[Answer]], _: Access) -> Mapping[int, Answer]:
    return {unit: answers[position] for unit, answers in by_unit.items()}


def used_by_one(org: Org) -> None:
    """For half a year one colleague of Blue has two sessions a week, whose prompts are hardly cached any more."""
    for week, day in product(range(26), (0, 2)):
        on = MONDAY - (26 - week) * WEEK + timedelta(days=day)
        cached = 9000 + 10 * (week % 5) if week < 14 else 500 + 10 * (week % 3)
        org.session(by="blue-1", on=on, tokens=1000 + week % 7, cache_read=cached)
    org.fold()


def said() -> list[str]:
    """Everything that findings say to somebody who may see all units."""
    client = signed_in(EXECUTIVE)
    answer = client.get(API, {"state": "new"}).json()
    for one in answer["findings"]:
        one.pop("id")
    rows = client.get(FILE).getvalue().decode().splitlines()
    return [*map(str, answer["findings"]), *sorted(rows)]


def test_findings_do_not_say_whether_a_colleague_used_an_agent(two_teams: Org) -> None:
    night(MONDAY)
    without = said()
    used_by_one(two_teams)
    night(MONDAY)
    assert said() == without
    assert len(without) > 2, "and something is found"


def test_the_attack_finds_a_colleague_who_used_an_agent(two_teams: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visible, "without_few_in_buckets", every_bucket)
    night(MONDAY)
    without = said()
    used_by_one(two_teams)
    night(MONDAY)
    assert said() != without
