"""Faults of machines: the collector is never in the way, loses nothing, counts nothing twice, and says so."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from agent import commands
from agent.ledger import HOME_VARIABLE, LONGEST_ID
from bench.collector_cases import A3, B3, HUMAN
from bench.collector_world import World
from integrations.collector.machines import add_machine
from integrations.models import CollectedLines
from orgtree.models import Person
from tests.collector.door import Door


def test_the_hooks_of_a_second_collector_take_the_place_of_the_first(tmp_path: Path, door: Door) -> None:
    """They are in different folders; doctor of the first names it, and installing the first again is enough."""
    world = World(tmp_path, server=door.address)
    other = {**world.environment, HOME_VARIABLE: str(world.home / "other-agent")}
    world.agent("install", "--server", door.address, "--token", "hwi_other", environment=other)
    world.edit("s-1", "app.py", *A3)
    sha = world.commit()
    assert [commit["commit"] for commit in door.commits] == [sha]
    assert "incomplete" in world.agent("doctor", status=1)
    world.agent("uninstall", environment=other)
    world.agent("install")
    world.edit("s-1", "app.py", *A3, *B3)
    world.commit()
    assert len({commit["commit"] for commit in door.commits}) == 2


@pytest.mark.django_db
def test_a_copied_machine_image_counts_nothing_twice(tmp_path: Path, door: Door) -> None:
    """Both copies have the token and the queue."""
    person = Person.objects.create(full_name="Ada", email="ada@example.com")
    token = add_machine(person, "laptop")
    world = World(tmp_path, server=door.address, token=token)
    door.answer = 503, b""
    world.edit("s-1", "app.py", *A3)
    world.commit()
    copy = tmp_path / "copy"
    shutil.copytree(world.home, copy, symlinks=True)
    door.answer = 200, b'{"accepted": 1}'
    for home in (world.home, copy):
        world.agent("install", environment={**world.environment, "HOME": str(home)})
    assert len(door.commits) == 2
    for _, report in door.arrived:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        assert client.post("/collector/v1/reports", report, "application/json").status_code == 200
    assert [lines.lines_by_type for lines in CollectedLines.objects.all()] == [{".py": 3}]


def test_a_truncated_ledger_begins_anew_and_doctor_says_so(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    world.edit("s-1", "app.py", *A3)
    world.commit()
    path = world.home / ".headway-agent" / "ledger.db"
    for name in ("ledger.db-wal", "ledger.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    os.truncate(path, path.stat().st_size // 2)
    world.edit("s-1", "more.py", *B3)
    sha = world.commit()
    if not world.counts(sha):  # SQLite noticed only now, and the next edit is recorded
        world.edit("s-1", "again.py", *HUMAN)
        assert world.counts(world.commit()) == {"s-1": len(HUMAN)}
    assert "damaged" in world.agent("doctor", status=1)


def test_a_ledger_that_cannot_be_written_is_named_by_doctor(tmp_path: Path) -> None:
    """A lock that is never given back stands for a read-only disk, which does not stop root."""
    world = World(tmp_path)
    connection = sqlite3.connect(world.home / ".headway-agent" / "ledger.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        assert "The ledger cannot be used" in world.agent("doctor", status=1)
        world.write("typed.py", *HUMAN)
        world.commit()
    finally:
        connection.close()


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can be somebody else")
def test_a_folder_that_is_read_only_is_named_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    """As another account, because nothing is read-only for root."""
    world = World(tmp_path)
    folder = world.home / ".headway-agent"
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    subprocess.run(["chown", "-R", "nobody", str(tmp_path)], check=True)
    subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
    for command in ("doctor", "status", "pause", "backfill", "uninstall"):
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, str(world.archive), command],
            env=world.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert str(folder) in done.stderr
    assert (folder / "manifest.json").exists()


def test_a_folder_of_hooks_that_cannot_be_written_is_named_by_doctor(tmp_path: Path) -> None:
    """A file in its place stands for it, which stops root as well."""
    world = World(tmp_path)
    hooks = world.repository / ".git" / "hooks"
    shutil.rmtree(hooks)
    hooks.write_text("not a folder")
    world.edit("s-1", "app.py", *A3)
    world.git("add", "-A")
    world.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "without a hook")
    world.edit("s-1", "more.py", *B3)  # the next event of an agent catches up
    world.shell("s-1", "true")
    assert world.counts("HEAD") == {"s-1": 3}
    assert "its hooks cannot be written" in world.agent("doctor", status=1)


def test_a_sparse_checkout(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("kept/app.py", *HUMAN)
    world.write("left/out.py", *HUMAN)
    world.commit()
    world.git("sparse-checkout", "set", "kept")
    world.edit("s-1", "kept/app.py", *HUMAN, *A3)
    assert world.counts(world.commit("-qam", "change")) == {"s-1": 3}


def test_a_file_of_500_megabytes_has_no_lines_and_holds_up_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    huge = world.repository / "huge.bin"
    payload = {"session_id": "s-1", "cwd": str(world.repository), "tool_name": "Write", "tool_use_id": "t"}
    payload |= {"tool_input": {"file_path": str(huge), "content": "one line"}}  # type: ignore[dict-item]
    world.hook("claude_code", {**payload, "hook_event_name": "PreToolUse"})
    with huge.open("wb") as file:
        file.truncate(500_000_000)
    world.hook("claude_code", {**payload, "hook_event_name": "PostToolUse"})
    world.edit("s-1", "app.py", *A3)
    world.git("add", "app.py")
    assert world.counts(world.commit("-m", "change")) == {"s-1": 3}


def test_line_endings_and_tabs_that_a_formatter_changes_keep_the_owner(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.edit("s-1", "app.py", "def compute(value):", "    return value + 1", "result = compute(41)")
    path = world.repository / "app.py"
    path.write_bytes(path.read_bytes().replace(b"    ", b"\t").replace(b"\n", b"\r\n"))
    assert world.counts(world.commit()) == {"s-1": 3}


def test_an_agent_that_is_updated_under_it_and_drops_our_hooks_is_named(tmp_path: Path) -> None:
    """A new version writes its settings anew: doctor names the agent, and installing again helps."""
    world = World(tmp_path)
    world.edit("s-1", "app.py", *A3)
    settings = world.home / ".claude" / "settings.json"
    settings.write_text(json.dumps({"hooks": {"PostToolUse": []}, "version": "next"}))
    assert "Claude Code: its hooks are not installed" in world.agent("doctor", status=1)
    world.agent("install")
    world.edit("s-1", "app.py", *A3, *B3)
    assert world.counts(world.commit()) == {"s-1": 6}
    assert json.loads(settings.read_text())["version"] == "next"


def test_ids_that_are_too_long_for_the_server_are_shortened_and_stay_apart(tmp_path: Path, door: Door) -> None:
    """Two sessions whose ids differ at the end alone, by hooks and in a transcript: each counts, none is refused."""
    world = World(tmp_path, server=door.address)
    first, second = ("s" * 300 + end for end in "12")
    world.edit(first, "app.py", *A3)
    world.edit(second, "more.py", *B3)
    counts = world.counts(world.commit())
    assert sorted(counts.values()) == [len(A3), len(B3)]
    assert all(len(session) == LONGEST_ID for session in counts)
    path = world.home / ".claude" / "projects" / "x" / "long.jsonl"
    path.parent.mkdir(parents=True)
    usage = {"input_tokens": 1, "output_tokens": 2}
    at = datetime.now(UTC).isoformat()
    entries = [
        {"type": "assistant", "sessionId": session, "timestamp": at, "requestId": f"r{session}", "message": message}
        for session in (first, second)
        for message in [{"id": "m", "model": "claude-opus-4-7", "usage": usage, "content": []}]
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    world.agent("doctor", status=1)  # the other agents have not run
    sessions = [part for _, report in door.arrived for part in report["sessions"] if part["requests"]]
    assert {session["session"] for session in sessions} == {*counts}
    assert all(len(request["id"]) == LONGEST_ID for session in sessions for request in session["requests"])


def test_backfill_waits_for_a_worker_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was reading would note its position after backfill has begun again."""
    world = World(tmp_path)
    with (world.home / ".headway-agent" / "worker.lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setattr(commands, "SECONDS_TO_WAIT", 0)
        monkeypatch.setenv(HOME_VARIABLE, str(world.home / ".headway-agent"))
        with pytest.raises(commands.CommandError, match="Try again in a minute"):
            commands._backfill(30)
    assert "new requests" in world.agent("backfill", status=1)  # nothing answers at the server's address
