"""Deciding evidence, and the sharing of lines: worked by hand."""

from __future__ import annotations

import pytest

from integrations.code.attribution.amounts import fit
from integrations.models import FileAttribution
from tests.code.attribution.world import attribute, attributed, commit, note, session, trailer

pytestmark = pytest.mark.django_db
CLAUDE = "claude_code"


def test_two_agents_that_signed_share_the_lines() -> None:
    signed = commit("c", "10:00", {"a.py": 7, "b.py": 1})
    trailer(signed, CLAUDE)
    trailer(signed, "codex")
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 3, "b.py": 1}, ("codex", ""): {"a.py": 4}}


def test_a_note_decides_over_a_trailer_and_says_less() -> None:
    signed = commit("c", "10:00", {"a.py": 10, "b.py": 10})
    trailer(signed, "codex")
    note(signed, {"a.py": 3})
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 3}}
    assert {(row.method, row.level) for row in FileAttribution.objects.all()} == {("note", "line")}


def test_two_sessions_of_a_note_never_exceed_the_lines_of_a_file() -> None:
    """12 and 6 lines are claimed of 9 that the commit adds: they are scaled to 6 and 3."""
    session("one", "08:00", "08:30")
    session("two", "08:00", "08:30")
    signed = commit("c", "10:00", {"a.py": 9})
    note(signed, {"a.py": 12}, session="one")
    note(signed, {"a.py": 6}, session="two")
    attribute()
    assert attributed() == {(CLAUDE, "one"): {"a.py": 6}, (CLAUDE, "two"): {"a.py": 3}}


def test_what_is_set_apart_has_no_ai_lines() -> None:
    trailer(commit("bulk", "10:00", {"a.py": 9000}, exclusion_reason="bulk"))
    attribute()
    assert attributed() == {}


def test_a_rebase_counts_its_evidence_once() -> None:
    stands = commit("new", "10:00", {"a.py": 9}, change="one change")
    before = commit("old", "10:00", {"a.py": 9}, change="one change", exclusion_reason="duplicate", duplicate_of=stands)
    for target in (stands, before):
        trailer(target, CLAUDE)
        trailer(target, "codex")
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 5}, ("codex", ""): {"a.py": 4}}


def test_a_rebase_that_lost_its_note_keeps_what_the_old_commit_says() -> None:
    stands = commit("new", "10:00", {"a.py": 9}, change="one change")
    note(
        commit("old", "10:00", {"a.py": 9}, change="one change", exclusion_reason="gone", duplicate_of=stands),
        {"a.py": 4},
    )
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 4}}


def test_a_squash_has_the_evidence_of_its_parts_and_no_more_lines_than_it_adds() -> None:
    """Claude signed a part of 6 lines, Codex one of 6; the squash adds 9: 4.5 each, in whole lines 4 and 5."""
    squash = commit("squash", "12:00", {"a.py": 9, "b.py": 5})
    trailer(commit("one", "10:00", {"a.py": 6}, exclusion_reason="squashed", duplicate_of=squash), CLAUDE)
    trailer(commit("two", "11:00", {"a.py": 6}, exclusion_reason="squashed", duplicate_of=squash), "codex")
    commit("three", "11:30", {"b.py": 5}, exclusion_reason="squashed", duplicate_of=squash)
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 4}, ("codex", ""): {"a.py": 5}}


def test_trailers_copied_into_a_squash_speak_of_their_part_only() -> None:
    squash = commit("squash", "12:00", {"a.py": 6, "b.py": 50})
    trailer(commit("one", "10:00", {"a.py": 6}, exclusion_reason="squashed", duplicate_of=squash))
    commit("two", "11:00", {"b.py": 50}, exclusion_reason="squashed", duplicate_of=squash)
    trailer(squash, text="copied by the host")
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 6}}


def test_a_squash_with_a_note_of_its_own_knows_better_than_its_parts() -> None:
    squash = commit("squash", "12:00", {"a.py": 20})
    note(commit("one", "10:00", {"a.py": 12}, exclusion_reason="squashed", duplicate_of=squash), {"a.py": 12})
    note(squash, {"a.py": 8})
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 8}}


def test_the_parts_of_a_squash_have_their_own_best_evidence() -> None:
    """A note says 3 of the first part's lines; a trailer all 5 of the second's; both parts are in one file."""
    squash = commit("squash", "12:00", {"a.py": 10})
    note(
        commit("one", "10:00", {"a.py": 5}, exclusion_reason="squashed", duplicate_of=squash),
        {"a.py": 3},
        agent="codex",
    )
    trailer(commit("two", "11:00", {"a.py": 5}, exclusion_reason="squashed", duplicate_of=squash))
    attribute()
    assert attributed() == {("codex", ""): {"a.py": 3}, (CLAUDE, ""): {"a.py": 5}}


def test_a_squash_that_was_rebased_keeps_the_evidence_of_its_parts() -> None:
    final = commit("squash again", "12:00", {"a.py": 6}, change="the squash")
    squash = commit("squash", "12:00", {"a.py": 6}, change="the squash", exclusion_reason="gone", duplicate_of=final)
    trailer(commit("one", "10:00", {"a.py": 6}, exclusion_reason="squashed", duplicate_of=squash))
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 6}}


def test_a_note_finds_the_session_that_arrives_after_it() -> None:
    note(commit("c", "20:00", {"a.py": 9}), {"a.py": 4}, session="late")
    attribute()
    assert attributed() == {(CLAUDE, ""): {"a.py": 4}}
    session("late", "08:00", "08:30")
    attribute()
    assert attributed() == {(CLAUDE, "late"): {"a.py": 4}}


def test_of_two_people_with_one_session_id_the_author_has_it() -> None:
    session("same", "08:00", "08:30", by="ben@example.com")
    session("same", "08:00", "08:30", by="ada@example.com")
    note(commit("c", "20:00", {"a.py": 9}, by="ada@example.com"), {"a.py": 4}, session="same")
    attribute()
    (row,) = FileAttribution.objects.select_related("session__identity")
    assert row.session is not None
    assert row.session.identity.value == "ada@example.com"


def test_lines_are_of_the_model_that_the_note_names_else_of_the_one_the_session_used_most() -> None:
    session("s", "10:00", "11:00")
    trailer(commit("signed", "10:30", {"a.py": 9}))
    note(commit("noted", "10:40", {"b.py": 9}), {"b.py": 4}, session="s", model="opus")
    trailer(commit("by hand of somebody unknown", "10:30", {"c.py": 9}, by="ben@example.com"))
    attribute()
    models = {row.file.path: row.model for row in FileAttribution.objects.select_related("file")}
    assert models == {"a.py": "sonnet", "b.py": "opus", "c.py": ""}


def test_what_fits_stays_and_what_does_not_is_scaled() -> None:
    assert fit([1, 2, 3], 6) == [1, 2, 3]
    assert fit([6, 3, 3], 8) == [4, 2, 2]
    assert fit([5, 5], 0) == [0, 0]
