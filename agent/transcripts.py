"""Reads the transcripts that agents keep on disk for the activities of sessions: times, models, tokens, outcomes of
tools.

Nothing else is read from a line; texts of prompts, answers, tools and files are not kept.  Agents may change the format
of their transcripts: lines that are not understood are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from .ledger import FAILED, REFUSED, REQUEST, SUCCEEDED, TOOL_CALL, TURN, Activity
from .payloads import Event

# Prefix of the id of a request for which the agent gives no id that telemetry also knows.
OWN_ID = "transcript:"
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
HOURLY = "cache_write_1h_tokens"
MOST_OPEN = 200  # tool calls without a result, per file
LONGEST_LINE = 50_000_000
MOST_AT_ONCE = 20_000_000  # bytes of a file between two writes to the ledger
LARGEST_COUNT = 10**12
SECONDS_OF_COPY = 1  # a model takes longer to answer
_NAME = re.compile(r"[\w.:-]{1,60}", re.ASCII)  # no path, no sentence: a model may call a tool that does not exist
_REFUSAL = re.compile(
    r"The user doesn't want to (?:proceed with|take) this|User rejected tool use|rejected by (?:the )?user"
)
_EXIT_CODE = re.compile(r"^(?:Exit code: |Process exited with code )(-?\d+)\s*$", re.MULTILINE)
State = dict[str, Any]
"""State between lines of a file: open tool calls, the model, the last totals."""


class Source(NamedTuple):
    """An agent's transcripts: their folders, the ending of their names, and the reader of a line."""

    folders: Sequence[str]
    pattern: str
    read: Callable[[dict[str, Any], State], Iterator[Activity]]


def tool_name(name: str) -> str:
    """The name of an agent's built-in tool; `mcp_tool` for others, whose names may reveal what somebody works on."""
    if name.lower().startswith(("mcp_", "mcp:", "mcp-")):
        return "mcp_tool"
    return name if _NAME.fullmatch(name) else "other"


def read_claude_code(entry: dict[str, Any], state: State) -> Iterator[Activity]:
    """Read a line of Claude Code: one response spans several lines with the same usage, and a resumed session repeats
    lines of the previous one.
    """
    forked = entry.get("forkedFrom")  # this line is a copy of that session's
    session = (_text(forked, "sessionId") if isinstance(forked, dict) else "") or _text(entry, "sessionId")
    version, at, message = _text(entry, "version")[:60], moment(entry.get("timestamp")), entry.get("message")
    if not session or not isinstance(message, dict) or at is None:
        return
    content = message.get("content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    if entry.get("type") == "assistant":
        usage, model = message.get("usage"), _text(message, "model")
        named = _text(entry, "requestId") or (OWN_ID + _text(message, "id") if message.get("id") else "")
        if isinstance(usage, dict) and named and model != "<synthetic>":
            written = usage.get("cache_creation")
            hourly = written.get("ephemeral_1h_input_tokens") if isinstance(written, dict) else None
            figures = _counts(
                usage.get("input_tokens"),
                usage.get("cache_read_input_tokens"),
                usage.get("cache_creation_input_tokens"),
                hourly,
                usage.get("output_tokens"),
            )
            yield Activity(REQUEST, session, named, at, {"model": model[:120], **figures}, version)
        for block in blocks:
            if block.get("type") == "tool_use" and (call := _text(block, "id")):
                _open(state, call, _text(block, "name"), at)
    elif entry.get("type") == "user":
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            outcome = SUCCEEDED
            if block.get("is_error") is True:
                outcome = REFUSED if _REFUSAL.search(_plain(block.get("content"))) else FAILED
            yield from _close(state, _text(block, "tool_use_id"), session, at, outcome)
        uuid = _text(entry, "uuid")
        if not results and not entry.get("isMeta") and uuid:
            yield Activity(TURN, session, uuid, at, {}, version)


def read_codex(entry: dict[str, Any], state: State) -> Iterator[Activity]:
    """Read a line of Codex, whose token counts are totals of the session: the differences are its requests.

    A fork begins with a copy of its origin, which may carry the fork's date: lines of its first second belong to the
    origin, and only set the state.
    """
    found = _read_codex(entry, state)
    at = moment(entry.get("timestamp"))
    yield from (activity for activity in found if at is None or at > state.get("copied_until", float("-inf")))


def _read_codex(entry: dict[str, Any], state: State) -> Iterator[Activity]:
    payload, at = entry.get("payload"), moment(entry.get("timestamp"))
    if not isinstance(payload, dict) or at is None:
        return
    kind = entry.get("type")
    if kind == "session_meta":
        if "session" not in state and (named := _text(payload, "id")):
            state["session"], state["version"] = named, _text(payload, "cli_version")[:60]
            if _text(payload, "forked_from_id"):
                state["copied_until"] = at + SECONDS_OF_COPY
        return
    session = state.get("session")
    if not isinstance(session, str):
        return
    if kind == "turn_context":
        state["model"] = _text(payload, "model")[:120] or state.get("model", "")
    elif kind == "event_msg" and payload.get("type") == "token_count":
        yield from _codex_request(payload.get("info"), state, at)
    elif kind == "event_msg" and payload.get("type") == "user_message":
        yield Activity(TURN, session, f"{session} {at}", at, {}, state["version"])
    elif kind == "response_item":
        call = _text(payload, "call_id", "id")
        if payload.get("type") in ("function_call", "custom_tool_call", "local_shell_call"):
            other = _text(payload, "namespace")
            name = other if other.startswith("mcp") else _text(payload, "name")
            _open(state, call, name or "local_shell", at)
        elif payload.get("type") in ("function_call_output", "custom_tool_call_output"):
            yield from _close(state, call, session, at, _codex_outcome(payload.get("output")))


def _codex_request(info: Any, state: State, at: float) -> Iterator[Activity]:
    total = info.get("total_token_usage") if isinstance(info, dict) else None
    if not isinstance(total, dict):
        return
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
    now = [_count(total.get(name)) for name in names]
    before = state.get("totals") or [0, 0, 0, 0]
    if now == before:
        return
    difference = [new - old for new, old in zip(now, before)]
    last = info.get("last_token_usage")
    if min(difference) < 0 or (not state.get("totals") and isinstance(last, dict)):
        difference = [_count(last.get(name)) for name in names] if isinstance(last, dict) else now
    state["totals"] = now
    prompt, cached, written, output = difference
    figures = _counts(max(0, prompt - cached - written), cached, written, None, output)
    named = f"{OWN_ID}{state['session']} {' '.join(map(str, now))}"
    yield Activity(REQUEST, state["session"], named, at, {"model": state.get("model", ""), **figures}, state["version"])


def _codex_outcome(output: Any) -> str:
    """The outcome of a tool, from the head of its output, which has the exit code, or from its metadata."""
    text = _plain(output)
    if text.startswith("{"):
        try:
            metadata = json.loads(text).get("metadata")
        except (ValueError, AttributeError, RecursionError):
            metadata = None
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return FAILED if isinstance(code, int) and code else SUCCEEDED
    head = text[:2000].partition("\nOutput:")[0]
    if _REFUSAL.search(head):
        return REFUSED
    found = _EXIT_CODE.search(head)
    return FAILED if found and int(found[1]) else SUCCEEDED


def request_of_turn(event: Event, at: float) -> Activity | None:
    """The tokens of a turn as one request, from a hook that counts them (Cursor's `stop`).

    Cursor documents neither the counts nor that its input includes cache reads and writes, which its own window
    subtracts: https://github.com/entireio/cli/issues/1264, https://github.com/fitchmultz/pi-cursor-sdk/issues/196.
    """
    whole, read, written, output = map(_count, event.usage or ())
    if not event.turn or not whole + output:
        return None
    uncached = whole - read - written if whole >= read + written else whole
    model = "" if event.model == "default" else event.model
    figures = {"model": model, **_counts(uncached, read, written, None, output)}
    return Activity(REQUEST, event.session, OWN_ID + event.turn, at, figures)


SOURCES = {
    "claude_code": Source(("projects",), ".jsonl", read_claude_code),
    "codex": Source(("sessions", "archived_sessions"), ".jsonl", read_codex),
}


def files_of(folder: Path, source: Source) -> list[tuple[str, int, float]]:
    """Transcripts below an agent's folder with size and modification time, in the order of that time.

    In this order, content that a later session repeats counts for the earlier one.
    """
    found = []
    for name in source.folders:
        for place, _, files in os.walk(folder / name):
            for file in files:
                path = os.path.join(place, file)
                if file.endswith(source.pattern) and os.path.isfile(path):
                    try:
                        status = os.stat(path)
                    except OSError:
                        continue
                    found.append((path, status.st_size, status.st_mtime))
    return sorted(found, key=lambda file: (file[2], file[0]))


def read_file(path: str, position: int, state: State, source: Source) -> tuple[list[Activity], int]:
    """Activities of a file's complete lines from a position on, and where the next part begins; changes `state`."""
    found: list[Activity] = []
    start = position
    with open(path, "rb") as file:
        file.seek(position)
        while position - start < MOST_AT_ONCE:
            line = file.readline(LONGEST_LINE)
            if not line.endswith(b"\n"):
                if len(line) < LONGEST_LINE:
                    break  # the agent is still writing it
                while line and not line.endswith(b"\n"):
                    position += len(line)
                    line = file.readline(LONGEST_LINE)
                position += len(line)
                continue
            position += len(line)
            try:
                entry = json.loads(line)
                if isinstance(entry, dict):
                    found.extend(source.read(entry, state))
            except (ValueError, RecursionError):
                continue  # a damaged line
    return found, position


def moment(value: Any) -> float | None:
    """Seconds since 1970, from a time with a zone."""
    if not isinstance(value, str):
        return None
    text = value.strip().replace("Z", "+00:00")
    for tried in (text, re.sub(r"\.\d+", "", text)):  # Python before 3.11 reads three or six digits of a fraction
        try:
            at = datetime.fromisoformat(tried)
        except ValueError:
            continue
        return at.timestamp() if at.tzinfo else None
    return None


def text_of(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _open(state: State, call: str, name: str, at: float) -> None:
    calls = state.setdefault("calls", {})
    calls[call] = [tool_name(name), at]
    while len(calls) > MOST_OPEN:
        del calls[next(iter(calls))]


def _close(state: State, call: str, session: str, at: float, outcome: str) -> Iterator[Activity]:
    opened = state.get("calls", {}).pop(call, None)
    if opened is not None:
        name, since = opened
        figures = {"tool": name, "outcome": outcome, "duration_ms": max(0, round((at - since) * 1000))}
        yield Activity(TOOL_CALL, session, call, at, figures)


def _counts(*values: Any) -> dict[str, int | None]:
    """Token counts by name; the number cached for an hour is None if the agent does not report it."""
    return {name: None if value is None and name == HOURLY else _count(value) for name, value in zip(TOKENS, values)}


def _count(value: Any) -> int:
    """Return the count, or 0 for an invalid value such as a negative number."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT
    return value if is_count else 0


def _text(entry: dict[str, Any], *names: str) -> str:
    """The first of these texts; unpaired surrogates, which the ledger cannot store, are replaced."""
    text = next((value for name in names if isinstance(value := entry.get(name), str) and value), "")
    return text.encode(errors="replace").decode()


def _plain(value: Any) -> str:
    """The text of a tool's result, which is compared with known phrases and then discarded."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _plain(value.get("content", value.get("output", "")))
    parts = value if isinstance(value, list) else []
    return " ".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
