"""Registers hooks in the settings of agents: added to the existing ones, backed up, and removed without a trace.

The manifest remembers the former content of every file.  A file that nobody has changed since is restored byte for
byte; from a changed one, only our own entries are removed.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .ledger import home, replace_file
from .plugins import amp_plugin, kiro_hooks, opencode_plugin

MARK = "headway-agent"  # in every command of ours
SECONDS = 10


class UnreadableSettingsError(Exception):
    """A settings file that is not JSON to which we can add; the text is shown to the person at this machine."""


class Agent(NamedTuple):
    """An agent, its settings file, and the hooks that its documentation lists."""

    name: str
    label: str
    folder: Callable[[], Path]  # exists where the agent is in use
    file: str
    events: Sequence[str]
    matcher: str
    timeout: int
    nested: bool  # {"matcher", "hooks": [{"command"}]} as in Claude Code, or one flat entry
    versioned: bool = False
    remark: str = ""
    place: str = "hooks"  # the key of the events in the settings
    answer: str = ""  # what the agent wants a hook to print
    text: Callable[[Sequence[str], str, int], str] | None = None  # of a file that is ours alone
    is_shared: bool = False  # a file of a repository: its commands name nothing of this machine


def _folder(variable: str, name: str) -> Callable[[], Path]:
    return lambda: Path(os.environ.get(variable) or Path.home() / name)


_EVENTS = ("PreToolUse", "PostToolUse", "SessionStart", "Stop")
AGENTS = (
    Agent(
        "claude_code",
        "Claude Code",
        _folder("CLAUDE_CONFIG_DIR", ".claude"),
        "settings.json",
        (*_EVENTS, "PostToolUseFailure", "SessionEnd"),
        "Edit|MultiEdit|Write|NotebookEdit|Bash|PowerShell",
        SECONDS,
        nested=True,
    ),
    Agent(
        "codex",
        "Codex",
        _folder("CODEX_HOME", ".codex"),
        "hooks.json",
        _EVENTS,
        "apply_patch|Bash",
        SECONDS,
        nested=True,
        remark="Codex runs new hooks only after you have trusted them: enter /hooks in Codex.",
    ),
    Agent(
        "gemini_cli",
        "Gemini CLI",
        _folder("", ".gemini"),
        "settings.json",
        ("BeforeTool", "AfterTool", "SessionStart", "SessionEnd"),
        "write_file|replace|run_shell_command",
        SECONDS * 1000,
        nested=True,
    ),
    Agent(
        "cursor",
        "Cursor",
        _folder("", ".cursor"),
        "hooks.json",
        ("afterFileEdit", "postToolUse", "postToolUseFailure", "sessionStart", "sessionEnd", "stop"),
        "",
        SECONDS,
        nested=False,
        versioned=True,
        remark="Cursor reports edits, but not files before a shell command: lines that its commands write are unknown.",
    ),
    Agent(
        "windsurf",
        "Windsurf",
        _folder("", ".codeium/windsurf"),
        "hooks.json",
        ("post_write_code", "pre_run_command", "post_run_command", "post_cascade_response"),
        "",
        SECONDS,
        nested=False,
    ),
    Agent(
        "copilot",
        "Copilot CLI",
        _folder("COPILOT_HOME", ".copilot"),
        "hooks/headway.json",
        ("PreToolUse", "PostToolUse", "PostToolUseFailure", "SessionStart", "SessionEnd"),
        "",
        SECONDS,
        nested=False,
        versioned=True,
    ),
    # https://antigravity.google/docs/hooks.  A PreToolUse hook would have to allow or deny the tool, which is not ours.
    Agent(
        "antigravity",
        "Antigravity",
        _folder("", ".gemini/config"),
        "hooks.json",
        ("PostToolUse", "Stop"),
        "write_to_file|replace_file_content|multi_replace_file_content|run_command",
        SECONDS,
        nested=True,
        remark="Antigravity reports edits, but not files before a tool: only lines of replaced text are recognised.",
        place=MARK,
        answer="{}",
    ),
    Agent(
        "kiro",
        "Kiro",
        _folder("", ".kiro"),
        "hooks/headway.json",
        (),
        "",
        SECONDS,
        nested=False,
        text=kiro_hooks,
    ),
    Agent(
        "opencode",
        "opencode",
        lambda: Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "opencode",
        "plugins/headway.js",
        (),
        "",
        SECONDS,
        nested=False,
        text=opencode_plugin,
    ),
    Agent(
        "amp",
        "Amp",
        lambda: Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "amp",
        "plugins/headway.ts",
        (),
        "",
        SECONDS,
        nested=False,
        text=amp_plugin,
        remark="Amp runs plugins only if they are enabled.",
    ),
)


def settings_path(agent: Agent) -> Path:
    return agent.folder() / agent.file


def in_use(agent: Agent) -> bool:
    return agent.folder().is_dir()


def hook_command(agent: Agent) -> str:
    """The command of an agent's hook.  It cannot fail, so that no agent takes our failure for a refusal."""
    if sys.platform == "win32":
        program, options, script, *rest = _words(agent)
        command = f'"{program}" {options} "{script}" {" ".join(rest)}'
        return f"{command} & echo {agent.answer}" if agent.answer else command
    command = f"{shlex.join(_words(agent))} 2>/dev/null || true"
    return f"{command}; echo {shlex.quote(agent.answer)}" if agent.answer else command


# PowerShell hands a command's stdin to `$input`, in the console's encoding; with another one letters would be lost.
_POWERSHELL = (
    "try {{ {find}$OutputEncoding = [Console]::InputEncoding; $given = @($input) -join [string][char]10; "
    "if (-not $given) {{ $given = [Console]::In.ReadToEnd() }}; "
    "$given | & {program} -IS {script} agent {name} {mark} 2>$null | Out-Null{end} }} catch {{ }}; exit 0"
)
_SHARED_BASH = (
    'h="${{HEADWAY_AGENT_HOME:-$HOME/.headway-agent}}"; if [ -f "$h/python" ]; then '
    '"$(cat "$h/python")" -IS "$h/hook.py" agent {name} {mark} 2>/dev/null; fi || true'
)
_FIND = (
    '$h = if ($env:HEADWAY_AGENT_HOME) { $env:HEADWAY_AGENT_HOME } else { "$HOME/.headway-agent" }; '
    'if (Test-Path "$h/python") { '
)


def _commands(agent: Agent) -> dict[str, str]:
    """The commands of an agent's hook by key.  Copilot has a key for the shell of each system, and takes a failure for
    a refusal; a shared file therefore prints nothing and succeeds where there is no collector.
    """
    if agent.is_shared:
        powershell = _POWERSHELL.format(
            find=_FIND,
            program='(Get-Content -Encoding utf8 "$h/python")',
            script='"$h/hook.py"',
            name=agent.name,
            mark=MARK,
            end=" }",
        )
        return {"bash": _SHARED_BASH.format(name=agent.name, mark=MARK), "powershell": powershell}
    commands = {"command": hook_command(agent)}
    if agent.name == "copilot" and sys.platform == "win32":
        program, _, script, _, name, mark = _words(agent)
        literals = [f"'{text}'" for text in (text.replace("'", "''") for text in (program, script))]
        commands["powershell"] = _POWERSHELL.format(
            find="", program=literals[0], script=literals[1], name=name, mark=mark, end=""
        )
    return commands


def _words(agent: Agent) -> list[str]:
    return [sys.executable, "-IS", str(home() / "hook.py"), "agent", agent.name, MARK]


def _own_file(agent: Agent) -> bytes | None:
    """The content of a file that is entirely ours; None for an agent that has a settings file of its own."""
    if agent.text is None:
        return None
    return agent.text(_words(agent), hook_command(agent), agent.timeout).encode("utf-8", "surrogateescape")


def state_of(agent: Agent) -> str:
    """`installed`, `not installed`, `incomplete` (events are missing or call another copy), `unreadable` or `off`."""
    path = settings_path(agent)
    if (own := _own_file(agent)) is not None:
        return _state_of_file(path, own)
    try:
        settings = _read(path)
    except UnreadableSettingsError:
        return "unreadable"
    if settings.get("disableAllHooks") is True:
        return "off"
    registered = {
        event: [entry for entry in _entries(settings.get(agent.place), event) if _is_ours(entry)]
        for event in agent.events
    }
    if not any(registered.values()):
        return "not installed"
    commands = _commands(agent).values()
    current = all(
        any(all(command in text for command in commands) for text in map(_text_of, entries))
        for entries in registered.values()
    )
    return "installed" if current else "incomplete"


def _text_of(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False).replace("\\\\", "\\").replace('\\"', '"')


def _state_of_file(path: Path, own: bytes) -> str:
    try:
        return "installed" if path.read_bytes() == own else "incomplete"
    except FileNotFoundError:
        return "not installed"
    except OSError:
        return "unreadable"


def register(agent: Agent) -> None:
    """Add our hooks to an agent's settings.  Raises UnreadableSettingsError, and then changes nothing."""
    path = settings_path(agent)
    if (own := _own_file(agent)) is not None:
        write_recorded(path, own)
        return
    before = path.read_bytes() if path.exists() else None
    settings = _without_ours(_read(path), agent.place)
    hooks = settings.setdefault(agent.place, {})
    if not isinstance(hooks, dict):
        raise UnreadableSettingsError(f"{path}: `{agent.place}` is not an object; nothing was changed.")
    if agent.versioned:
        settings.setdefault("version", 1)
    for event in agent.events:
        entries = hooks.setdefault(event, [])
        if not isinstance(entries, list):
            raise UnreadableSettingsError(f"{path}: `{agent.place}.{event}` is not a list; nothing was changed.")
        entries.append(_entry(agent, event))
    text = json.dumps(settings, indent=_indent_of(before), ensure_ascii=False) + "\n"
    write_recorded(path, text.encode("utf-8"))


def unregister(agent: Agent) -> None:
    """Remove our hooks.  A file of ours that somebody changed is kept: its call of the collector does nothing."""
    restore(settings_path(agent), (lambda content: cleaned(agent, content)) if agent.text is None else None)


def cleaned(agent: Agent, content: bytes) -> bytes:
    """Return the settings without our hooks.  Raises ValueError if they are not JSON."""
    settings = _without_ours(json.loads(content), agent.place)
    return (json.dumps(settings, indent=_indent_of(content), ensure_ascii=False) + "\n").encode("utf-8")


def _entry(agent: Agent, event: str) -> dict[str, Any]:
    command: dict[str, Any] = {"type": "command", **_commands(agent)}
    if agent.name == "copilot":
        return {**command, "timeoutSec": agent.timeout}
    if agent.name == "windsurf":
        return {"command": command["command"], "show_output": False}
    command["timeout"] = agent.timeout
    if not agent.nested:
        return {name: command[name] for name in ("command", "timeout")}
    if agent.place != "hooks" and "Tool" not in event:
        return command
    entry: dict[str, Any] = {"hooks": [command]}
    return {"matcher": agent.matcher, **entry} if "Tool" in event else entry


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise UnreadableSettingsError(f"{path} cannot be read: {problem.strerror}.") from None
    if not content.strip():
        return {}
    try:
        settings = json.loads(content.decode("utf-8-sig"))
    except ValueError as problem:
        raise UnreadableSettingsError(
            f"{path} is not plain JSON ({problem}); nothing was changed. Remove its comments, and install again."
        ) from None
    if not isinstance(settings, dict):
        raise UnreadableSettingsError(f"{path} holds no JSON object; nothing was changed.")
    return settings


def _entries(hooks: Any, event: str) -> list[Any]:
    entries = hooks.get(event) if isinstance(hooks, dict) else None
    return entries if isinstance(entries, list) else []


def _is_ours(entry: Any) -> bool:
    return MARK in json.dumps(entry)


def _without_ours(settings: dict[str, Any], place: str) -> dict[str, Any]:
    """The settings without our entries, and without the lists and objects that contained nothing else."""
    hooks = settings.get(place)
    if not isinstance(hooks, dict):
        return settings
    for event in [event for event, entries in hooks.items() if isinstance(entries, list)]:
        had = len(hooks[event])
        hooks[event] = [entry for entry in hooks[event] if not _is_ours(entry)]
        if had and not hooks[event]:
            del hooks[event]
    if not hooks:
        del settings[place]
    return settings


def _indent_of(content: bytes | None) -> Any:
    for line in (content or b"").split(b"\n")[1:3]:
        blank = line[: len(line) - len(line.lstrip())]
        if blank:
            return "\t" if blank.startswith(b"\t") else min(len(blank), 8)
    return 2


# The manifest: former contents of files


def _manifest_path() -> Path:
    return home() / "manifest.json"


def manifest() -> dict[str, dict[str, Any]]:
    """File → its former content, the content that we wrote, and the folders that we created for it."""
    try:
        content = json.loads(_manifest_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _save(entries: dict[str, dict[str, Any]]) -> None:
    home().mkdir(parents=True, exist_ok=True)
    replace_file(_manifest_path(), json.dumps(entries, indent=1).encode() + b"\n", mode=0o600)


def write_recorded(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write to somebody else's file, and remember its former content; the first backup is kept."""
    entries = manifest()
    known = entries.get(str(path))
    before = path.read_bytes() if path.exists() else None
    if known is None or before is None or base64.b64encode(before).decode() != known["ours"]:
        known = {
            "before": None if before is None else base64.b64encode(before).decode(),
            "folders": [str(parent) for parent in path.parents if not parent.exists()],
        }
    entries[str(path)] = {**known, "ours": base64.b64encode(content).decode()}
    _save(entries)  # before the file, so that a crash between them leaves a backup
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content, mode)


def forget(path: Path) -> None:
    """Drop a file from the manifest, so that it stays as it is."""
    entries = manifest()
    entries.pop(str(path), None)
    _save(entries)


def restore(path: Path, clean: Callable[[bytes], bytes | None] | None = None) -> None:
    """Restore a file's former content; if it was changed since, `clean` returns the part to keep, if any."""
    entries = manifest()
    known = entries.get(str(path))
    if known is None:
        return
    current = path.read_bytes() if path.exists() else None
    if current is not None and base64.b64encode(current).decode() == known["ours"]:
        if known["before"] is None:
            path.unlink()
        else:
            replace_file(path, base64.b64decode(known["before"]))
    elif current is not None and clean is not None:
        try:
            rest = clean(current)
        except ValueError:
            rest = current  # somebody else broke it, and has to fix it
        if rest is not None and rest != current:
            replace_file(path, rest)
    for folder in known["folders"]:
        try:
            Path(folder).rmdir()
        except OSError:
            break  # in use
    del entries[str(path)]
    _save(entries)
