"""Reads the input of agents' hooks, each with its own vocabulary, as one kind of event.

An event has the session, the model, the tool, the files and the text that an edit writes; the text is compared on this
machine and then discarded.  Prompts and answers are not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

BEFORE, AFTER, FAILED, OTHER = "before", "after", "failed", "other"
PHASES = {
    "pretooluse": BEFORE,
    "beforetool": BEFORE,
    "posttooluse": AFTER,
    "aftertool": AFTER,
    "afterfileedit": AFTER,
    "posttoolusefailure": FAILED,
}
SHELLS = frozenset(
    (
        *("bash", "powershell", "shell", "local_shell"),
        *("exec_command", "run_shell_command", "run_terminal_cmd", "run_in_terminal"),
        *("execute_bash", "execute_pwsh", "shell_command"),
    )
)
EDITORS = frozenset(
    (
        *("edit", "multiedit", "write", "notebookedit", "write_file", "replace", "create", "str_replace"),
        *("str_replace_editor", "create_file", "replace_string_in_file", "insert_edit_into_file", "edit_file"),
        *("fs_write", "fs_append"),
    )
)
PATCHERS = frozenset(("apply_patch", "git_apply_patch", "patch"))
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update) File: (.+?)\s*$|^\*\*\* Move to: (.+?)\s*$", re.MULTILINE)
# Commands that bring in lines written earlier: their changes are attributed to nobody.
_HISTORY = re.compile(
    r"\b(?:git|jj|hg|gh|patch|rsync|tar|unzip|cp|curl|wget)\b"
    r"(?!\s+(?:-\S+\s+)*(?:add|commit|status|diff|log|show|push|rev-parse|branch|rm|mv|config|remote|fetch)\b)"
)


class Event(NamedTuple):
    """One call of a hook."""

    agent: str
    session: str
    model: str
    phase: str
    folder: str
    call: str
    paths: Sequence[str] = ()
    texts: Sequence[str] | None = None  # None: the tool does not say what it writes
    replaced: Sequence[tuple[str, str]] | None = None  # old and new text, from an agent that sends both
    command: str | None = None
    tool: str = ""
    outcome: str = ""  # of a tool call that ended, of whichever tool
    has_own_id: bool = False  # `call` is the agent's id of the call
    duration_ms: int | None = None
    ends_turn: bool = False
    turn: str = ""  # the agent's id of the turn that ended
    usage: Sequence[Any] | None = None  # of that turn: input with its cached part, that part read and written, output


def read_event(agent: str, payload: dict[str, Any]) -> Event | None:
    """The event of a payload; None if another agent sent it or it names no session.

    Cursor and Copilot also run Claude Code's hooks, but are registered separately.
    """
    if agent == "claude_code" and ("cursor_version" in payload or "hook_event_name" not in payload):
        return None
    if "agent_action_name" in payload:
        payload = _of_cascade(payload)
    if "conversationId" in payload:
        payload = _of_antigravity(payload)
    session = _text(payload, "session_id", "sessionId", "conversation_id", "thread_id")
    if not session:
        return None
    name = _text(payload, "hook_event_name").lower()
    folder = _text(payload, "cwd", "workspace_folder") or next(iter(_texts(payload.get("workspace_roots"))), "")
    tool = _text(payload, "tool_name", "toolName").lower()
    tool_input = payload.get("tool_input", payload.get("toolInput"))
    event = Event(
        agent=agent,
        session=session,
        model=_text(payload, "model")[:120],
        phase=PHASES.get(name, OTHER),
        folder=folder or os.getcwd(),
        call=_text(payload, "tool_use_id") or f"{session} {tool}",
        tool=_text(payload, "tool_name", "toolName"),
        outcome={AFTER: "succeeded", FAILED: "failed"}.get(PHASES.get(name, OTHER), ""),
        has_own_id=bool(_text(payload, "tool_use_id")),
        duration_ms=_milliseconds(payload),
        ends_turn=name in ("stop", "sessionend"),
    )
    if name == "stop" and "input_tokens" in payload:
        usage = [payload.get(f"{kind}_tokens") for kind in ("input", "cache_read", "cache_write", "output")]
        return event._replace(turn=_text(payload, "generation_id"), usage=usage)
    if name == "afterfileedit":
        pairs = [(_text(edit, "old_string"), _text(edit, "new_string")) for edit in _dicts(payload.get("edits"))]
        return event._replace(paths=_absolute(folder, [_text(payload, "file_path")]), replaced=pairs)
    return _of_tool(event, tool, tool_input)


def _of_cascade(payload: dict[str, Any]) -> dict[str, Any]:
    """Windsurf's payload with Cursor's names, because its edits have the same form, and with Gemini CLI's names for
    commands.

    https://docs.windsurf.com/windsurf/cascade/hooks
    """
    info = payload.get("tool_info")
    info = info if isinstance(info, dict) else {}
    action = _text(payload, "agent_action_name")
    names = {"post_write_code": "afterFileEdit", "pre_run_command": "BeforeTool", "post_run_command": "AfterTool"}
    runs = action.endswith("_run_command")
    return {
        **info,
        "hook_event_name": names.get(action, action),
        **({"tool_name": "shell", "tool_input": {"command": _text(info, "command_line")}} if runs else {}),
        "session_id": _text(payload, "trajectory_id"),
        "model": _text(payload, "model_name"),
    }


def _of_antigravity(payload: dict[str, Any]) -> dict[str, Any]:
    """Antigravity's payload with Cursor's names; its tools write parts of files as pairs of old and new text.

    https://antigravity.google/docs/hooks; a payload without a tool is one of Stop.
    """
    call = payload.get("toolCall")
    call = call if isinstance(call, dict) else {}
    given = call.get("args")
    given = given if isinstance(given, dict) else {}
    pairs = [
        {"old_string": _text(part, "TargetContent"), "new_string": _text(part, "ReplacementContent")}
        for part in (given, *_dicts(given.get("ReplacementChunks")))
        if "ReplacementContent" in part
    ]
    return {
        "hook_event_name": "afterFileEdit" if pairs else "postToolUse" if call else "stop",
        "session_id": _text(payload, "conversationId"),
        "model": _text(payload, "modelName"),
        "workspace_roots": payload.get("workspacePaths"),
        "tool_name": _text(call, "name"),
        "file_path": _text(given, "TargetFile"),
        "edits": pairs,
    }


def _of_tool(event: Event, tool: str, tool_input: Any) -> Event:
    given: dict[str, Any] = tool_input if isinstance(tool_input, dict) else {}
    if tool in SHELLS:
        return event._replace(command=_command(given))
    if tool in PATCHERS:
        patch = _text(given, "command", "patch", "patchText", "input") or (
            tool_input if isinstance(tool_input, str) else ""
        )
        names = [path or moved for path, moved in _PATCHED.findall(patch)]
        added = [line[1:] for line in patch.split("\n") if line.startswith("+")]
        return event._replace(paths=_absolute(event.folder, names), texts=added)
    if tool in EDITORS:
        path = _text(given, "file_path", "filePath", "path", "notebook_path")
        return event._replace(paths=_absolute(event.folder, [path]), texts=_new_texts(given))
    return event._replace(phase=OTHER)


def brings_history(command: str) -> bool:
    """Whether a shell command may bring lines from elsewhere: a stash, another branch, a patch, a copied file."""
    return _HISTORY.search(command) is not None


def _command(given: dict[str, Any]) -> str:
    value = given.get("command", given.get("cmd", ""))
    return value if isinstance(value, str) else " ".join(_texts(value))


def _new_texts(given: dict[str, Any]) -> list[str] | None:
    names = ("new_string", "content", "file_text", "new_str", "newString", "new_source", "code")
    texts = [value for name in names if isinstance(value := given.get(name), str)]
    for edit in _dicts(given.get("edits")):
        texts += [value for name in names if isinstance(value := edit.get(name), str)]
    return texts or None


def _milliseconds(payload: dict[str, Any]) -> int | None:
    value: Any = payload.get("duration_ms", payload.get("duration"))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 10**12:
        return None
    return round(value)


def _absolute(folder: str, names: Sequence[str]) -> list[str]:
    return [os.path.join(folder, os.path.expanduser(name)) for name in names if name]


def _text(payload: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := payload.get(name), str) and value), "")


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
