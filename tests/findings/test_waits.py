"""Why reviews wait: by hand, on planted causes, and without telling of few people."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bench.planted_waits import named_in
from insights.findings.waits import waits_of_team
from insights.formulas.review_waits import (
    Cause,
    Lengths,
    Review,
    Times,
    Wait,
    length,
    merged,
    mix_of,
    wait_of,
    working_times,
)
from insights.models import ReviewWaits
from orgtree.models import Unit
from tests.personas import EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.teams import Teams, create_teams

PAGE = "/insights/findings/waits/"
BERLIN, SEATTLE = "Europe/Berlin", "America/Los_Angeles"
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def review(**changes: object) -> Review:
    """Opened on a Thursday at 15:00 in Berlin, first reviewed and approved on Monday at 11:00."""
    usual = Review(
        author=1,
        opened_at=at("2026-11-05T14:00"),
        first_review_at=at("2026-11-09T10:00"),
        approved_at=at("2026-11-09T10:00"),
        zone=BERLIN,
        reviewer_zone=BERLIN,
        is_large=False,
        rounds=1,
        reviewers=3,
        busy=3,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_a_wait_counts_in_the_working_time_of_its_author() -> None:
    """Thursday 15:00 to 19:00, Friday 8:00 to 19:00, Monday 8:00 to 11:00."""
    assert wait_of(review(), usual=5).lasted == (4 + 11 + 3) * HOUR
    assert wait_of(review(zone="UTC", reviewer_zone="UTC"), usual=5).lasted == (5 + 11 + 2) * HOUR
    saturday = at("2026-11-07T09:00")
    assert length(working_times(saturday, saturday + 5 * HOUR, BERLIN)) == timedelta()


@pytest.mark.parametrize("seed", range(3))
def test_working_time_is_that_of_its_minutes(seed: int) -> None:
    """Counted minute by minute, over a change of the clock."""
    from zoneinfo import ZoneInfo

    draw = random.Random(seed)
    start = at("2026-10-20T00:00") + timedelta(minutes=draw.randrange(6000))
    minutes = draw.randrange(14_000)
    local = [(start + timedelta(minutes=minute)).astimezone(ZoneInfo(SEATTLE)) for minute in range(minutes)]
    counted = sum(one.weekday() < 5 and 8 <= one.hour < 19 for one in local)
    assert length(working_times(start, start + timedelta(minutes=minutes), SEATTLE)) == timedelta(minutes=counted)


def cause(wait: Wait) -> Cause | None:
    return wait.measured_cause


def test_measured_causes_take_half_of_the_wait() -> None:
    day = Times(at("2026-11-06T07:00"), at("2026-11-06T16:00"))  # 9 of 18 hours
    assert cause(wait_of(review(pipelines=[day]), usual=5)) is Cause.CI
    assert cause(wait_of(review(pipelines=[replace_end(day, -1)]), usual=5)) is None
    # Opened at 9:00 in Berlin; in Seattle the day begins at 17:00: eight of nine hours.
    far = review(
        opened_at=at("2026-11-05T08:00"),
        first_review_at=at("2026-11-05T17:00"),
        approved_at=at("2026-11-05T17:00"),
        reviewer_zone=SEATTLE,
    )
    assert wait_of(far, usual=5).measured == {Cause.TIME_ZONES: 8 * HOUR}
    assert cause(wait_of(far, usual=5)) is Cause.TIME_ZONES
    # Eleven more of their hours: not the zone alone.
    late = replace(far, first_review_at=at("2026-11-09T17:30"), approved_at=at("2026-11-09T17:30"))
    assert cause(wait_of(late, usual=5)) is None
    rounds = review(first_review_at=at("2026-11-05T15:00"), rounds=3)
    assert cause(wait_of(rounds, usual=5)) is Cause.ROUNDS
    assert cause(wait_of(replace(rounds, rounds=2), usual=5)) is None
    assert cause(wait_of(replace(rounds, rescoped_at=at("2026-11-06T09:00")), usual=5)) is Cause.RESCOPED


def replace_end(times: Times, minutes: int) -> Times:
    return Times(times.start, times.end + timedelta(minutes=minutes))


def test_pipelines_that_ran_at_once_count_once() -> None:
    first = at("2026-11-06T08:00")
    times = [
        Times(first, first + 2 * HOUR),
        Times(first + HOUR, first + 3 * HOUR),
        Times(first + 5 * HOUR, first + 6 * HOUR),
    ]
    assert length(merged(times)) == 4 * HOUR


@pytest.mark.parametrize("planted", list(Cause))
def test_planted_causes_are_named_right_or_left_open(planted: Cause) -> None:
    named = named_in(planted, organisations=4, seed=7)
    assert named.waits > 150
    assert named.wrong <= 0.05 * named.waits
    assert named.right >= 0.5 * named.waits


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_shown_of_few_people(seed: int) -> None:
    """Attacked: random teams; those that wait are never one to four people, and nobody is named or counted."""
    draw = random.Random(seed)
    swift_review = review(first_review_at=at("2026-11-05T15:00"), approved_at=at("2026-11-05T15:00"))
    slow, swift = (
        [wait_of(replace(one, author=draw.randrange(most)), usual=5) for _ in range(draw.choice((0, 25, 40)))]
        for one, most in ((review(), draw.randrange(1, 9)), (swift_review, draw.randrange(1, 9)))
    )
    shown = waits_of_team(1, [*slow, *swift], Lengths([]), 5)
    authors = {wait.review.author for wait in slow}
    assert (shown is not None) == (len(slow) >= 20 and len(authors) >= 5)
    if shown is not None:
        assert shown["people"] == len(authors)
        assert sum(line["share"] for line in shown["lines"]) == pytest.approx(1)
        assert set(shown["lines"][0]) == {"cause", "share", "low", "high"}


def test_shares_have_the_interval_of_drawn_authors() -> None:
    """One author with half of the waits: their share is as uncertain as who is drawn."""
    waits = [wait_of(review(author=0 if n % 2 else 100 + n), usual=5) for n in range(40)]
    lines = mix_of([(wait, Cause.CI if wait.review.author == 0 else Cause.UNKNOWN) for wait in waits])
    assert [line.cause for line in lines] == [Cause.CI, Cause.UNKNOWN]
    assert lines[0].share == 0.5
    assert lines[0].low == 0
    assert lines[0].high > 0.7


@pytest.fixture
def teams() -> Teams:
    return create_teams()


def stored(unit: Unit, people: int) -> None:
    ReviewWaits.objects.create(
        unit=unit,
        since=date(2026, 8, 24),
        until=date(2026, 11, 23),
        pull_requests=90,
        waiting=40,
        people=people,
        lines=[
            {"cause": "load", "share": 0.75, "low": 0.6, "high": 0.9},
            {"cause": "unknown", "share": 0.25, "low": 0.1, "high": 0.4},
        ],
    )


@pytest.mark.django_db
def test_waits_are_shown_to_those_who_see_the_team(teams: Teams) -> None:
    stored(teams.platform, 6)
    stored(teams.search, 5)
    executive = signed_in(EXECUTIVE).get(f"{PAGE}?unit=search").content.decode().lower()
    assert "40 of 90 pull requests" in executive
    assert "reviewer load" in executive
    assert executive.index("<h3>search</h3>") < executive.index("<h3>platform</h3>")
    member = signed_in(MEMBER).get(PAGE).content.decode().lower()
    assert "<h3>platform</h3>" in member
    assert "<h3>search</h3>" not in member
    assert "<h3>platform</h3>" in signed_in(MANAGER).get(PAGE).content.decode().lower()


@pytest.mark.django_db
def test_what_was_stored_for_smaller_groups_is_hidden(teams: Teams) -> None:
    """The minimum group was raised since the night."""
    stored(teams.platform, 3)
    assert "<h3>platform</h3>" not in signed_in(EXECUTIVE).get(PAGE).content.decode().lower()
