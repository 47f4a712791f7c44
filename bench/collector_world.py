"""A sandbox home with the collector installed, a repository, agents that call its hooks, and a person working beside
them.

Hooks are started as the agents start them, by the commands that the installation wrote into their settings, with the
input that the agents document; git is the machine's own.
"""

from __future__ import annotations

import difflib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from integrations.collector.packages import archive

PERSON = ("Ada", "ada@example.com")
FOLDERS = {
    **{"claude_code": ".claude", "codex": ".codex", "gemini_cli": ".gemini", "cursor": ".cursor"},
    "windsurf": ".codeium/windsurf",
}
BEFORE = {"gemini_cli": "BeforeTool"}
AFTER = {"gemini_cli": "AfterTool", "cursor": "afterFileEdit"}
GEMINI_TOOLS = {"Write": "write_file", "Bash": "run_shell_command"}
Counts = Mapping[str, int]
"""Session → lines."""


class World:
    """One machine."""

    def __init__(self, folder: Path, *, server: str = "http://127.0.0.1:9", token: str = "hwi_none") -> None:  # noqa: S107
        self.folder = folder
        self.home = folder / "home"
        self.repository = folder / "repository"
        self.home.mkdir(parents=True)
        for name in (*FOLDERS.values(), ".copilot"):
            (self.home / name).mkdir(parents=True)
        (self.home / ".gitconfig").write_text(
            f"[user]\n\tname = {PERSON[0]}\n\temail = {PERSON[1]}\n[init]\n\tdefaultBranch = main\n"
            "[core]\n\teditor = true\n[merge]\n\tconflictStyle = merge\n"
        )
        self.calls = 0
        self.archive = folder / "headway-agent.pyz"
        self.install_output = self.install(server, token)
        self.git_at(folder, "init", "-q", str(self.repository))

    def install(self, server: str, token: str) -> str:
        self.archive.write_bytes(archive())
        return self.agent("install", "--server", server, "--token", token)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        return {**inherited, "HOME": str(self.home), "HEADWAY_AGENT_WAIT": "1", "GIT_CONFIG_NOSYSTEM": "1"}

    def agent(self, *arguments: str, status: int = 0, environment: Mapping[str, str] | None = None) -> str:
        """A command of the collector, as a person types it."""
        done = subprocess.run(
            [sys.executable, str(self.archive), *arguments],
            env=environment or self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != status:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def git_at(self, folder: Path, *arguments: str, check: bool = True, **variables: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def git(self, *arguments: str, check: bool = True, **variables: str) -> str:
        return self.git_at(self.repository, *arguments, check=check, **variables)

    def hook(self, agent: str, payload: Mapping[str, Any], *, folder: Path | None = None) -> None:
        """Run the command that the agent's settings have for this event."""
        if agent == "windsurf" and "agent_action_name" not in payload:
            payload = of_windsurf(payload)
        name = dict.fromkeys(("codex", "cursor", "windsurf"), "hooks.json") | {"copilot": "hooks/headway.json"}
        path = self.home / (".copilot" if agent == "copilot" else FOLDERS[agent]) / name.get(agent, "settings.json")
        event = payload.get("agent_action_name") or payload["hook_event_name"]
        entries = json.loads(path.read_text())["hooks"][event]
        command = entries[0]["hooks"][0]["command"] if "hooks" in entries[0] else entries[0]["command"]
        done = subprocess.run(
            ["sh", "-c", command],
            input=json.dumps(payload),
            cwd=folder or self.repository,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or done.stdout or done.stderr:
            raise AssertionError(f"A hook said something: {done.returncode} {done.stdout}{done.stderr}")

    # What people and agents do

    def write(self, name: str, *lines: str, root: Path | None = None, by: str = "") -> None:
        """A person saves a file, or the session `by` writes it."""
        path = (root or self.repository) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        if not by:
            self.saved(name, root=root)

    def saved(self, name: str, *, root: Path | None = None) -> None:
        """A person's editor reports a save, to a program that listens; the collector does not."""

    def stage(self, name: str, *lines: str) -> None:
        """A person stages a file with these lines only, as an editor does, and leaves the file as it is."""
        part = self.folder / "part"
        part.write_bytes("".join(f"{line}\n" for line in lines).encode())
        self.git("update-index", "--cacheinfo", f"100644,{self.git('hash-object', '-w', str(part))},{name}")

    def read(self, name: str) -> list[str]:
        return (self.repository / name).read_text().splitlines()

    def insert(self, name: str, after: str, *lines: str) -> None:
        """A person adds lines below one."""
        content = self.read(name)
        position = content.index(after) + 1
        self.write(name, *content[:position], *lines, *content[position:])

    def edit(self, session: str, name: str, *lines: str, agent: str = "claude_code", root: Path | None = None) -> None:
        """An agent writes a whole file."""
        root = root or self.repository
        path = root / name
        content = "".join(f"{line}\n" for line in lines)
        if agent in ("cursor", "windsurf"):
            old = path.read_text() if path.exists() else ""
            self.write(name, *lines, root=root, by=session)
            edits = {"file_path": str(path), "edits": [{"old_string": old, "new_string": content}]}
            payload: dict[str, Any] = {"hook_event_name": "afterFileEdit", "conversation_id": session, **edits}
            if agent == "windsurf":
                payload = {"agent_action_name": "post_write_code", "trajectory_id": session, "tool_info": edits}
            self.hook(agent, payload, folder=root)
            return
        call = self.opened(session, agent, "Write", {"file_path": str(path), "content": content}, root)
        self.write(name, *lines, root=root, by=session)
        self.hook(agent, {**call, "hook_event_name": AFTER.get(agent, "PostToolUse")}, folder=root)

    def replace(self, session: str, name: str, old: str, new: str, *, during: Sequence[str] = ()) -> None:
        """Claude Code's Edit; `during`: lines that a person adds at the end of the file meanwhile."""
        path = self.repository / name
        given = {"file_path": str(path), "old_string": old, "new_string": new, "replace_all": False}
        call = self.opened(session, "claude_code", "Edit", given, self.repository)
        text = path.read_text()
        if old not in text:
            raise AssertionError(f"{old!r} is not in {name}")
        path.write_text(text.replace(old, new, 1) + "".join(f"{line}\n" for line in during))
        if during:
            self.saved(name)
        self.hook("claude_code", {**call, "hook_event_name": "PostToolUse"})

    def insert_by(self, session: str, name: str, after: str, *lines: str, agent: str = "claude_code") -> None:
        """An agent adds lines below one."""
        content = self.read(name)
        position = content.index(after) + 1
        self.edit(session, name, *content[:position], *lines, *content[position:], agent=agent)

    def shell(self, session: str, command: str, *, agent: str = "claude_code", check: bool = True) -> None:
        call = self.opened(session, agent, "Bash", {"command": command}, self.repository)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.repository,
            env={**self.environment, "CLAUDECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        self.hook(agent, {**call, "hook_event_name": AFTER.get(agent, "PostToolUse")})

    def opened(self, session: str, agent: str, tool: str, tool_input: Mapping[str, Any], root: Path) -> dict[str, Any]:
        self.calls += 1
        given = dict(tool_input)
        if tool == "Write" and agent == "codex":
            tool, given = "apply_patch", {"command": _patch(Path(given["file_path"]), given["content"])}
        elif agent == "gemini_cli":
            tool = GEMINI_TOOLS.get(tool, tool)
        call = {
            "session_id": session,
            "cwd": str(root),
            "tool_name": tool,
            "tool_input": given,
            "tool_use_id": f"toolu_{self.calls}",
        }
        self.hook(agent, {**call, "hook_event_name": BEFORE.get(agent, "PreToolUse")}, folder=root)
        return call

    def commit(self, *arguments: str) -> str:
        """Commit everything, or what the arguments select; return the commit."""
        if not arguments:
            self.git("add", "-A")
        self.git("commit", "-q", *(arguments or ("-m", "change")))
        return self.git("rev-parse", "HEAD")

    # What came of it

    def counts(self, revision: str) -> dict[str, int]:
        """The queued lines of a commit by session."""
        sha = self.git("rev-parse", revision)
        counts: dict[str, int] = {}
        for kind in self.document(sha).get("file_types", ()):
            for session in kind["sessions"]:
                counts[session["session"]] = counts.get(session["session"], 0) + session["lines"]
        return counts

    def document(self, sha: str) -> dict[str, Any]:
        connection = sqlite3.connect(self.home / ".headway-agent" / "ledger.db")
        try:
            rows = connection.execute("SELECT document FROM queue WHERE sha = ?", [sha]).fetchall()
        finally:
            connection.close()
        document: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        return document

    def wait(self) -> None:
        """Wait until git's clock, which counts seconds, has moved on."""
        time.sleep(1.1)


def of_windsurf(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A command of Claude Code's form in Windsurf's."""
    moment = "pre" if payload["hook_event_name"] == "PreToolUse" else "post"
    return {
        "agent_action_name": f"{moment}_run_command",
        "trajectory_id": payload["session_id"],
        "tool_info": {"command_line": payload["tool_input"]["command"], "cwd": payload["cwd"]},
    }


def _patch(path: Path, content: str) -> str:
    """Codex's patch that makes this content of a file."""
    if not path.exists():
        body = ["*** Add File: " + str(path), *(f"+{line}" for line in content.splitlines())]
    else:
        changes = list(difflib.unified_diff(path.read_text().splitlines(), content.splitlines(), lineterm=""))[2:]
        body = [
            "*** Update File: " + str(path),
            *("@@" if line.startswith("@@") else line for line in changes),
        ]
    return "\n".join(("*** Begin Patch", *body, "*** End Patch", ""))
