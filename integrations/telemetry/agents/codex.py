"""Codex CLI.  https://developers.openai.com/codex/config-advanced#observability-and-telemetry

Its input tokens include the cached ones, its output tokens the reasoning; numbers arrive as integers or as strings.
Each response emits two `response.completed`, of which only the second has tokens.  Its metrics and spans name no
conversation and repeat the log events, so they are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from integrations.models.sessions import ToolOutcome
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.values import LARGEST_COUNT, Attributes, Value
from integrations.telemetry.agents.vocabulary import INCOMPLETE, NOT_KEPT, Count, Event, EventReading, Vocabulary

# Attributes that replace content in stored records.
EXIT_CODE, LINES_ADDED, LINES_REMOVED = "(exit code)", "(lines added)", "(lines removed)"
BY_COMMAND = "(patched by a command)"
HAS_ERROR = "(has an error's text)"
CACHED = ("cached_token_count",)
WRITTEN = ("cache_write_token_count",)
# The head of shell output.  Only the head is parsed, because the output itself is arbitrary.
_EXIT_CODE = re.compile(r"^(?:Exit code: |Process exited with code )(-?\d+)\s*$", re.MULTILINE)
_END_OF_HEAD = re.compile(r"^Output:", re.MULTILINE)
_PATCH = re.compile(r"^\*\*\* Begin Patch[^\n]*\n(.*?)^\*\*\* End Patch", re.MULTILINE | re.DOTALL)
_PATCH_COMMAND = re.compile(r"^\s*(?:cd\s+\S+\s*&&\s*)?apply_?patch\b")
_PATCH_TOOL = "apply_patch"


def _outcome(attributes: Attributes) -> str:
    """The outcome of a tool call; shell tools always succeed if they ran, and the head of the output has the exit
    code.
    """
    match attributes.get("success"):
        case True | "true":
            failed = _exit_code(attributes) not in (None, 0)
            return (ToolOutcome.FAILED if failed else ToolOutcome.SUCCEEDED).value
        case False | "false":
            return ToolOutcome.FAILED.value
    return ""


def _exit_code(attributes: Attributes) -> int | None:
    output = attributes.get("output")
    if not isinstance(output, str):
        stored = attributes.get(EXIT_CODE)
        return stored if isinstance(stored, int) else None
    if output.startswith("{"):  # in older versions: {"output": …, "metadata": {"exit_code": 0, …}}
        metadata = _parsed(output).get("metadata")
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
        return code if isinstance(code, int) else None
    end = _END_OF_HEAD.search(output)
    match = _EXIT_CODE.search(output, 0, end.start()) if end else None
    return int(match[1]) if match else None


def _changed_lines(attributes: Attributes) -> Iterator[tuple[Measure, int]]:
    """Lines added and removed by a patch, counted from its text; deleted files count none."""
    if _outcome(attributes) != ToolOutcome.SUCCEEDED.value:
        return
    is_patch_tool = attributes.get("tool_name") == _PATCH_TOOL
    is_patch = is_patch_tool or attributes.get(BY_COMMAND)
    for measure, name, counted in _lines_of_patches(attributes, is_patch_tool=is_patch_tool):
        changed = counted or (attributes.get(name) if is_patch else None)
        if isinstance(changed, int) and 0 < changed <= LARGEST_COUNT:  # the sender is not trusted
            yield measure, changed


def _lines_of_patches(attributes: Attributes, *, is_patch_tool: bool) -> Iterator[tuple[Measure, str, int]]:
    patches = _patches(attributes, is_patch_tool=is_patch_tool)
    lines = [line for patch in patches for body in _PATCH.findall(patch) for line in body.splitlines()]
    yield Measure.LINES_ADDED, LINES_ADDED, sum(line.startswith("+") for line in lines)
    yield Measure.LINES_REMOVED, LINES_REMOVED, sum(line.startswith("-") for line in lines)


def _changes(attributes: Attributes, *, is_patch_tool: bool) -> Iterator[tuple[str, int]]:
    for _, name, changed in _lines_of_patches(attributes, is_patch_tool=is_patch_tool):
        if changed:
            yield name, changed


def _figures_from_content(attributes: Attributes) -> dict[str, Value]:
    """Figures extracted from outputs, patches and error texts, whether or not the patch tool is named."""
    patched = dict(_changes(attributes, is_patch_tool=True))
    values: dict[str, Value] = {**patched}
    if patched and patched == dict(_changes(attributes, is_patch_tool=False)):
        values[BY_COMMAND] = True
    if (code := _exit_code(attributes)) is not None:
        values[EXIT_CODE] = code
    if attributes.get("error.message"):
        values[HAS_ERROR] = True
    return values


def _patches(attributes: Attributes, *, is_patch_tool: bool) -> Iterator[str]:
    """Texts that may contain a patch: arguments of the patch tool, or a shell command that starts with it."""
    arguments = attributes.get("arguments")
    if not isinstance(arguments, str) or "*** Begin Patch" not in arguments:
        return
    if not arguments.startswith("{"):
        if is_patch_tool:
            yield arguments
        return
    for given in _parsed(arguments).values():
        command = _command(given)
        if is_patch_tool or _PATCH_COMMAND.match(command):
            yield command


def _command(given: Value) -> str:
    """A command, given as a string or a list of words, possibly a shell with `-c`."""
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
    parts=Parts(
        sub_agent=("agent_name",),
        mcp_server=("mcp_server",),
        effort=("model_reasoning_effort", "reasoning_effort"),
        query_source=("session_source",),
        provider=("provider_name",),
    ),
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


_TOKENS = frozenset({"input_token_count", "output_token_count", *CACHED, *WRITTEN})


def _stream_event(attributes: Attributes) -> EventReading:
    if not _TOKENS.isdisjoint(attributes):
        return REQUEST
    return STREAM_ERROR if _has_error(attributes) else INCOMPLETE


def _has_error(attributes: Attributes) -> bool:
    return bool(attributes.get("error.message") or attributes.get(HAS_ERROR))


def _attempt(attributes: Attributes) -> EventReading:
    """The reading of an attempt; a successful attempt is reported again, with its tokens, when it is complete."""
    try:
        status = int(str(attributes.get("http.response.status_code") or 0))
    except ValueError:
        return INCOMPLETE
    if status >= 400 or (not status and _has_error(attributes)):
        return REQUEST_ERROR
    return NOT_KEPT if status else INCOMPLETE


def _tool_decision(attributes: Attributes) -> EventReading:
    """Refusals by the person; refusals by a rule arrive as failed results."""
    decision = str(attributes.get("decision") or "").lower()
    if not decision:
        return INCOMPLETE
    by_person = str(attributes.get("source") or "user").lower() == "user"
    return TOOL_REFUSED if by_person and decision.startswith(("denied", "abort")) else NOT_KEPT


def _line_of_log(attributes: Attributes) -> EventReading | None:
    """The reading of a record without an event name and a conversation, which is a line of the program's own log."""
    if "event.name" in attributes:
        return None
    return INCOMPLETE if "conversation.id" in attributes else NOT_KEPT


# Known attributes that are not used, as seen with 0.169.0.
NOT_NEEDED = frozenset(
    {
        # attributes of every record
        *("event.timestamp", "app.version", "originator", "slug", "terminal.type", "auth_mode"),
        # attributes of requests
        *("attempt", "endpoint", "ttft_ms", "reasoning_token_count", "tool_token_count"),
        *("error.code", "request_id"),
        # attributes of tools
        *("tool_namespace", "tool_result_seq", "output_truncated"),
        # attributes of other events
        *("prompt_length", "reasoning_summary", "approval_policy"),
        *("sandbox_policy", "context_window", "auto_compact_token_limit", "active_profile"),
        *("startup.phase", "startup.status"),
    }
)

CODEX = Vocabulary(
    agent="codex",
    service=re.compile(r"codex", re.IGNORECASE),  # codex_cli_rs, codex_exec, codex-app-server, Codex Desktop …
    scope=re.compile(r"codex(?:[-_]?(?:otel|cli|core|exec|app[-_]server))?(?:(?:::|[._]).*)?"),  # codex_otel.log_only …
    event_prefix="codex.",
    own_prefixes=("codex.",),
    session_keys=("conversation.id",),
    read_by_code=frozenset(
        {
            *("success", "output", "arguments", "decision", "source", "error.message"),
            *_TOKENS,
        }
    ),
    not_needed=NOT_NEEDED,
    not_needed_prefixes=("auth.", "config.", "mcp_server", "websocket."),  # configuration
    figures_from_content=_figures_from_content,
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
    drops_unlisted=True,
)
