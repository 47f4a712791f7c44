"""The collector as one file that Python runs, and as packages for device management.

The same sources make the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import plistlib
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from agent import VERSION
from agent.managed import DOMAIN

SOURCES = Path(__file__).resolve().parents[2] / "agent"
PACKAGE = "headway_agent"
NAME = "headway-agent.pyz"
SHEBANG = b"#!/usr/bin/env python3\n"
START = "import sys\n\nfrom headway_agent.commands import main\n\nsys.exit(main())\n"
BEFORE_ALL_SOURCES = (1980, 1, 1, 0, 0, 0)  # the archive does not depend on when it is made
DEB, ZIP = "headway-agent.deb", "headway-agent.zip"
PLAIN, PROGRAM = 0o644, 0o755
CONTROL = f"""Package: headway-agent
Version: {VERSION}
Section: devel
Priority: optional
Architecture: all
Depends: python3 (>= 3.9), git
Maintainer: The administrator of Headway <root@localhost>
Description: Headway's collector
 Recognises on a developer's machine which lines of a commit an agent wrote, and sends counts. Each person installs
 it for their own account, with `headway-agent install`; /etc/headway-agent/settings.json may set server and token.
"""
COMMAND = f"""#!/bin/sh
exec python3 /usr/lib/headway-agent/{NAME} "$@"
"""
INSTALL_SH = f"""#!/bin/sh
# Installs the collector for the account that runs this, which needs no administrator rights.
# Server and token: --server and --token, or managed settings.
set -eu
exec python3 "$(dirname "$0")/{NAME}" install "$@"
"""
INSTALL_PS1 = f"""# Installs the collector for the account that runs this, which needs no administrator rights.
# Server and token: --server and --token, or managed settings.
$ErrorActionPreference = "Stop"
$python = if (Get-Command py -ErrorAction SilentlyContinue) {{ "py" }} else {{ "python" }}
& $python (Join-Path $PSScriptRoot "{NAME}") install @args
exit $LASTEXITCODE
"""
SETTINGS = """{
  "server": "https://headway.example.com",
  "token": "hwi_the-token-of-this-machine",
  "git_hooks": true,
  "notes": false
}
"""


@cache
def archive() -> bytes:
    """A zip archive that Python runs."""
    buffer = io.BytesIO(SHEBANG)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as files:
        members = {f"{PACKAGE}/{source.name}": source.read_text("utf-8") for source in sorted(SOURCES.glob("*.py"))}
        for name, text in {"__main__.py": START, **members}.items():
            member = zipfile.ZipInfo(name, BEFORE_ALL_SOURCES)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            files.writestr(member, text)
    return buffer.getvalue()


@cache
def debian_package() -> bytes:
    """A .deb that installs the program for all accounts; its parts are not compressed because the archive already
    is.
    """
    license_text = (SOURCES.parent / "LICENSE").read_bytes()
    data = _tar(
        {
            f"usr/lib/headway-agent/{NAME}": (archive(), PROGRAM),
            "usr/bin/headway-agent": (COMMAND.encode(), PROGRAM),
            "usr/share/doc/headway-agent/copyright": (license_text, PLAIN),
        }
    )
    members = {"debian-binary": b"2.0\n", "control.tar": _tar({"control": (CONTROL.encode(), PLAIN)}), "data.tar": data}
    return b"!<arch>\n" + b"".join(_member(name, content) for name, content in members.items())


@cache
def bundle() -> bytes:
    """A zip with installers for shells and PowerShell, and examples of managed settings."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as files:
        for name, (content, mode) in {
            NAME: (archive(), PROGRAM),
            "install.sh": (INSTALL_SH.encode(), PROGRAM),
            "install.ps1": (INSTALL_PS1.encode(), PLAIN),
            "examples/settings.json": (SETTINGS.encode(), PLAIN),
            "examples/headway-agent.mobileconfig": (_profile(), PLAIN),
        }.items():
            member = zipfile.ZipInfo(f"headway-agent/{name}", BEFORE_ALL_SOURCES)
            member.external_attr = mode << 16
            files.writestr(member, content)
    return buffer.getvalue()


FILES: Mapping[str, Callable[[], bytes]] = {NAME: archive, DEB: debian_package, ZIP: bundle}
"""The files that /agent/ offers, by name."""


@cache
def sha256_of(name: str) -> str:
    return hashlib.sha256(FILES[name]()).hexdigest()


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Return a tar archive of the files and their folders, owned by root, without timestamps."""
    buffer = io.BytesIO()
    folders = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder in sorted(folders):
            entry = _entry(folder, PROGRAM)
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        for name, (content, mode) in files.items():
            entry = _entry(name, mode)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _entry(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(f"./{name}")
    entry.mode, entry.uname, entry.gname = mode, "root", "root"
    return entry


def _member(name: str, content: bytes) -> bytes:
    """A member of an ar archive, padded to an even length."""
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{0o100644:<8o}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)


def _profile() -> bytes:
    """An example of a macOS configuration profile that sets server and token as preferences of the collector."""
    settings = {"server": "https://headway.example.com", "token": "hwi_the-token-of-this-machine"}
    payload = {**_identified("settings"), "PayloadType": DOMAIN, **settings}
    profile = {**_identified("profile"), "PayloadType": "Configuration", "PayloadContent": [payload]}
    return plistlib.dumps({**profile, "PayloadScope": "User", "PayloadRemovalDisallowed": False})


def _identified(part: str) -> dict[str, object]:
    return {
        "PayloadIdentifier": f"{DOMAIN}.{part}",
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{part}.{DOMAIN}")).upper(),
        "PayloadDisplayName": "Headway's collector",
        "PayloadVersion": 1,
    }
