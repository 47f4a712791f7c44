"""The evidence on the page of a commit, and filtering the list of commits by it."""

from __future__ import annotations

import pytest

from integrations.code.attribution.commit_evidence import agent_lines_of, evidence_of
from integrations.code.commits.listing import NO_EVIDENCE, CommitFilter, filter_commits
from integrations.models import Commit
from tests.code.attribution.world import attribute, commit, trailer

pytestmark = pytest.mark.django_db


@pytest.fixture
def squash() -> Commit:
    """A squash, which stands for a commit of its branch, which stands for what was rebased into it."""
    counted = commit("squash", "12:00", {"a.py": 10})
    part = commit("part", "11:00", {"a.py": 10}, exclusion_reason="squashed", duplicate_of=counted)
    rebased = commit("rebased", "11:30", {"a.py": 10}, exclusion_reason="duplicate", duplicate_of=part)
    trailer(of=rebased, agent="codex")
    attribute()
    return counted


def picked(**criteria: str) -> set[Commit]:
    return set(filter_commits(Commit.objects.filter(exclusion_reason=""), CommitFilter(**criteria)))


def test_a_commit_shows_the_evidence_from_which_its_lines_were_derived(squash: Commit) -> None:
    decided = agent_lines_of(squash)
    [seen], number = evidence_of(squash, decided)
    assert [(share.agent, share.lines) for share in decided] == [("codex", 10)]
    assert (seen.row.agent, seen.decided, number) == ("codex", True, 1)
    assert seen.row.commit.exclusion_reason == "duplicate"


def test_commits_are_picked_by_what_is_known_of_those_they_stand_for(squash: Commit) -> None:
    plain = commit("plain", "13:00", {"b.py": 1})
    assert picked(agent="codex") == picked(method="trailer") == {squash}
    assert picked(agent="claude_code") == picked(agent="codex", method="note") == set()
    assert picked(agent=NO_EVIDENCE) == {plain}
