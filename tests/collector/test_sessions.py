"""Sessions from transcripts and hooks: on the machine, and at the server beside telemetry."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from agent import hook, ledger, sessions, transcripts, upload
from agent.payloads import read_event
from agent.record import record_event
from bench.collector_world import World
from integrations.collector.machines import add_machine
from integrations.models import AgentRequest, AgentSession, AgentSessionDay, AgentToolCall
from integrations.silence.counting import version_days
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.models import Person
from tests.collector.door import Door
from tests.telemetry.agent_records import CODEX, codex_event
from tests.telemetry.intake import ADA, CLAUDE, NOW, REQUEST, SECOND, Intake, log_record, logs

SECRET = "heliotrope under the stairs"
START = NOW / SECOND - 7200


def iso(seconds: float) -> str:
    """A time that many seconds after the sessions began."""
    at = START + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the collector's folder, in this process; nothing is sent from it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(ledger.HOME_VARIABLE, str(tmp_path / ".headway-agent"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    with ledger.Ledger() as opened:
        sessions.begin(opened, START - 60)
    return tmp_path


def claude(at: float, kind: str, content: Any, *, session: str = "s-1", **fields: Any) -> dict[str, Any]:
    message = fields.pop("message", {})
    return {
        **{"type": kind, "uuid": f"uuid-{at}", "sessionId": session, "version": "2.1.332", "timestamp": iso(at)},
        **{"cwd": f"/{SECRET}", "gitBranch": SECRET, "message": {"role": kind, "content": content, **message}},
        **fields,
    }


def answer(at: float, number: int, content: Any, output: int, *, session: str = "s-1") -> dict[str, Any]:
    usage = {
        **{"input_tokens": 3, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 50},
        **{"cache_creation": {"ephemeral_1h_input_tokens": 20, "ephemeral_5m_input_tokens": 30}},
        **{"output_tokens": output, "service_tier": "standard"},
    }
    message = {"id": f"msg_{number}", "model": "claude-sonnet-4-5", "usage": usage}
    return claude(at, "assistant", content, session=session, requestId=f"req_{number}", message=message)


def use(tool: str, call: str) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": call, "name": tool, "input": {"command": SECRET}}]


def result(at: float, call: str, content: Any = SECRET, **fields: Any) -> dict[str, Any]:
    return claude(at, "user", [{"type": "tool_result", "tool_use_id": call, "content": content, **fields}])


CONVERSATION = [
    claude(0, "user", SECRET),
    answer(4, 1, [{"type": "thinking", "thinking": SECRET}], 1),
    answer(5, 1, use("Bash", "toolu_1"), 90),
    result(7, "toolu_1"),
    answer(9, 2, use("mcp__secrets__read", "toolu_2"), 40),
    result(10, "toolu_2", "The user doesn't want to proceed with this tool use.", is_error=True),
    answer(12, 3, use("Edit", "toolu_3"), 30),
    result(13, "toolu_3", f"<error>{SECRET}</error>", is_error=True),
    {"type": "summary", "summary": SECRET},
    {"type": "file-history-snapshot", "timestamp": iso(1)},
]
REQUESTS = [("req_1", 3, 1000, 50, 20, 90), ("req_2", 3, 1000, 50, 20, 40), ("req_3", 3, 1000, 50, 20, 30)]


def write(path: Path, entries: Iterable[Mapping[str, Any]], *, at: float = 60) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)
    os.utime(path, (START + at, START + at))


def collected() -> list[dict[str, Any]]:
    """The sessions of the next report."""
    with ledger.Ledger() as opened:
        sessions.read_transcripts(opened)
        documents: list[dict[str, Any]] = upload.report_of(opened, upload.next_part(opened, time.time()))["sessions"]
    return documents


def requests_of(documents: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("id", "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
    return [tuple(request[name] for name in names) for document in documents for request in document["requests"]]


def test_a_transcript_of_claude_code_gives_counts_and_no_text(machine: Path) -> None:
    write(machine / ".claude" / "projects" / "-work" / "s-1.jsonl", CONVERSATION)
    (document,) = documents = collected()
    assert (document["agent"], document["session"], document["version"]) == ("claude_code", "s-1", "2.1.332")
    assert requests_of(documents) == REQUESTS
    assert [(call["tool"], call["outcome"], call["duration_ms"]) for call in document["tool_calls"]] == [
        ("Bash", "succeeded", 2000),
        ("mcp_tool", "refused", 1000),
        ("Edit", "failed", 1000),
    ]
    assert document["turns"] == [iso(0)]
    connection = sqlite3.connect(machine / ".headway-agent" / "ledger.db")
    stored = "\n".join(connection.iterdump())
    connection.close()
    for text in (json.dumps(documents), stored):
        assert SECRET not in text
        assert "secrets" not in text


def test_a_response_counts_once_over_all_files(machine: Path) -> None:
    """A resumed session repeats the lines of the one before under its own id; a copy of a file repeats all."""
    folder = machine / ".claude" / "projects" / "-work"
    write(folder / "s-1.jsonl", CONVERSATION)
    repeated = [{**entry, "sessionId": "s-2"} for entry in CONVERSATION]
    write(folder / "s-2.jsonl", [*repeated, answer(90, 4, [], 10, session="s-2")], at=100)
    write(machine / ".claude" / "projects" / "copy" / "s-1.jsonl", CONVERSATION, at=120)
    documents = collected()
    assert requests_of(documents) == [*REQUESTS, ("req_4", 3, 1000, 50, 20, 10)]
    assert [document["session"] for document in documents] == ["s-1", "s-2"]
    assert sum(len(document["tool_calls"]) for document in documents) == 3


def test_what_is_written_later_is_read_later_and_half_a_line_not_yet(machine: Path) -> None:
    path = machine / ".claude" / "projects" / "-work" / "s-1.jsonl"
    for entry in CONVERSATION:
        with path.open("a") if path.exists() else _made(path) as file:
            text = json.dumps(entry) + "\n"
            file.write(text[: len(text) // 2])
            file.flush()
            os.utime(path, (START + 60, START + 60))
            with ledger.Ledger() as opened:
                sessions.read_transcripts(opened)
            file.write(text[len(text) // 2 :])
    os.utime(path, (START + 61, START + 61))
    assert requests_of(collected()) == REQUESTS
    assert len(collected()[0]["tool_calls"]) == 3


def _made(path: Path) -> Any:
    path.parent.mkdir(parents=True)
    return path.open("a")


def test_damaged_lines_and_impossible_counts_are_left_out(machine: Path) -> None:
    path = machine / ".claude" / "projects" / "-work" / "s-1.jsonl"
    negative = answer(20, 9, [], 5)
    negative["message"]["usage"] |= {"input_tokens": -5, "cache_read_input_tokens": "many", "output_tokens": True}
    write(path, [*CONVERSATION, negative])
    with path.open("ab") as file:
        file.write(b'{"type": "assistant", broken\n\xff\xfe\n[1]\n"text"\n' + b"[" * 100_000 + b"\n")
    assert requests_of(collected()) == [*REQUESTS, ("req_9", 0, 0, 50, 20, 0)]


def test_odd_texts_of_one_line_hold_up_no_other(machine: Path) -> None:
    """A line may hold half a surrogate pair, and a file's name bytes that are no text: SQLite stores neither."""
    folder = machine / ".claude" / "projects" / "-work"
    odd = {**answer(1, 7, use("/home/ada/secret plans", "toolu_\ud800"), 5), "requestId": "req_\ud800"}
    write(folder / "s-0.jsonl", [odd, result(2, "toolu_\ud800")], at=10)
    write(folder / os.fsdecode(b"s-\xff.jsonl"), [answer(3, 8, [], 5)], at=20)
    write(folder / "s-1.jsonl", CONVERSATION)
    documents = collected()
    assert [row[0] for row in requests_of(documents)] == ["req_?", "req_1", "req_2", "req_3"]
    assert documents[0]["tool_calls"][0]["tool"] == "other"


def test_transcripts_that_are_gone_are_forgotten(machine: Path) -> None:
    folder = machine / ".claude" / "projects" / "-work"
    write(folder / "s-0.jsonl", [answer(1, 7, [], 5)])
    write(folder / "s-1.jsonl", CONVERSATION)
    collected()
    (folder / "s-0.jsonl").unlink()
    assert len(requests_of(collected())) == 4
    with ledger.Ledger() as opened:
        assert opened.rows("SELECT path FROM transcript") == [(str(folder / "s-1.jsonl"),)]


def test_copies_that_name_their_origin_are_the_origins(machine: Path) -> None:
    """Even if the origin went on after the fork, so that the fork's file is read first."""
    folder = machine / ".claude" / "projects" / "-work"
    origin = {"sessionId": "s-1", "messageUuid": "uuid"}
    copies = [{**line, "sessionId": "s-2", "forkedFrom": origin} for line in CONVERSATION if "sessionId" in line]
    write(folder / "s-2.jsonl", [*copies, answer(30, 4, [], 5, session="s-2")], at=40)
    write(folder / "s-1.jsonl", CONVERSATION, at=60)
    documents = collected()
    found = [(document["session"], [request["id"] for request in document["requests"]]) for document in documents]
    assert found == [("s-1", ["req_1", "req_2", "req_3"]), ("s-2", ["req_4"])]


def codex(at: float, kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": iso(at), "type": kind, "payload": payload}


def counted(at: float, *total: int, last: tuple[int, ...] | None = None) -> dict[str, Any]:
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
    info = {"total_token_usage": dict(zip(names, total, strict=True))}
    info["last_token_usage"] = dict(zip(names, last or total, strict=True))
    return codex(at, "event_msg", type="token_count", info=info)


PATCHED = json.dumps({"output": SECRET, "metadata": {"exit_code": 0}})
ROLLOUT = [
    codex(0, "session_meta", id="c-1", cli_version="0.171.0", cwd=SECRET, git={"branch": SECRET}),
    codex(1, "turn_context", model="gpt-5.5", cwd=SECRET),
    codex(1, "event_msg", type="user_message", message=SECRET),
    codex(2, "event_msg", type="token_count", info=None),
    codex(3, "response_item", type="function_call", name="exec_command", call_id="call_1", arguments=SECRET),
    counted(4, 1000, 600, 0, 50),
    codex(5, "response_item", type="function_call_output", call_id="call_1", output=f"Exit code: 3\nOutput:\n{SECRET}"),
    counted(6, 1000, 600, 0, 50),
    codex(7, "response_item", type="custom_tool_call", name="apply_patch", call_id="call_2", input=SECRET),
    codex(
        8, "response_item", type="custom_tool_call_output", call_id="call_2", output='{"metadata": {"exit_code": 0}}'
    ),
    counted(9, 2500, 1800, 100, 80, last=(1500, 1200, 100, 30)),
]


def test_a_rollout_of_codex_gives_differences_of_totals(machine: Path) -> None:
    write(machine / ".codex" / "sessions" / "2026" / "11" / "30" / "rollout-c-1.jsonl", ROLLOUT)
    (document,) = documents = collected()
    assert [row[1:] for row in requests_of(documents)] == [(400, 600, 0, None, 50), (200, 1200, 100, None, 30)]
    assert {request["model"] for request in document["requests"]} == {"gpt-5.5"}
    assert [(call["tool"], call["outcome"]) for call in document["tool_calls"]] == [
        ("exec_command", "failed"),
        ("apply_patch", "succeeded"),
    ]
    assert SECRET not in json.dumps(documents)


def test_a_fork_of_codex_counts_what_is_its_own(machine: Path) -> None:
    folder = machine / ".codex" / "sessions"
    write(folder / "rollout-c-1.jsonl", ROLLOUT)
    fork = [codex(50, "session_meta", id="c-2", cli_version="0.171.0", forked_from_id="c-1"), *ROLLOUT]
    write(folder / "rollout-c-2.jsonl", [*fork, counted(70, 3500, 2700, 100, 90, last=(1000, 900, 0, 10))], at=80)
    documents = collected()
    assert [document["session"] for document in documents] == ["c-1", "c-2"]
    assert [row[1:] for row in requests_of(documents)][-1] == (100, 900, 0, None, 10)
    assert len(requests_of(documents)) == 3


def test_a_fork_dates_nothing_anew_that_was_before_the_installation(machine: Path) -> None:
    """Codex may write the copy of the origin with the time of the fork."""
    copy = [{**line, "timestamp": iso(50.1)} for line in ROLLOUT]
    fork = [codex(50, "session_meta", id="c-2", cli_version="0.171.0", forked_from_id="c-1"), *copy]
    own = counted(70, 3500, 2700, 100, 90, last=(1000, 900, 0, 10))
    write(machine / ".codex" / "sessions" / "rollout-c-2.jsonl", [*fork, own], at=80)
    (document,) = documents = collected()
    assert [row[1:] for row in requests_of(documents)] == [(100, 900, 0, None, 10)]
    assert (document["tool_calls"], document["turns"]) == ([], [])


def test_a_tool_of_a_server_has_no_name(machine: Path) -> None:
    used = {"type": "function_call", "namespace": "mcp__secrets__", "name": "read_plans", "call_id": "call_9"}
    ended = {"type": "function_call_output", "call_id": "call_9", "output": SECRET}
    lines = [{"timestamp": iso(10 + i), "type": "response_item", "payload": p} for i, p in enumerate((used, ended))]
    write(machine / ".codex" / "sessions" / "rollout-c-1.jsonl", [ROLLOUT[0], *lines])
    assert [call["tool"] for document in collected() for call in document["tool_calls"]] == ["mcp_tool"]


def test_sessions_from_before_the_installation_and_from_a_pause_are_not_read(machine: Path) -> None:
    path = machine / ".claude" / "projects" / "-work" / "s-1.jsonl"
    write(path, [answer(-600, 1, [], 5), answer(10, 2, [], 5), answer(100, 3, [], 5), answer(200, 4, [], 5)], at=300)
    with ledger.Ledger() as opened:
        sessions.note_pause(opened, START + 50, START + 150)
    assert [row[0] for row in requests_of(collected())] == ["req_2", "req_4"]
    with ledger.Ledger() as opened:
        sessions.begin_again(opened, 1, time.time())
    assert [row[0] for row in requests_of(collected())] == ["req_1", "req_2", "req_4"]


def test_agents_with_transcripts_are_the_known_ones() -> None:
    assert set(sessions.WITH_TRANSCRIPTS) == set(transcripts.SOURCES)


def test_hooks_of_cursor_give_times_and_outcomes_of_tools(machine: Path) -> None:
    common = {"conversation_id": "k-1", "cursor_version": "3.24.18", "workspace_roots": [str(machine)]}
    with ledger.Ledger() as opened:
        for payload in (
            {"hook_event_name": "sessionStart"},
            {"hook_event_name": "postToolUse", "tool_name": "Shell", "tool_use_id": "t-1", "duration": 12.4},
            {"hook_event_name": "postToolUseFailure", "tool_name": "MCP:jira", "tool_use_id": "t-2"},
            {"hook_event_name": "postToolUse", "tool_name": "Shell", "tool_use_id": "t-1", "duration": 12.4},
            {"hook_event_name": "stop", "status": "completed"},
        ):
            event = read_event("cursor", {**common, "tool_input": {"command": SECRET}, **payload})
            assert event is not None
            record_event(opened, event)
    (document,) = documents = collected()
    assert (document["agent"], document["session"], document["requests"]) == ("cursor", "k-1", [])
    assert [(call["tool"], call["outcome"], call["duration_ms"]) for call in document["tool_calls"]] == [
        ("Shell", "succeeded", 12),
        ("mcp_tool", "failed", None),
    ]
    assert len(document["turns"]) in (1, 2)  # one a minute
    assert SECRET not in json.dumps(documents)


def test_the_minute_of_the_installation_counts(machine: Path) -> None:
    installed = START - START % 60 + 30
    event = read_event("gemini_cli", {"hook_event_name": "BeforeAgent", "session_id": "g-1"})
    assert event is not None
    with ledger.Ledger() as opened:
        opened.set_note("sessions since", str(installed))
        sessions.note_event(opened, event, installed - 1)
        sessions.note_event(opened, event, installed + 1)
    assert [(document["session"], document["turns"]) for document in collected()] == [("g-1", [iso(-(START % 60))])]


def test_the_tokens_of_a_turn_of_cursor_count_once_as_one_request(machine: Path) -> None:
    """As a real one named them (https://github.com/receptron/mulmoterminal/pull/2071): input has its cached part."""
    common = {"conversation_id": "k-1", "workspace_roots": [str(machine)], "hook_event_name": "stop"}
    measured = {"input_tokens": 20152, "output_tokens": 15, "cache_read_tokens": 8704, "cache_write_tokens": 0}
    turns: list[dict[str, object]] = [
        {"generation_id": "g-1", "model": "default", **measured},
        {"generation_id": "g-1", "model": "default", **measured},
        {"generation_id": "g-2", "model": "claude-4.6-opus", **measured, "cache_write_tokens": 11448},
        {"generation_id": "g-3", "model": "m", **measured, "input_tokens": 1},  # not with its cached part
        {"generation_id": "g-4", "model": "m", "input_tokens": -5, "output_tokens": "many"},
        {"model": "m", **measured},  # which turn?
    ]
    with ledger.Ledger() as opened:
        for turn in turns:
            event = read_event("cursor", {**common, **turn})
            assert event is not None
            record_event(opened, event)
    (document,) = collected()
    requests = {
        request["id"]: (
            *(request["model"], request["input_tokens"], request["cache_read_tokens"]),
            *(request["cache_write_tokens"], request["cache_write_1h_tokens"], request["output_tokens"]),
        )
        for request in document["requests"]
    }
    assert requests == {
        "transcript:g-1": ("", 11448, 8704, 0, None, 15),
        "transcript:g-2": ("claude-4.6-opus", 0, 8704, 11448, None, 15),
        "transcript:g-3": ("m", 1, 8704, 0, None, 15),
    }


def test_a_report_that_the_server_cannot_take_holds_up_nothing_else(
    machine: Path, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(machine / ".claude" / "projects" / "-work" / "s-1.jsonl", CONVERSATION)
    ledger.write_settings({"server": door.address, "token": "hwi_none"})
    post = upload.post

    def choosy(server: str, token: str, report: dict[str, Any]) -> float | None:
        if "req_2" in json.dumps(report):
            raise upload.RefusedError("sessions[0].requests.at is not a time with an offset from UTC.", is_final=True)
        return post(server, token, report)

    monkeypatch.setattr(upload, "post", choosy)
    with ledger.Ledger() as opened:
        sessions.read_transcripts(opened)
        upload.send_queue(opened)
        assert opened.waiting() == 0
        assert opened.rows("SELECT id, refused FROM activity WHERE refused IS NOT NULL") == [
            ("req_2", "sessions[0].requests.at is not a time with an offset from UTC.")
        ]
    arrived = [document for _, report in door.arrived for document in report["sessions"]]
    assert sorted(row[0] for row in requests_of(arrived)) == ["req_1", "req_3"]


def test_a_session_that_never_ends_is_sent_in_parts_once(machine: Path, door: Door) -> None:
    path = machine / ".claude" / "projects" / "-work" / "s-1.jsonl"
    ledger.write_settings({"server": door.address, "token": "hwi_none"})
    with ledger.Ledger() as opened:
        for first in (0, 1_300, 2_600):
            write(path, [answer(first + number, first + number, [], 5) for number in range(1_300)], at=4_000)
            sessions.read_transcripts(opened)
            upload.send_queue(opened)
    arrived = [document for _, report in door.arrived for document in report["sessions"]]
    assert max(len(document["requests"]) for document in arrived) == upload.ACTIVITIES_AT_ONCE
    assert sorted(row[0] for row in requests_of(arrived)) == sorted(f"req_{number}" for number in range(3_900))


def test_a_clock_that_is_ahead_holds_back_what_it_dates_into_the_future(machine: Path) -> None:
    now = time.time()
    with ledger.Ledger() as opened:
        opened.set_note("clock ahead", str(86_400))
        opened.add_activities("cursor", [ledger.Activity(ledger.TURN, "k", "1", now - 60, {})])
        assert not upload.next_part(opened, now).activities
        assert upload.next_part(opened, now + 86_400).activities
        opened.set_note("clock ahead", "0.0")
        assert upload.next_part(opened, now).activities


def test_backfill_sends_the_last_days_once(tmp_path: Path, door: Door) -> None:
    world = World(tmp_path, server=door.address)
    write(world.home / ".claude" / "projects" / "-work" / "s-1.jsonl", CONVERSATION)
    world.agent("doctor", status=1)
    assert [document for _, report in door.arrived for document in report["sessions"]] == []
    assert "7 new requests, tool calls and turns" in world.agent("backfill", "--days", "3")
    assert "0 new requests, tool calls and turns" in world.agent("backfill", "--days", "3")
    sent = [document for _, report in door.arrived for document in report["sessions"]]
    assert requests_of(sent) == REQUESTS
    for days in ("0", "-1", "400"):
        assert "from 1 to 365" in world.agent("backfill", "--days", days, status=1)
    world.agent("pause")
    assert "paused" in world.agent("backfill", status=1)


def test_a_hook_does_not_wait_for_transcripts(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read by the worker, which a hook starts at the end of a turn, and else at most once a minute."""
    started: list[int] = []
    monkeypatch.setattr(hook, "start_worker", lambda: started.append(1))
    monkeypatch.setattr(hook, "read_transcripts", lambda _: pytest.fail("A hook read transcripts."))
    payload = {"hook_event_name": "Stop", "session_id": "s-1", "cwd": str(machine)}
    monkeypatch.setattr("sys.stdin", _Input(payload))
    hook.main(["agent", "claude_code"])
    with ledger.Ledger() as opened:
        opened.set_note("transcripts read", str(time.time()))
    payload["hook_event_name"] = "Notification"
    monkeypatch.setattr("sys.stdin", _Input(payload))
    hook.main(["agent", "claude_code"])
    assert started == [1]


class _Input:
    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.text = json.dumps(payload).encode()
        self.buffer = self

    def read(self, _: int) -> bytes:
        return self.text


# At the server


def person(name: str = "ada") -> Person:
    return Person.objects.get_or_create(full_name=name.title(), email=f"{name}@example.com")[0]


def report(token: str, *documents: Mapping[str, Any], status: int = 200) -> str:
    described = {"version": "0.2.0", "system": "Linux", "python": "3.11", "agents": {}}
    body = {"machine": described, "commits": [], "sessions": documents}
    client = Client(headers={"Authorization": f"Bearer {token}"})
    response = client.post("/collector/v1/reports", body, "application/json")
    assert response.status_code == status, response.content
    fold_received_batches()
    return response.content.decode()


def at(seconds: float) -> str:
    """A time that many seconds before the telemetry of the tests."""
    when = NOW / SECOND - seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03d}Z"


def request(identity: str, seconds: float = 0, **counts: int) -> dict[str, Any]:
    tokens = {"input_tokens": 100, "cache_read_tokens": 1000, "cache_write_tokens": 50, "output_tokens": 10}
    model = "claude-sonnet-4-5" if identity.startswith("req") else "gpt-5.5"
    return {"id": identity, "at": at(seconds), "model": model, "cache_write_1h_tokens": 0, **tokens, **counts}


def session(name: str, *requests: Mapping[str, Any], agent: str = "claude_code", **parts: Any) -> dict[str, Any]:
    empty = {"version": "2.1.197", "tool_calls": [], "turns": []}
    return {"agent": agent, "session": name, **empty, "requests": requests, **parts}


def counted_tokens() -> tuple[int, int, int, int]:
    sums = AgentSessionDay.objects.filter(counted=True).aggregate(
        **{name: Sum(f"{name}_tokens") for name in ("input", "cache_read", "cache_write", "output")}
    )
    return tuple(value or 0 for value in sums.values())  # type: ignore[return-value]


@pytest.mark.django_db
@pytest.mark.parametrize("telemetry_first", [True, False])
def test_a_request_that_telemetry_reports_as_well_counts_once(telemetry_first: bool) -> None:
    """The id decides; a request that only one of them knows counts, too."""
    token, intake = add_machine(person(), "laptop"), Intake()
    calls = [{"id": "toolu_1", "at": at(1), "tool": "Bash", "outcome": "failed", "duration_ms": 5}]
    reported = session("session-of-ada", request("req_1", 1), request("req_2", 5), tool_calls=calls, turns=[at(9)])

    def send_telemetry() -> None:
        result = {"event.name": "tool_result", "tool_name": "Bash", "tool_use_id": "toolu_1", "success": "false"}
        third = {**REQUEST, "request_id": "req_3"}
        sent = [log_record(REQUEST), log_record(third), log_record({**ADA, **result})]
        intake.send(logs(*sent, resource={**CLAUDE, "enduser.id": "ada@example.com"}))
        fold_received_batches()

    if telemetry_first:
        send_telemetry()
    report(token, reported)
    if not telemetry_first:
        assert not AgentSession.objects.get().has_telemetry
        send_telemetry()
    report(token, reported)
    known = AgentSession.objects.get()
    assert (known.external_id, known.has_telemetry, known.identity.person) == ("session-of-ada", True, person())
    assert counted_tokens() == (300, 3000, 150, 30)
    assert AgentToolCall.objects.values_list("tool", "outcome").get() == ("Bash", "failed")
    assert AgentRequest.objects.exclude(spend=None).count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("telemetry_first", [True, False])
def test_requests_without_a_common_id_give_way_to_telemetry_for_a_quarter_of_an_hour(telemetry_first: bool) -> None:
    """Codex's telemetry names no request: its rollout counts where telemetry was silent."""
    token, intake = add_machine(person(), "laptop"), Intake()
    reported = session(
        "c1",
        request("transcript:c1 1", 1),
        request("transcript:c1 2", 14 * 60, output_tokens=7),
        request("transcript:c1 3", 16 * 60, output_tokens=3),
        agent="codex",
    )

    def send_telemetry() -> None:
        tokens = {"input_token_count": 1150, "cached_token_count": 1000, "output_token_count": 10}
        completed = codex_event("sse_event", **{"event.kind": "response.completed"}, **tokens)
        intake.send(logs(completed, resource=CODEX))
        fold_received_batches()

    if telemetry_first:
        send_telemetry()
    report(token, reported)
    if not telemetry_first:
        assert counted_tokens() == (300, 3000, 150, 20)
        send_telemetry()
    assert counted_tokens() == (250, 2000, 50, 13)


@pytest.mark.django_db
def test_a_session_without_telemetry_has_times_tokens_and_tools(intake_of_ada: str) -> None:
    calls = [{"id": "t-1", "at": at(100), "tool": "Shell", "outcome": "succeeded", "duration_ms": None}]
    report(intake_of_ada, session("k-1", agent="cursor", tool_calls=calls, turns=[at(160), at(40)]))
    known = AgentSession.objects.get()
    assert (known.agent, known.has_work, known.has_telemetry) == ("cursor", True, False)
    assert known.active_seconds == pytest.approx(120)
    assert known.identity.person == person()


@pytest.fixture
def intake_of_ada() -> str:
    return add_machine(person(), "laptop")


@pytest.mark.django_db
def test_two_machines_of_a_person_report_a_session_once_and_two_people_their_own(intake_of_ada: str) -> None:
    reported = session("s", request("req_1"))
    report(intake_of_ada, reported)
    report(add_machine(person(), "a copy of the laptop"), reported)
    assert counted_tokens() == (100, 1000, 50, 10)
    report(add_machine(person("grace"), "laptop of Grace"), reported)
    assert counted_tokens() == (200, 2000, 100, 20)
    assert {known.identity.person for known in AgentSession.objects.all()} == {person(), person("grace")}


@pytest.mark.django_db
def test_sessions_that_only_the_collector_reports_are_no_silence_of_an_agent(intake_of_ada: str) -> None:
    report(intake_of_ada, session("s", request("req_1", 7200), request("req_2", 3 * 3600)))
    assert version_days(timezone.now()) == []


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("sessions[0].requests.output_tokens is not a whole number", session("s", request("req_1", output_tokens=-1))),
    ("sessions[0].requests.at is not a time", session("s", {**request("req_1"), "at": "yesterday"})),
    ("sessions[0].requests.at lies more than a day in the future", session("s", request("req_1", -90_000))),
    ("sessions[0].requests.id is not a string", session("s", {**request("req_1"), "id": ""})),
    ("sessions[0].session is not a string", session("")),
    ("sessions[0].turns is not a list", session("s", turns={})),
    ("sessions[0].tool_calls.outcome is not one of", session("s", tool_calls=[{"id": "1", "outcome": "fine"}])),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("message", "document"), REFUSED, ids=[message for message, _ in REFUSED])
def test_a_session_that_cannot_be_is_refused_and_changes_nothing(
    intake_of_ada: str, message: str, document: dict[str, Any]
) -> None:
    reply = report(intake_of_ada, document, session("another", request("req_8")), status=400)
    assert message in json.loads(reply)["error"]
    assert not AgentSession.objects.exists()
