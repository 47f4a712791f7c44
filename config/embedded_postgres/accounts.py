"""The system account of the server, its file permissions, and errors as sentences for the operator.

PostgreSQL refuses to run as root, so for root the server runs under a system account; otherwise under the user's own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TypedDict

SIGNS_OF_A_FULL_DISK = ("No space left on device", "Disk quota exceeded", "could not extend file")


class EmbeddedPostgresError(Exception):
    """The server could not be created, started or stopped; the message gives the remedy."""


class StillStartingError(EmbeddedPostgresError):
    """The server runs but does not answer yet: after a power cut it may recover for minutes."""


class DiskFullError(EmbeddedPostgresError):
    """The file system that holds the data directory has no room left."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The disk is full: PostgreSQL cannot write to {folder}. Free some space there, or set "
            "HEADWAY_DATA_DIR to a folder on another disk, and start again. What was stored is kept."
        )


def explain(output: str, *, doing: str, folder: Path) -> EmbeddedPostgresError:
    """The error for a PostgreSQL program's output: a known error, else its last lines."""
    if any(sign in output for sign in SIGNS_OF_A_FULL_DISK):
        return DiskFullError(folder)
    last_lines = "\n".join(output.strip().splitlines()[-15:])
    return EmbeddedPostgresError(f"{doing} failed:\n{last_lines}")


SYSTEM_ACCOUNTS = ("headway-postgres", "postgres", "nobody")


class RunAs(TypedDict, total=False):
    """Arguments of subprocess.Popen that switch the account; empty for the current one."""

    user: int
    group: int
    extra_groups: list[int]


@cache
def server_account() -> pwd.struct_passwd | None:
    """The system account to run as under root; None otherwise."""
    if os.getuid() != 0:
        return None
    if shutil.which("useradd") and not _exists(SYSTEM_ACCOUNTS[0]):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNTS[0]],
            check=False,
            capture_output=True,
        )
    for name in SYSTEM_ACCOUNTS:
        if _exists(name):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError("PostgreSQL does not run as root, and this system has no other account for it.")


def server_uid() -> int:
    account = server_account()
    return os.getuid() if account is None else account.pw_uid


def run_as_server() -> RunAs:
    account = server_account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def give_to_server(folder: Path) -> None:
    """Make the server's account the owner of a folder and let it traverse the parent folders."""
    account = server_account()
    if account is None:
        return
    status = folder.stat()
    if (status.st_uid, status.st_gid) != (account.pw_uid, account.pw_gid):
        os.chown(folder, account.pw_uid, account.pw_gid)
    let_server_reach(folder)


def let_server_reach(path: Path) -> None:
    """Set the search bit (not the read bit) on every parent of `path`, and report changes."""
    account = server_account()
    if account is None:
        return
    opened = []
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH and folder.owner() != account.pw_name:
            folder.chmod(mode | stat.S_IXOTH)
            opened.append(str(folder))
    if opened:
        sys.stderr.write(
            f"PostgreSQL does not run as root but as {account.pw_name}: other accounts may now pass through "
            f"(not list or read) {', '.join(opened)}.\n"
        )


def let_server_read_programs(bin_dir: Path) -> None:
    """Make the installed binaries readable for the server's account despite a strict umask."""
    if server_account() is None or (bin_dir / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for folder, _, files in os.walk(bin_dir.parent):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def refuse_folders_of_others(data_dir: Path, run_dir: Path) -> None:
    """Refuse a data directory of another account.  Raises EmbeddedPostgresError."""
    owner = next((folder.stat().st_uid for folder in (run_dir, data_dir) if _can_see(folder)), os.getuid())
    if owner == os.getuid() or (os.getuid() == 0 and not _can_see(run_dir)):
        return
    raise EmbeddedPostgresError(
        f"The data directory {data_dir} belongs to {_name(owner)}, and this is {_name(os.getuid())}. "
        f"Start Headway as {_name(owner)}, or set HEADWAY_DATA_DIR to a folder of your own."
    )


def _can_see(folder: Path) -> bool:
    try:
        return folder.exists()
    except PermissionError:
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
