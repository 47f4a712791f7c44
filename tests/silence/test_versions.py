"""Silent versions, only by counts of days."""

from __future__ import annotations

from datetime import date, timedelta

from integrations.silence.signals import SIGNALS
from integrations.silence.versions import VersionDay, VersionSilence, has_returned, silent_versions

MONDAY = date(2026, 11, 16)
USUAL = tuple(SIGNALS)


def days(
    version: str, *, sessions: int, people: int = 5, on: date | int = 0, lacks: str = "", having: int | None = None
) -> VersionDay:
    """Sessions of a day, that many days before Monday, which all have every signal but one."""
    day = MONDAY - timedelta(days=on) if isinstance(on, int) else on
    counts = dict.fromkeys(USUAL, sessions)
    if lacks:
        counts[lacks] = having or 0
    return VersionDay("codex", version, day, sessions, people, counts)


def found(*version_days: VersionDay, today: date = MONDAY) -> list[tuple[str, str]]:
    return [(silence.version, silence.signal) for silence in silent_versions(version_days, today)]


BEFORE = [days("2.0", sessions=20, on=back) for back in (3, 4, 5)]


def test_a_version_without_what_the_version_before_sent_is_silent_on_its_first_day() -> None:
    [silence] = silent_versions([*BEFORE, days("2.1", sessions=10, people=3, lacks="lines")], MONDAY)
    assert silence == VersionSilence("codex", "2.1", "lines", MONDAY, 10, 3, 1.0, "2.0")


def test_a_version_that_stops_in_the_middle_of_its_life_is_compared_with_itself() -> None:
    [silence] = silent_versions([*BEFORE, days("2.0", sessions=30, lacks="reported_cost")], MONDAY)
    assert (silence.version_before, silence.since) == ("2.0", MONDAY)


def test_a_share_of_a_fifth_is_silent_and_more_is_not() -> None:
    assert found(*BEFORE, days("2.1", sessions=20, lacks="lines", having=4)) == [("2.1", "lines")]
    assert not found(*BEFORE, days("2.1", sessions=20, lacks="lines", having=5))


def test_what_was_in_fewer_than_four_of_five_sessions_was_never_usual() -> None:
    before = days("2.0", sessions=100, on=3, lacks="lines", having=79)
    assert not found(before, days("2.1", sessions=50, lacks="lines"))


def test_a_canary_of_one_person_is_no_version_that_fell_silent() -> None:
    assert not found(*BEFORE, days("2.1", sessions=40, people=2, lacks="lines"))
    assert not found(*BEFORE, days("2.1", sessions=9, people=4, lacks="lines"))
    assert not found(*BEFORE, days("2.1", sessions=9, people=1, on=1, lacks="lines"))


def test_sessions_of_five_people_prove_something_however_few() -> None:
    assert found(*BEFORE, days("2.1", sessions=5, people=5, lacks="session_id")) == [("2.1", "session_id")]


def test_what_a_canary_lacked_is_noticed_when_others_follow() -> None:
    canary = [days("2.1", sessions=12, people=1, on=back, lacks="lines") for back in (2, 3)]
    [silence] = silent_versions([*BEFORE, *canary, days("2.1", sessions=10, people=4, lacks="lines")], MONDAY)
    assert (silence.since, silence.sessions) == (MONDAY - timedelta(days=3), 34)


def test_a_small_organisation_is_judged_by_a_whole_day() -> None:
    before = [days("2.0", sessions=3, people=2, on=back) for back in (3, 4, 5, 6)]
    assert not found(*before, days("2.1", sessions=4, people=2, lacks="lines"))  # the day is not over
    assert found(*before, days("2.1", sessions=3, people=1, on=1, lacks="lines")) == [("2.1", "lines")]
    assert not found(*before, days("2.1", sessions=2, people=2, on=1, lacks="lines"))
    assert not found(*before, days("2.1", sessions=6, people=2, on=1, lacks="lines", having=1))


def test_a_weekend_of_a_large_organisation_is_no_small_organisation() -> None:
    sunday = days("2.0", sessions=4, people=1, on=1, lacks="lines")
    assert not found(*BEFORE, sunday)


def test_two_versions_at_once_are_judged_apart() -> None:
    both = [days("2.0", sessions=30), days("2.1", sessions=30, lacks="metrics")]
    assert found(*BEFORE, *both) == [("2.1", "metrics")]


def test_programs_of_one_name_that_were_there_as_long_are_not_compared() -> None:
    """An editor's version is no later one of the command line's."""
    beside = [days("1.104", sessions=20, on=back, lacks="tool_calls") for back in (3, 4, 5)]
    assert not found(*BEFORE, *beside, days("1.104", sessions=20, lacks="tool_calls"), days("2.0", sessions=20))


def test_the_nearest_lower_version_is_the_one_before() -> None:
    old = days("2.0.9", sessions=50, on=5, lacks="commits")
    new = [days("2.0.10", sessions=20, on=3), days("2.0.11", sessions=20, people=4, lacks="commits")]
    [silence] = silent_versions([old, *new], MONDAY)
    assert silence.version_before == "2.0.10"


def test_a_first_version_ever_has_nothing_to_be_compared_with() -> None:
    assert not found(days("2.0", sessions=50, lacks="lines"))


def test_a_few_sessions_before_are_no_usage() -> None:
    assert not found(days("2.0", sessions=9, on=3), days("2.1", sessions=50, lacks="lines"))


def test_parts_of_a_silent_whole_are_not_reported() -> None:
    counts = dict.fromkeys(USUAL, 20) | dict.fromkeys(("metrics", "metric_tokens", "lines", "commits"), 0)
    assert found(*BEFORE, VersionDay("codex", "2.1", MONDAY, 20, 5, counts)) == [("2.1", "metrics")]


def test_sessions_that_name_no_version_any_more_lack_the_version() -> None:
    assert found(*BEFORE, days("", sessions=20, lacks="version")) == [("", "version")]


def test_an_agent_that_disappears_is_no_version() -> None:
    assert not found(*BEFORE)


def test_what_returned_is_not_noticed_again_by_yesterdays_sessions() -> None:
    yesterday = days("2.1", sessions=20, on=1, lacks="lines")
    few, many = days("2.1", sessions=4, people=2), days("2.1", sessions=15)
    assert found(*BEFORE, yesterday, few) == [("2.1", "lines")]
    assert not found(*BEFORE, yesterday, many)


def test_a_silence_of_many_is_not_ended_by_a_quiet_day() -> None:
    silence = VersionSilence("codex", "2.1", "lines", MONDAY - timedelta(days=5), 40, 8, 1.0, "2.0")
    assert not has_returned([days("2.1", sessions=3, people=1)], silence, MONDAY)
    assert has_returned([days("2.1", sessions=10, people=3, lacks="lines", having=5)], silence, MONDAY)
    assert not has_returned([days("2.1", sessions=10, people=3, lacks="lines", having=4)], silence, MONDAY)


def test_a_silence_of_few_ends_with_a_whole_day_of_few() -> None:
    silence = VersionSilence("codex", "2.1", "lines", MONDAY - timedelta(days=5), 4, 2, 1.0, "2.0")
    assert not has_returned([days("2.1", sessions=1, people=1)], silence, MONDAY)
    assert has_returned([days("2.1", sessions=1, people=1, on=1)], silence, MONDAY)
