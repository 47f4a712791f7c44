"""Quiet hours against a clock that is read minute by minute, over the days on which it is put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as installation
from hypothesis import example, given
from hypothesis import strategies as st

from programs.models import QuietHours
from programs.reminders.services.preferences import Quiet, quiet_of

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns")
# Both changes of the clock in most of these zones lie in these days.
CHANGES = (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))
MINUTE = timedelta(minutes=1)
LONGEST_CHANGE = timedelta(hours=1)  # of a clock that is put forward

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
moments = st.builds(
    lambda change, minutes: change + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(0, 3 * 24 * 60)
)


def quiet_minutes(quiet: Quiet) -> set[time]:
    """The quiet minutes by definition: those on the clock from `begins` to `ends`."""
    instants, minute = set(), datetime.combine(datetime(2000, 1, 1, tzinfo=UTC), quiet.begins)
    while minute.time() != quiet.ends:
        instants.add(minute.time())
        minute += MINUTE
    return instants


def on_the_wall(quiet: Quiet, at: datetime) -> time:
    return at.astimezone(quiet.zone).time().replace(second=0)


@given(times, times, st.sampled_from(ZONES), moments)
@example(time(20), time(8), "Europe/Berlin", datetime(2026, 3, 28, 22, tzinfo=UTC))
@example(time(1), time(2, 30), "Europe/Berlin", datetime(2026, 3, 29, 0, 30, tzinfo=UTC))  # 2:30 doesn't come
@example(time(1), time(2, 30), "Europe/Berlin", datetime(2026, 10, 25, 1, 10, tzinfo=UTC))  # 2:30 comes twice
def test_they_end_when_the_clock_says_so(begins: time, ends: time, zone: str, at: datetime) -> None:
    quiet = Quiet(begins, ends, ZoneInfo(zone))
    until = quiet.until(at)
    covered = quiet_minutes(quiet)
    if on_the_wall(quiet, at) not in covered:
        assert until is None
        return
    assert until is not None
    expected = at
    while on_the_wall(quiet, expected) in covered:
        expected += MINUTE
    wall = until.astimezone(quiet.zone).time()
    if wall == ends:
        assert until == expected
    else:  # the clock skipped the end
        assert expected < until <= expected + LONGEST_CHANGE


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-28T22:00", "2026-03-29T06:00"),  # summer time begins: 8:00 is 6:00 in UTC
        ("2026-10-24T22:00", "2026-10-25T07:00"),  # and ends: 8:00 is 7:00
        ("2026-06-01T17:59", None),
        ("2026-06-01T18:00", "2026-06-02T06:00"),
        ("2026-06-02T05:59", "2026-06-02T06:00"),
        ("2026-06-02T06:00", None),
    ],
)
def test_nights_of_berlin(at: str, until: str | None) -> None:
    quiet = Quiet(time(20), time(8), ZoneInfo("Europe/Berlin"))
    expected = datetime.fromisoformat(f"{until}+00:00") if until else None
    assert quiet.until(datetime.fromisoformat(f"{at}+00:00")) == expected


def test_the_same_time_twice_is_no_quiet_hour() -> None:
    quiet = Quiet(time(8), time(8), ZoneInfo("UTC"))
    assert quiet.until(datetime(2026, 1, 1, 8, tzinfo=UTC)) is None


def test_a_zone_that_is_not_known_any_more_is_the_organisations() -> None:
    chosen = QuietHours(begins=time(20), ends=time(8), time_zone="Atlantis/Capital")
    assert quiet_of(chosen) == Quiet(time(20), time(8), installation.ORGANISATION_TIME_ZONE)
