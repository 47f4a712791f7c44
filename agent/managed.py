"""Settings from an organisation's device management: server, token, git hooks and notes.

Only administrators can write these places: a file in /etc, a configuration profile, or a policy in the registry.
"""

from __future__ import annotations

import getpass
import json
import plistlib
import sys
from pathlib import Path
from typing import Any

DOMAIN = "org.headway.agent"
LINUX = Path("/etc/headway-agent/settings.json")
MACOS = Path("/Library/Managed Preferences")
WINDOWS = r"Software\Policies\Headway\Agent"
KINDS = {"server": str, "token": str, "git_hooks": bool, "notes": bool}
NAMES_OF_KINDS = {str: "a string", bool: "true or false"}


class UnreadableManagedError(Exception):
    """Managed settings that cannot be read; the text is shown to the person at this machine."""


def managed_settings() -> dict[str, Any]:
    """Return the managed settings only.  Raises UnreadableManagedError."""
    read = {"darwin": _of_profile, "win32": _of_registry}.get(sys.platform, _of_file)
    try:
        found = read()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, plistlib.InvalidFileException) as problem:
        raise UnreadableManagedError(f"The managed settings cannot be read: {problem}") from None
    settings = {}
    for name, kind in KINDS.items():
        if name in found:
            value = bool(found[name]) if kind is bool and isinstance(found[name], int) else found[name]
            if not isinstance(value, kind):
                raise UnreadableManagedError(f"The managed setting {name!r} is not {NAMES_OF_KINDS[kind]}.")
            settings[name] = value
    return settings


def _of_file() -> dict[str, Any]:
    content = json.loads(LINUX.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{LINUX} does not hold a JSON object.")
    return content


def _of_profile() -> dict[str, Any]:
    """Return the preferences of the person, or else those of the machine."""
    for folder in (MACOS / getpass.getuser(), MACOS):
        path = folder / f"{DOMAIN}.plist"
        if path.exists():
            content = plistlib.loads(path.read_bytes())
            if not isinstance(content, dict):
                raise ValueError(f"{path} does not hold a dictionary.")
            return content
    return {}


def _of_registry() -> dict[str, Any]:
    import winreg  # only on Windows

    found: dict[str, Any] = {}
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, WINDOWS) as key:  # type: ignore[attr-defined]
        for name in KINDS:
            try:
                found[name] = winreg.QueryValueEx(key, name)[0]  # type: ignore[attr-defined]
            except FileNotFoundError:
                continue  # not managed
    return found
