"""Copilot's hooks in a file of the repository, which others receive with it; written only when a person asks for it.

Its commands name nothing of this machine and do nothing where there is no collector.  Copilot also runs the hooks of
the account (https://docs.github.com/en/copilot/reference/hooks-reference): whichever runs second finds the edit closed
and records nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import registration
from .ledger import replace_file
from .registration import AGENTS, Agent
from .repository import find_repository, git

FILE = ".github/hooks/headway.json"


def of_repository(root: str) -> Agent:
    """Copilot as an agent whose settings file is in the repository."""
    copilot = next(agent for agent in AGENTS if agent.name == "copilot")
    return copilot._replace(folder=lambda: Path(root), file=FILE, is_shared=True)


def add(root: str) -> bool:
    """Add the hooks to those in the file; False if they are there already.  Raises UnreadableSettingsError."""
    agent = of_repository(root)
    if registration.state_of(agent) == "installed":
        return False
    registration.register(agent)
    return True


def remove(root: str) -> bool:
    """Remove the hooks, whoever added them; False if there are none.  Raises UnreadableSettingsError."""
    agent = of_repository(root)
    path = registration.settings_path(agent)
    state = registration.state_of(agent)
    if state == "unreadable":
        raise registration.UnreadableSettingsError(f"{path} is not plain JSON; nothing was changed.")
    if str(path) in registration.manifest():
        registration.unregister(agent)
    elif state != "not installed":
        rest = registration.cleaned(agent, path.read_bytes())
        if set(json.loads(rest)) <= {"version"}:  # somebody else's collector made it
            path.unlink()
            _remove_empty(path.parent, Path(root))
        else:
            replace_file(path, rest)
    return state != "not installed"


def remove_all() -> dict[str, str]:
    """Remove the hooks from all repositories except those that track the file; return these, with the reason."""
    kept = {}
    for name in list(registration.manifest()):
        place = find_repository(os.path.dirname(name)) if name.replace("\\", "/").endswith(f"/{FILE}") else None
        if place is None:
            continue
        if git(place.root, "ls-files", "--", FILE):
            kept[name] = "its repository tracks it. Where there is no collector, its commands do nothing"
            registration.forget(Path(name))
        else:
            registration.unregister(of_repository(str(Path(name).parents[2])))
    return kept


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
