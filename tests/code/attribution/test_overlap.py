"""Commits without a trailer or a note, and the sessions they lie near."""

from __future__ import annotations

import pytest

from integrations.models import CommitEvidence, Method
from tests.code.attribution.world import attribute, attributed, commit, note, session, trailer

pytestmark = pytest.mark.django_db
CLAUDE = "claude_code"


def overlap_evidence() -> list[tuple[str, float]]:
    """The session's name and the confidence, of each that stands."""
    evidence = CommitEvidence.objects.filter(method=Method.OVERLAP, withdrawn_at=None)
    return [(row.session.external_id if row.session else "", row.confidence) for row in evidence.order_by("pk")]


@pytest.mark.parametrize(
    ("clock", "near"),
    [("09:54", False), ("09:55", True), ("10:00", True), ("10:40", True), ("11:40", True), ("11:41", False)],
)
def test_a_commit_lies_near_from_five_minutes_before_to_an_hour_after(clock: str, near: bool) -> None:
    session("s", "10:00", "10:40")
    commit("c", clock, {"a.py": 10})
    attribute()
    assert attributed() == ({(CLAUDE, "s"): {"a.py": 10}} if near else {})


def test_the_session_that_ran_goes_before_one_that_ended_shortly_before() -> None:
    session("ended", "09:00", "10:29")
    session("ran", "10:00", "11:00")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    assert attributed() == {(CLAUDE, "ran"): {"a.py": 10}}


def test_of_those_that_ended_the_last_counts() -> None:
    session("earlier", "09:00", "09:40")
    session("later", "09:10", "09:50")
    session("next", "10:04", "10:30")
    commit("c", "10:00", {"a.py": 10})
    attribute()
    assert attributed() == {(CLAUDE, "later"): {"a.py": 10}}


def test_a_pause_of_hours_within_a_resumed_session_is_nobodys() -> None:
    session("s", "08:00", "08:30", more=[("15:00", "16:00")])
    commit("in the pause", "12:00", {"a.py": 10})
    commit("after it", "15:30", {"b.py": 10})
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"b.py": 10}}


def test_somebody_elses_session_and_one_without_lines_are_no_evidence() -> None:
    session("of ben", "10:00", "11:00", by="ben@example.com")
    session("reading only", "10:00", "11:00", lines=0)
    commit("c", "10:30", {"a.py": 10})
    attribute()
    assert attributed() == {}


def test_commits_take_what_their_session_generated_in_the_order_of_author_time() -> None:
    """100 generated: 60 go to the first commit, 40 of 80 to the second (a 60 → 30, b 20 → 10), none to the third."""
    session("s", "10:00", "11:00", lines=100)
    commit("third", "10:50", {"z.py": 5})
    commit("second", "10:30", {"a.py": 60, "b.py": 20})
    commit("first", "10:10", {"first.py": 60})
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"first.py": 60, "a.py": 30, "b.py": 10}}


def test_what_a_note_attests_is_no_longer_left_for_others() -> None:
    """The note explains 70 of 100 lines: the other commit of 50 gets 30."""
    session("s", "10:00", "11:00", lines=100)
    commit("plain", "10:10", {"plain.py": 50})
    note(commit("noted", "10:20", {"noted.py": 90}), {"noted.py": 70}, session="s")
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"plain.py": 30, "noted.py": 70}}


def test_a_session_that_goes_on_gives_more_and_a_commit_that_comes_late_takes_its_turn() -> None:
    session("s", "10:00", "10:30", lines=10)
    commit("later", "10:20", {"later.py": 30})
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"later.py": 10}}
    session("s", "10:00", "11:00", lines=50)
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"later.py": 30}}
    commit("earlier", "10:10", {"earlier.py": 40})
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"earlier.py": 40, "later.py": 10}}


def test_a_nearer_session_that_comes_late_takes_the_commit_over() -> None:
    session("ended", "09:00", "10:00")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    session("ran", "10:20", "10:40")
    attribute()
    assert attributed() == {(CLAUDE, "ran"): {"a.py": 10}}
    assert overlap_evidence() == [("ran", 0.4)]


def test_an_agent_that_counted_a_commit_makes_it_likelier() -> None:
    session("s", "10:00", "11:00", commits=1)
    commit("c", "10:30", {"a.py": 10})
    attribute()
    assert overlap_evidence() == [("s", 0.6)]


def test_better_evidence_stands_alone_and_finds_its_session() -> None:
    session("codex", "10:00", "11:00", agent="codex")
    session("claude", "10:00", "10:20", lines=3)
    trailer(commit("c", "10:30", {"a.py": 10}))
    attribute()
    assert attributed() == {(CLAUDE, "claude"): {"a.py": 10}}


def test_a_trailer_of_an_agent_without_a_session_near_has_none() -> None:
    session("codex", "10:00", "11:00", agent="codex")
    trailer(commit("c", "10:30", {"a.py": 10}), agent="cursor")
    attribute()
    assert attributed() == {("cursor", ""): {"a.py": 10}}


def test_a_squash_counts_what_its_branch_says_and_not_who_worked_when_it_was_merged() -> None:
    """Parts of 10 and 20 lines by s, of which 12 generated; the session at the time of the squash wrote none of it."""
    session("s", "10:00", "11:00", lines=12)
    session("at the merge", "15:00", "16:00")
    squash = commit("squash", "15:30", {"a.py": 10, "b.py": 15})
    commit("one", "10:10", {"a.py": 10}, exclusion_reason="squashed", duplicate_of=squash)
    commit("two", "10:20", {"b.py": 20}, exclusion_reason="squashed", duplicate_of=squash)
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"a.py": 10, "b.py": 2}}


def test_a_commit_that_stops_counting_gives_its_lines_back() -> None:
    session("s", "10:00", "11:00", lines=30)
    commit("first", "10:10", {"first.py": 20})
    commit("second", "10:20", {"second.py": 20})
    attribute()
    commit("first", "10:10", {"first.py": 20}, exclusion_reason="gone")
    attribute()
    assert attributed() == {(CLAUDE, "s"): {"second.py": 20}}
