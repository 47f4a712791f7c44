"""Silent senders, by the days on which they sent something."""

from __future__ import annotations

from datetime import date, timedelta

from integrations.silence.senders import silent_since

MONDAY = date(2026, 11, 16)
WORKING = [
    day for back in range(1, 29) if (day := MONDAY - timedelta(days=back)).weekday() < 5
]  # the newest first: from Friday the 13th on
FRIDAY, THURSDAY = WORKING[:2]
ALL = frozenset(WORKING)


def test_a_token_that_sent_daily_and_then_nothing_for_a_working_day_is_silent() -> None:
    assert silent_since({"token:1": ALL - {FRIDAY}, "token:2": ALL}, MONDAY) == {"token:1": FRIDAY}
    assert silent_since({"token:1": ALL - {FRIDAY, THURSDAY}, "token:2": ALL}, MONDAY) == {"token:1": THURSDAY}


def test_a_weekend_is_no_silence() -> None:
    assert not silent_since({"token:1": ALL, "token:2": ALL}, MONDAY)


def test_a_day_that_is_not_over_is_no_silence() -> None:
    assert not silent_since({"token:1": ALL, "token:2": ALL | {MONDAY}}, MONDAY)


def test_what_sends_again_is_not_silent() -> None:
    assert not silent_since({"token:1": ALL - {FRIDAY} | {MONDAY}, "token:2": ALL}, MONDAY)


def test_what_did_not_send_daily_is_never_silent() -> None:
    assert not silent_since({"token:1": ALL - {FRIDAY, WORKING[3]}, "token:2": ALL}, MONDAY)
    assert not silent_since({"token:1": frozenset(WORKING[1:5]), "token:2": ALL}, MONDAY)


def test_a_day_on_which_nobody_sends_is_a_holiday_and_two_are_not() -> None:
    assert not silent_since({"token:1": ALL - {FRIDAY}}, MONDAY)
    assert silent_since({"token:1": ALL - {FRIDAY, THURSDAY}}, MONDAY) == {"token:1": THURSDAY}


def test_a_sender_that_was_silent_for_a_month_is_forgotten() -> None:
    assert not silent_since({"token:1": frozenset(), "token:2": ALL}, MONDAY)
