"""Git's hooks in the repositories in which agents work: added in front of what is there, which still runs.

A repository whose hooks are tracked files (core.hooksPath = .githooks) is left as it is: its commits are judged with
the next event of an agent there.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from . import registration
from .ledger import Ledger, home
from .repository import Repository, git

HOOKS = ("post-commit", "post-rewrite", "post-merge", "post-checkout", "post-applypatch")
PREVIOUS = ".before-headway-agent"
SCRIPT = """#!/bin/sh
# headway-agent: runs the hook that was here before, then tells the collector, which never holds up git.
previous="$0{previous}"
status=0
if [ -x "$previous" ]; then
    "$previous" "$@"
    status=$?
fi
if [ -n "$HEADWAY_AGENT_WAIT" ]; then
    {command} </dev/null >/dev/null 2>&1
else
    {command} </dev/null >/dev/null 2>&1 &
fi
exit $status
"""


def watch(ledger: Ledger, place: Repository) -> str:
    """Install the hooks of a repository where they are missing; returns `installed` or why not."""
    state = _install(place)
    ledger.set_note(f"watched {place.common}", state)
    return state


def _install(place: Repository) -> str:
    named = git(place.root, "rev-parse", "--git-path", "hooks")
    if not named:
        return "git does not run here"
    folder = Path(place.root, os.fsdecode(named.rstrip(b"\r\n")))
    if not _is_private(place, folder):
        return "its hooks are tracked files"
    try:
        for name in HOOKS:
            _install_hook(folder / name)
    except OSError as problem:
        return f"its hooks cannot be written: {problem.strerror}"
    return "installed"


def _is_private(place: Repository, folder: Path) -> bool:
    """Whether a hook written there stays on this machine: inside .git, or in a folder that git ignores (husky)."""
    real = os.path.realpath(folder)
    if os.path.commonpath([real, place.common]) == place.common:
        return True
    if os.path.commonpath([real, place.root]) != place.root:
        return False  # a folder of all repositories: not ours to change
    return bool(git(place.root, "check-ignore", os.path.join(real, "post-commit")))


def _install_hook(path: Path) -> None:
    script = _script(path.name)
    if path.exists():
        if path.read_bytes() == script:
            return
        previous = path.with_name(path.name + PREVIOUS)
        if registration.MARK.encode() not in path.read_bytes() and not previous.exists():
            os.replace(path, previous)
    registration.write_recorded(path, script, mode=0o755)


def _script(name: str) -> bytes:
    command = f"{quoted(sys.executable)} -IS {quoted(str(home() / 'hook.py'))} git {name}"
    return SCRIPT.format(previous=PREVIOUS, command=command).encode("utf-8", "surrogateescape")


def quoted(path: str) -> str:
    return shlex.quote(path.replace("\\", "/") if sys.platform == "win32" else path)


def remove_all() -> dict[str, str]:
    """Take the hooks out of all repositories; returns those that could not be restored, with the reason."""
    failed = {}
    for name in list(registration.manifest()):
        path = Path(name)
        if path.name not in HOOKS:
            continue
        previous = path.with_name(path.name + PREVIOUS)
        try:
            registration.restore(path, lambda content: content)
            if previous.exists() and not path.exists():
                os.replace(previous, path)
        except OSError as problem:
            failed[name] = problem.strerror or str(problem)
    return failed
