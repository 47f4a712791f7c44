"""git-ai at work in the labelled set: its own checkpoints, its own background service, and the notes that it writes.

For comparison only, if HEADWAY_GIT_AI names its program.  It is installed into the sandbox home by its own command,
gets the input that each agent documents, and has all the time it asks for after every step.  It takes a save within
three seconds of an agent's call for the agent's, so every actor waits four seconds after another one.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.collector_world import AFTER, World, of_windsurf
from integrations.code.attribution.git_ai_notes import read_note
from integrations.connectors.git.line_changes import added_lines

PRESETS = {
    **{"claude_code": "claude", "codex": "codex", "gemini_cli": "gemini", "cursor": "cursor"},
    "windsurf": "windsurf",
}
SETTINGS = {
    "telemetry_oss": "off",
    "disable_version_checks": True,
    "disable_auto_updates": True,
    "allow_superuser": True,
    "api_base_url": "http://127.0.0.1:9",
}
PERSON = "person"
SECONDS_APART = 4


class GitAiWorld(World):
    """A machine with git-ai, and without the collector; `sees_people`: its extension of an editor reports each save."""

    def __init__(self, folder: Path, program: str, *, sees_people: bool) -> None:
        self.program = program
        self.sees_people = sees_people
        self.actor, self.acted_at = PERSON, 0.0
        super().__init__(folder)

    def install(self, server: str, token: str) -> str:
        settings = self.home / ".git-ai" / "config.json"
        settings.parent.mkdir()
        settings.write_text(json.dumps(SETTINGS))
        return self.git_ai("install-hooks")

    def git_ai(self, *arguments: str, text: str = "", folder: Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            input=text,
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git-ai {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def settle(self) -> None:
        """Wait until its background service has finished."""
        self.git_ai("await", "--timeout", "60", check=False)

    def turn_of(self, actor: str) -> None:
        if actor != self.actor:
            time.sleep(max(0.0, self.acted_at + SECONDS_APART - time.monotonic()))
        self.actor = actor

    def acted(self) -> None:
        self.settle()
        self.acted_at = time.monotonic()

    def git_at(self, folder: Path, *arguments: str, check: bool = True, **variables: str) -> str:
        self.turn_of(PERSON)
        printed = super().git_at(folder, *arguments, check=check, **variables)
        self.acted()
        return printed

    def write(self, name: str, *lines: str, root: Path | None = None, by: str = "") -> None:
        self.turn_of(by or PERSON)
        super().write(name, *lines, root=root, by=by)
        self.acted()

    def saved(self, name: str, *, root: Path | None = None) -> None:
        if self.sees_people:
            place = root or self.repository
            report = {"editor": "vscode", "cwd": str(place), "edited_filepaths": [str(place / name)]}
            self.git_ai("checkpoint", "known_human", "--hook-input", "stdin", text=json.dumps(report), folder=place)

    def opened(self, session: str, agent: str, tool: str, tool_input: Mapping[str, Any], root: Path) -> dict[str, Any]:
        self.turn_of(session)
        return super().opened(session, agent, tool, tool_input, root)

    def hook(self, agent: str, payload: Mapping[str, Any], *, folder: Path | None = None) -> None:
        """A checkpoint, with the agent's own input; it asks for none after a tool that failed."""
        event = payload["hook_event_name"]
        if event == "PostToolUseFailure":
            return
        given = _as_documented(
            agent, payload, self._transcript(payload["session_id"]), is_before=event in ("PreToolUse", "BeforeTool")
        )
        self.git_ai("checkpoint", PRESETS[agent], "--hook-input", "stdin", text=json.dumps(given), folder=folder)
        self.acted()

    def _transcript(self, session: str) -> str:
        path = self.home / ".claude" / "projects" / "work" / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return str(path)

    def edit(self, session: str, name: str, *lines: str, agent: str = "claude_code", root: Path | None = None) -> None:
        root = root or self.repository
        given = {"file_path": str(root / name), "content": "".join(f"{line}\n" for line in lines)}
        call = self.opened(session, agent, "Write", given, root)
        self.write(name, *lines, root=root, by=session)
        self.hook(agent, {**call, "hook_event_name": AFTER.get(agent, "PostToolUse")}, folder=root)

    def counts(self, revision: str) -> dict[str, int]:
        """The lines of a commit that its note attests, by session, as Headway reads them."""
        sha = self.git("rev-parse", revision)
        note = self.git("notes", "--ref=ai", "show", sha, check=False)
        if not note:
            return {}
        added = dict(added_lines(self.repository / ".git", [sha]))
        counts: dict[str, int] = {}
        for session in read_note(note.encode(), added.get(sha, {})):
            lines = sum(session.lines_by_path.values())
            if lines:
                counts[session.external_session] = counts.get(session.external_session, 0) + lines
        return counts

    def close(self) -> None:
        self.git_ai("bg", "shutdown", check=False)


@contextmanager
def git_ai_world(program: str, *, sees_people: bool) -> Iterator[GitAiWorld]:
    with TemporaryDirectory() as folder:
        world = GitAiWorld(Path(folder), program, sees_people=sees_people)
        try:
            yield world
        finally:
            world.close()


def version_of(program: str) -> str:
    done = subprocess.run([program, "version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout)
    return found[0] if found else done.stdout.strip()


def _as_documented(agent: str, payload: Mapping[str, Any], transcript: str, *, is_before: bool) -> dict[str, Any]:
    """The input with the transcript that each agent names, and the hooks before a tool of Cursor and Windsurf."""
    given = dict(payload["tool_input"])
    is_shell = payload["tool_name"] == "Bash"
    if agent == "cursor":
        return {
            **{"conversation_id": payload["session_id"], "workspace_roots": [payload["cwd"]]},
            **{"hook_event_name": "preToolUse" if is_before else "postToolUse", "tool_use_id": payload["tool_use_id"]},
            **{"tool_name": "Shell" if is_shell else "Write", "tool_input": given, "transcript_path": transcript},
        }
    if agent == "windsurf" and is_shell:
        return of_windsurf({**payload, "hook_event_name": "PreToolUse" if is_before else "PostToolUse"})
    if agent == "windsurf":
        return {
            "agent_action_name": "pre_write_code" if is_before else "post_write_code",
            "trajectory_id": payload["session_id"],
            "tool_info": {"file_path": given["file_path"], "cwd": payload["cwd"]},
        }
    return {**payload, "transcript_path": transcript}
