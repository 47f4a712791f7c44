"""A vendor's label on a pull request, and Entire's trailer, are evidence of commit level."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.code.attribution.evidence import evidence_of
from integrations.code.attribution.label_evidence import LABELS
from integrations.connectors.git.agent_signatures import agent_of_trailer, agents_of_message
from integrations.connectors.git.history import ReadCommit, Signature
from integrations.connectors.git.messages import Trailer
from integrations.models import CommitEvidence, FileAttribution, Method
from tests.code.attribution.test_work_of_spend import merged
from tests.code.attribution.world import at, attribute, attributed, commit, note, recompute_all
from tests.delivery.pull_requests.histories import draft_of
from tests.intake.conftest import Tell, github, tell

__all__ = ["github", "tell"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("label", ["claude-code-assisted", "Claude-Code-Assisted"])
def test_a_labelled_pull_request_s_lines_are_the_agent_s_as_an_upper_bound(tell: Tell, label: str) -> None:
    history = merged(1, "feat: tea", [commit("one", "10:10", {"a.py": 20})])
    history.labels = (label, "size/S")
    commit("other", "10:20", {"b.py": 10})
    tell(draft_of(history))
    recompute_all()
    assert attributed() == {("claude_code", ""): {"a.py": 20}}
    assert set(FileAttribution.objects.values_list("method", "level")) == {("label", "commit")}


def test_a_label_that_is_taken_away_takes_its_evidence_along(tell: Tell) -> None:
    history = merged(1, "feat: tea", [commit("one", "10:10", {"a.py": 20})])
    history.labels = ("claude-code-assisted",)
    tell(draft_of(history))
    recompute_all()
    history.labels = ("size/S",)
    tell(draft_of(history))
    recompute_all()
    assert attributed() == {}
    assert not CommitEvidence.objects.filter(method=Method.LABEL, withdrawn_at=None).exists()


def test_a_label_of_another_agent_replaces_the_evidence_at_once(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LABELS, "codex-assisted", "codex")
    history = merged(1, "feat: tea", [commit("one", "10:10", {"a.py": 20})])
    history.labels = ("claude-code-assisted",)
    tell(draft_of(history))
    recompute_all()
    history.labels = ("codex-assisted",)
    tell(draft_of(history))
    recompute_all()
    assert attributed() == {("codex", ""): {"a.py": 20}}


def test_a_note_of_lines_decides_beside_a_label(tell: Tell) -> None:
    one = commit("one", "10:10", {"a.py": 20})
    note(one, {"a.py": 5})
    history = merged(1, "feat: tea", [one])
    history.labels = ("claude-code-assisted",)
    tell(draft_of(history))
    recompute_all()
    attribute()
    assert attributed() == {("claude_code", ""): {"a.py": 5}}


def test_entire_s_checkpoint_is_evidence_of_an_agent_that_it_does_not_name() -> None:
    assert agent_of_trailer("Entire-Checkpoint", "a1b2c3d4e5f6") == "entire"
    assert agents_of_message("Serve tea\n\nEntire-Checkpoint: a1b2c3d4e5f6\n") == ("entire",)


def test_who_signs_beside_entire_has_the_lines_alone() -> None:
    ada = Signature("Ada Example", "ada@example.com", at("10:00"))
    trailers = (
        Trailer("Entire-Checkpoint", "a1b2c3d4e5f6"),
        Trailer("Claude-Session", "https://claude.ai/code/session_1"),
    )
    signed = ReadCommit("0" * 40, (), ada, ada, "Serve tea", trailers, ())
    assert [evidence.agent for evidence in evidence_of(signed, ())] == ["claude_code"]
    alone = replace(signed, trailers=trailers[:1])
    assert [evidence.agent for evidence in evidence_of(alone, ())] == ["entire"]
