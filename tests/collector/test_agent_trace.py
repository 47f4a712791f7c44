"""Agent Trace records of a commit, against the specification's schema, git's blame, and Headway's own reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from bench.collector_cases import A3, B3, HUMAN
from bench.collector_world import World
from integrations.code.attribution.agent_trace import traced_files
from integrations.collector.machines import add_machine
from integrations.sync.git.connect import connect_git
from orgtree.access.api_tokens import create_api_token
from orgtree.models import IndividualPolicy, Organisation, TokenScope
from tests.collector.door import Door
from tests.collector.test_end_to_end import ada, deliver, sync
from tests.personas import ADMIN, MEMBER, OTHER_MEMBER, create_user, signed_in

pytestmark = pytest.mark.django_db

# https://github.com/cursor/agent-trace README, section 6.1 (February 2026): what it requires and restricts.
TEXT = {"type": "string"}
CONTRIBUTOR = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"enum": ["human", "ai", "mixed", "unknown"]}, "model_id": {**TEXT, "maxLength": 250}},
}
LINE = {"type": "integer", "minimum": 1}
RANGE = {
    "type": "object",
    "required": ["start_line", "end_line"],
    "properties": {"start_line": LINE, "end_line": LINE, "content_hash": TEXT, "contributor": CONTRIBUTOR},
}
CONVERSATION = {
    "type": "object",
    "required": ["ranges"],
    "properties": {
        "url": {**TEXT, "format": "uri"},
        "contributor": CONTRIBUTOR,
        "ranges": {"type": "array", "items": RANGE},
    },
}
FILE = {
    "type": "object",
    "required": ["path", "conversations"],
    "properties": {"path": TEXT, "conversations": {"type": "array", "items": CONVERSATION}},
}
RECORD = Draft202012Validator(
    {
        "type": "object",
        "required": ["version", "id", "timestamp", "files"],
        "properties": {
            "version": {**TEXT, "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
            "id": {**TEXT, "format": "uuid"},
            "timestamp": {**TEXT, "format": "date-time"},
            "vcs": {
                "type": "object",
                "required": ["type", "revision"],
                "properties": {"type": {"enum": ["git", "jj", "hg", "svn"]}, "revision": TEXT},
            },
            "tool": {"type": "object", "properties": {"name": TEXT, "version": TEXT}},
            "files": {"type": "array", "items": FILE},
            "metadata": {"type": "object"},
        },
    },
    format_checker=FormatChecker(),
)


def records_of(sha: str, client: Client | None = None) -> list[dict[str, Any]]:
    answer = (client or signed_in(ADMIN)).get(f"/api/v1/commits/{sha}/agent-trace/")
    assert answer.status_code == 200, answer.content
    document = answer.json()
    assert (document["commit"], document["evidence_left_out"]) == (sha, 0)
    for record in document["records"]:
        RECORD.validate(record)
    return sorted(document["records"], key=lambda record: (record["tool"]["name"], record["vcs"]["revision"]))


def ranges_in(record: dict[str, Any]) -> dict[str, list[tuple[int, int]]]:
    return {
        file["path"]: [(lines["start_line"], lines["end_line"]) for lines in conversation["ranges"]]
        for file in record["files"]
        for conversation in file["conversations"]
    }


@pytest.fixture
def world(tmp_path: Path, door: Door) -> World:
    return World(tmp_path, server=door.address, token=add_machine(ada(), "laptop"))


def read(world: World, door: Door) -> None:
    deliver(door)
    connect_git(world.repository)
    sync(world)


def test_lines_have_positions_where_a_note_of_the_commit_names_them(world: World, door: Door) -> None:
    """Exactly the agent's lines: of what stands there, git shows the text."""
    world.agent("install", "--notes")
    world.write("app.py", *HUMAN)
    world.commit()
    world.edit("s-1", "app.py", *HUMAN, *A3)
    world.insert("app.py", A3[1], "typed = 'by hand'")
    world.edit("s-2", "my notes.md", *B3, agent="codex")
    sha = world.commit()
    read(world, door)
    claude, codex = records_of(sha)
    assert (claude["tool"]["name"], codex["tool"]["name"]) == ("claude_code", "codex")
    assert claude["vcs"] == {"type": "git", "revision": sha}
    stored = world.git("show", f"{sha}:app.py").splitlines()
    located = [stored[line - 1] for first, last in ranges_in(claude)["app.py"] for line in range(first, last + 1)]
    assert located == [*A3]
    assert ranges_in(codex) == {"my notes.md": [(1, 3)]}
    assert claude["metadata"] == {
        "session_id": "s-1",
        "org.headway": {
            "method": "line_checkpoint",
            "level": "line",
            "confidence": 0.98,
            "lines_by_path": {"app.py": 3},
        },
    }
    # Headway's reader of Agent Trace, which knows nothing of this page, reads the same lines of the same sessions.
    files = traced_files([json.dumps([claude, codex]).encode()])
    assert sorted(
        (file.path, [(of.first, of.last, of.writer and of.writer.external_session) for of in file.ranges])
        for file in files
    ) == [("app.py", [(*lines, "s-1") for lines in ranges_in(claude)["app.py"]]), ("my notes.md", [(1, 3, "s-2")])]
    assert records_of(sha) == [claude, codex]


def test_without_a_note_the_number_of_lines_is_known_and_not_which(world: World, door: Door) -> None:
    world.edit("s-1", "app.py", *HUMAN, *A3)
    sha = world.commit()
    read(world, door)
    (record,) = records_of(sha)
    assert ranges_in(record) == {"app.py": []}
    assert record["metadata"]["org.headway"]["lines_by_path"] == {"app.py": len(HUMAN) + 3}


def test_records_of_a_squash_are_about_the_commits_of_its_branch(world: World, door: Door) -> None:
    world.agent("install", "--notes")
    world.write("app.py", *HUMAN)
    world.commit()
    world.git("switch", "-qc", "work")
    world.edit("s-1", "app.py", *HUMAN, *A3)
    branch = world.commit()
    world.git("switch", "-q", "main")
    world.write("other.py", "a line of somebody else")
    world.git("add", "-A")
    world.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "meanwhile")
    world.git("merge", "-q", "--squash", "work")
    world.git("-c", "core.hooksPath=/dev/null", "-c", "user.email=host@example.com", "commit", "-qm", "one (#1)")
    read(world, door)
    (record,) = records_of(world.git("rev-parse", "HEAD").strip())
    assert record["vcs"]["revision"] == branch
    assert ranges_in(record) == {"app.py": [(len(HUMAN) + 1, len(HUMAN) + 3)]}


def test_a_trailer_is_about_the_commit_as_a_whole(world: World, door: Door) -> None:
    world.write("app.py", *HUMAN)
    world.git("add", "-A")
    sha = world.commit("-m", "Add it\n\nCo-authored-by: Claude <noreply@anthropic.com>")
    read(world, door)
    (record,) = records_of(sha)
    assert record["files"] == []
    assert record["metadata"]["org.headway"]["level"] == "commit"


def test_a_commit_without_evidence_has_no_record(world: World, door: Door) -> None:
    world.write("app.py", *HUMAN)
    sha = world.commit()
    read(world, door)
    assert records_of(sha) == []


def test_a_clone_that_is_gone_locates_nothing(world: World, door: Door) -> None:
    world.agent("install", "--notes")
    world.edit("s-1", "app.py", *A3)
    sha = world.commit()
    read(world, door)
    world.repository.rename(world.repository.with_name("moved"))
    (record,) = records_of(sha)
    assert ranges_in(record) == {"app.py": []}


def test_who_may_not_see_the_commit_sees_no_record(world: World, door: Door) -> None:
    world.edit("s-1", "app.py", *A3)
    sha = world.commit()
    read(world, door)
    person = ada()
    person.user = create_user(MEMBER)
    person.save()
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "protected_since": timezone.now()}
    Organisation.objects.update_or_create(pk=1, defaults=policy)
    assert len(records_of(sha, signed_in(MEMBER))) == 1
    address = f"/api/v1/commits/{sha}/agent-trace/"
    nobody = create_api_token("aggregates", user=None, scope=TokenScope.READ, expires_at=None)[1]
    for client in (signed_in(OTHER_MEMBER), Client(headers={"Authorization": f"Bearer {nobody}"})):
        assert client.get(address).status_code == 404
    assert signed_in(MEMBER).get("/api/v1/commits/0123/agent-trace/").status_code == 404
