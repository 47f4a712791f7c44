"""Codex CLI.  https://developers.openai.com/codex/config-advanced#observability-and-telemetry

Its input tokens include the cached ones, its output tokens the reasoning; numbers arrive as integers or as strings.
Each answer gives two `response.completed`, of which only the second carries tokens.  Its metrics and spans name no
conversation, and repeat what the log events say: nothing is kept of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.decode_values import Attributes, Value
from integrations.telemetry.events import EventKind, Measure
from integrations.telemetry.vocabularies.vocabulary import NOT_KEPT, Count, Event, EventReading, Vocabulary

CACHED = ("cached_token_count",)
WRITTEN = ("cache_write_token_count",)
# How its shells head their output.  Only the head is looked at: what a command printed may say anything.
_EXIT_CODE = re.compile(r"^(?:Exit code: |Process exited with code )(-?\d+)\s*$", re.MULTILINE)
_END_OF_HEAD = re.compile(r"^Output:", re.MULTILINE)
_PATCH = re.compile(r"^\*\*\* Begin Patch[^\n]*\n(.*?)^\*\*\* End Patch", re.MULTILINE | re.DOTALL)
_PATCH_COMMAND = re.compile(r"^\s*(?:cd\s+\S+\s*&&\s*)?apply_?patch\b")
_PATCH_TOOL = "apply_patch"


def _outcome(attributes: Attributes) -> str:
    """Its shells succeed when they ran: a command that ends non-zero says so in the head of its output."""
    match attributes.get("success"):
        case True | "true":
            failed = _exit_code(attributes.get("output")) not in (None, 0)
            return (ToolOutcome.FAILED if failed else ToolOutcome.SUCCEEDED).value
        case False | "false":
            return ToolOutcome.FAILED.value
    return ""


def _exit_code(output: Value) -> int | None:
    if not isinstance(output, str):
        return None
    if output.startswith("{"):  # as older versions write it: {"output": …, "metadata": {"exit_code": 0, …}}
        metadata = _parsed(output).get("metadata")
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return code if isinstance(code, int) else None
    end = _END_OF_HEAD.search(output)
    found = _EXIT_CODE.search(output, 0, end.start()) if end else None
    return int(found[1]) if found else None


def _changed_lines(attributes: Attributes) -> Iterator[tuple[Measure, int]]:
    """The lines that a patch adds and removes, counted where its text passes; a file that it deletes counts none."""
    if _outcome(attributes) != ToolOutcome.SUCCEEDED.value:
        return
    lines = [line for patch in _patches(attributes) for body in _PATCH.findall(patch) for line in body.splitlines()]
    for measure, sign in ((Measure.LINES_ADDED, "+"), (Measure.LINES_REMOVED, "-")):
        if changed := sum(line.startswith(sign) for line in lines):
            yield measure, changed


def _patches(attributes: Attributes) -> Iterator[str]:
    """The texts that may hold a patch: that of the patching tool, or a shell's command that begins with it."""
    arguments = attributes.get("arguments")
    if not isinstance(arguments, str) or "*** Begin Patch" not in arguments:
        return
    is_patch_tool = attributes.get("tool_name") == _PATCH_TOOL
    if not arguments.startswith("{"):
        if is_patch_tool:
            yield arguments
        return
    for given in _parsed(arguments).values():
        command = _command(given)
        if is_patch_tool or _PATCH_COMMAND.match(command):
            yield command


def _command(given: Value) -> str:
    """A command, given as a line or as words, perhaps of a shell that is to run the last one."""
    if isinstance(given, str):
        return given
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        return str(given[-1]) if len(given) == 3 and given[1] in ("-c", "-lc") else " ".join(map(str, given))
    return ""


def _parsed(text: str) -> dict[str, Value]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: thousands of brackets
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _refused(attributes: Attributes) -> str:
    return ToolOutcome.REFUSED.value


REQUEST = Event(
    kind=EventKind.REQUEST,
    model="model",
    input_tokens=Count(of=(("input_token_count",),), less=(CACHED, WRITTEN)),
    cache_read_tokens=Count(of=(CACHED,)),
    cache_write_tokens=Count(of=(WRITTEN,)),
    output_tokens="output_token_count",
)
REQUEST_ERROR = Event(
    kind=EventKind.REQUEST_ERROR, model="model", error_type="http.response.status_code", duration_ms="duration_ms"
)
STREAM_ERROR = Event(kind=EventKind.REQUEST_ERROR, model="model", error_type="event.kind")
TOOL_RESULT = Event(
    kind=EventKind.TOOL_CALL,
    key="call_id",
    model="model",
    tool="tool_name",
    duration_ms="duration_ms",
    outcome=_outcome,
    increments=_changed_lines,
)
TOOL_REFUSED = Event(kind=EventKind.TOOL_CALL, key="call_id", tool="tool_name", outcome=_refused)
AT_WORK = Event(kind=EventKind.SESSION)
PROMPT = Event(kind=EventKind.PROMPT)


def _stream_event(attributes: Attributes) -> EventReading:
    if "input_token_count" in attributes:
        return REQUEST
    return STREAM_ERROR if attributes.get("error.message") else NOT_KEPT


def _attempt(attributes: Attributes) -> EventReading:
    """Each attempt; the answered ones are told of again, with their tokens, when they are complete."""
    try:
        status = int(str(attributes.get("http.response.status_code") or 0))
    except ValueError:
        return NOT_KEPT
    return REQUEST_ERROR if status >= 400 or (not status and attributes.get("error.message")) else NOT_KEPT


def _tool_decision(attributes: Attributes) -> EventReading:
    """What the person refused; what a rule refused comes as a failed result."""
    decision = str(attributes.get("decision") or "").lower()
    by_person = str(attributes.get("source") or "user").lower() == "user"
    return TOOL_REFUSED if by_person and decision.startswith(("denied", "abort")) else NOT_KEPT


def _line_of_log(attributes: Attributes) -> EventReading | None:
    """What has no event's name is a line of the program's own log, named after a place in its source."""
    return None if "event.name" in attributes else NOT_KEPT


CODEX = Vocabulary(
    agent="codex",
    service=re.compile(r"codex", re.IGNORECASE),  # codex_cli_rs, codex_exec, codex-app-server, Codex Desktop …
    event_prefix="codex.",
    session_keys=("conversation.id",),
    read_by_code=frozenset(
        {"success", "output", "arguments", "decision", "source", "error.message", "input_token_count"}
    ),
    readings=(REQUEST, REQUEST_ERROR, STREAM_ERROR, TOOL_REFUSED),
    events={
        "sse_event": _stream_event,
        "api_request": _attempt,
        "tool_result": TOOL_RESULT,
        "tool_decision": _tool_decision,
        "user_prompt": PROMPT,
        "conversation_starts": AT_WORK,
        "auth_recovery": NOT_KEPT,
        "plugin_install_elicitation_sent": NOT_KEPT,
        "plugin_install_suggestion": NOT_KEPT,
        "sandbox_outcome": NOT_KEPT,
        "startup_phase": NOT_KEPT,
        "turn_ttft": NOT_KEPT,
        "websocket_connect": NOT_KEPT,
        "websocket_event": NOT_KEPT,
        "websocket_request": NOT_KEPT,
    },
    unlisted=_line_of_log,
    unlisted_spans_not_kept=True,
    unlisted_metrics_not_kept=True,
)
