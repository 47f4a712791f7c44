"""Telemetry through the receiver and commits through git: they meet, whichever comes first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.code.attribution.tasks import attribute_pending
from integrations.models import AgentSession, RepositorySource
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.code.attribution.world import attributed
from tests.code.git.repositories import Repo, lines
from tests.org import Org

pytestmark = pytest.mark.django_db
ADA = "Ada Example <ada@example.com>"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "shop")


def sync(repo: Repo) -> None:
    sync_source(RepositorySource.objects.get(external_id=str(repo.path)))
    attribute_pending()


def outcomes() -> dict[str, tuple[bool, bool]]:
    return {session.external_id: (session.committed, session.covered) for session in AgentSession.objects.all()}


@pytest.mark.parametrize("telemetry_first", [True, False])
def test_a_plain_commit_in_a_session_commits_its_spend(repo: Repo, org: Org, telemetry_first: bool) -> None:
    """Two sessions of 1,000 tokens; in one of them Ada commits 30 lines of the 40 that the agent wrote."""

    def tell() -> None:
        org.session(by="ada@example.com", on="2026-03-02", at="10:00", lines=40, session_id="used")
        org.session(by="ada@example.com", on="2026-03-04", at="10:00", lines=40, session_id="thrown-away")
        fold_received_batches()
        attribute_pending()

    if telemetry_first:
        tell()
        assert outcomes() == {"used": (False, False), "thrown-away": (False, False)}
    repo.commit({"shop.py": lines(30)}, by=ADA, at=datetime(2026, 3, 2, 10, 5, tzinfo=UTC))
    connect_git(repo.path)
    sync(repo)
    if not telemetry_first:
        tell()
    assert attributed() == {("claude_code", "used"): {"shop.py": 30}}
    assert outcomes() == {"used": (True, True), "thrown-away": (False, True)}


def test_a_note_is_read_with_the_commit_and_withdrawn_with_its_ref(repo: Repo) -> None:
    sha = repo.commit({"shop.py": lines(30)}, by=ADA)
    document = {
        "schema_version": "authorship/3.0.0",
        "base_commit_sha": sha,
        "prompts": {},
        "sessions": {"s_0123456789abcd": {"agent_id": {"tool": "codex", "id": "t-1", "model": "gpt-5"}}},
    }
    text = f"shop.py\n  s_0123456789abcd::t_0123456789abcd 1-12\n---\n{json.dumps(document)}"
    signed = ("-c", "user.name=Ada Example", "-c", "user.email=ada@example.com")
    for ref in ("ai", "exceeds-ink"):
        repo.git(*signed, "notes", f"--ref={ref}", "add", "-m", text, sha)
    connect_git(repo.path)
    sync(repo)
    assert attributed() == {("codex", ""): {"shop.py": 12}}
    repo.git("update-ref", "-d", "refs/notes/ai")
    sync(repo)
    assert attributed() == {("codex", ""): {"shop.py": 12}}
    repo.git("update-ref", "-d", "refs/notes/exceeds-ink")
    sync(repo)
    assert attributed() == {}


def test_spend_has_its_outcome(repo: Repo, org: Org) -> None:
    org.session(by="ada@example.com", on="2026-03-02", at="10:00", lines=40, tokens=3000)
    org.session(by="ada@example.com", on="2026-03-03", at="10:00", lines=40, tokens=1000)
    org.session(by="ben@example.com", on="2026-03-03", at="10:00", lines=40, tokens=500)
    repo.commit({"shop.py": lines(30)}, by=ADA, at=datetime(2026, 3, 2, 10, 5, tzinfo=UTC))
    connect_git(repo.path)
    fold_received_batches()
    sync(repo)
    spend = org.metric("ai.spend", week="2026-W10").value
    assert spend is not None
    shares = {
        name: round((org.metric("ai.spend", week="2026-W10", outcome=name).value or 0) / spend, 6)
        for name in ("committed", "wasted", "unknown", "pending")
    }
    assert shares == {"committed": 0.666667, "wasted": 0.222222, "unknown": 0.111111, "pending": 0}
