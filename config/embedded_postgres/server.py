"""Creating, starting, adopting and stopping the embedded server, with its share of the machine's memory.

Nothing here takes a lock; config/embedded_postgres/use.py decides who may start and stop.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from config.embedded_postgres.accounts import (
    EmbeddedPostgresError,
    StillStartingError,
    explain,
    give_to_server,
    let_server_reach,
    let_server_read_programs,
    refuse_folders_of_others,
    run_as_server,
    server_uid,
)
from config.embedded_postgres.cluster import DATABASE_NAME, MAJOR_VERSION, SUPERUSER, Cluster, binaries
from config.embedded_postgres.postmaster import Postmaster

MEGABYTE = 1024 * 1024
# PostgreSQL's manual recommends a quarter of the memory.  Pages are allocated as data is read, so a small organisation
# never uses more than its tables.
SHARE = 1 / 4
LEAST_MB, MOST_MB = 128, 4096
# Memory limits of containers, cgroup v2 and v1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def shared_buffers() -> str:
    """The buffer size in PostgreSQL's notation; pages outside the buffers are copied from the OS cache on each read."""
    share = int(_memory_bytes(LIMITS) * SHARE) // MEGABYTE
    return f"{min(max(share, LEAST_MB), MOST_MB)}MB"


def _memory_bytes(limits: Sequence[Path]) -> int:
    """The memory of the machine, or the container's limit."""
    limits_in_bytes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in limits:
        written = path.read_text().strip() if path.exists() else ""
        if written.isdigit():  # or “max”
            limits_in_bytes.append(int(written))
    return min(limits_in_bytes)


SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "jit": "off",  # compiling costs more than our queries take
    "shared_buffers": shared_buffers(),
    "max_wal_size": "4GB",
    "max_connections": "100",
    "work_mem": "32MB",
    "hash_mem_multiplier": "8",  # half a year of sessions is counted in memory instead of sorted on disk
    "maintenance_work_mem": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
    "parallel_setup_cost": "10000",  # a unit's page takes twice as long if queries wait for workers to start
    # Statements and error details contain values: no e-mail addresses in logs.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
LARGEST_LOG_BYTES = 10_000_000
# Sessions of a killed server notice its death at their next wait; until then they use its shared memory.
SIGN_OF_ORPHANED_SESSIONS = "shared memory block"
# A supervisor killed right after starting the server leaves a starting one behind.
SIGN_OF_ANOTHER_START = 'lock file "postmaster.pid" already exists'
SECONDS_BETWEEN_CHECKS = 0.05
# Fast, then immediate shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
SECONDS_TO_STOP = 30.0

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})

_started: dict[Path, subprocess.Popen[bytes]] = {}


def is_running(cluster: Cluster) -> bool:
    """Whether the server answers on its socket."""
    if not cluster.socket.exists():
        return False
    ready = subprocess.run(
        [str(binaries() / "pg_isready"), "-q", "-h", str(cluster.socket_dir), "-d", "postgres", "-U", SUPERUSER],
        check=False,
    )
    return ready.returncode == 0


def start(cluster: Cluster, *, patience_seconds: float = 60, settings: Mapping[str, str] = NO_SETTINGS) -> None:
    """Create the cluster if missing, start its server, and return when it answers.

    `settings` are added to SERVER_SETTINGS.  A server that is already running is adopted as is.  Raises
    EmbeddedPostgresError, or StillStartingError if the server runs but does not answer within `patience_seconds`.
    """
    refuse_folders_of_others(cluster.data_dir, cluster.run_dir)
    _refuse_other_major_version(cluster)
    if is_running(cluster):
        return
    deadline = time.monotonic() + patience_seconds
    _prepare_folders(cluster)
    _clean_up_earlier_server(cluster, deadline)
    if not (cluster.postgres_dir / "PG_VERSION").exists():
        _create_cluster(cluster)
    while not is_running(cluster) and not _launch(cluster, deadline, settings):
        time.sleep(SECONDS_BETWEEN_CHECKS)
    _create_database(cluster)


def stop(cluster: Cluster) -> None:
    """Disconnect clients and stop the server; no-op if none runs."""
    postmaster = Postmaster.read(cluster.postgres_dir)
    if postmaster is not None:
        for number in STOP_SIGNALS:
            if postmaster.ends_by(number, within_seconds=SECONDS_TO_STOP):
                break
        else:
            raise EmbeddedPostgresError(f"PostgreSQL (process {postmaster.pid}) did not stop.")
    server = _started.pop(cluster.postgres_dir, None)
    if server is not None:
        if postmaster is None:  # interrupted before it wrote its pid file
            server.terminate()
        server.wait()


def _launch(cluster: Cluster, deadline: float, settings: Mapping[str, str]) -> bool:
    """Start the server and wait until it answers; False if worth retrying."""
    begin = cluster.log_file.stat().st_size if cluster.log_file.exists() else 0
    server = _started.get(cluster.postgres_dir)
    if server is None or server.poll() is not None:  # else an earlier start ran out of patience with it
        server = _started[cluster.postgres_dir] = _server_process(cluster, settings)
    while not is_running(cluster):
        if server.poll() is not None:
            output = _log_since(cluster.log_file, begin)
            worth_another_try = SIGN_OF_ORPHANED_SESSIONS in output or SIGN_OF_ANOTHER_START in output
            if worth_another_try and time.monotonic() < deadline:
                return False
            raise explain(output, doing="Starting PostgreSQL", folder=cluster.postgres_dir)
        if time.monotonic() > deadline:
            raise StillStartingError(
                f"PostgreSQL does not answer yet. It may still be recovering: see {cluster.log_file}."
            )
        time.sleep(SECONDS_BETWEEN_CHECKS)
    return True


def _server_process(cluster: Cluster, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    values = {**SERVER_SETTINGS, **settings}
    options = [argument for key, value in values.items() for argument in ("-c", f"{key}={value}")]
    with cluster.log_file.open("ab") as log:
        return subprocess.Popen(
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
            **run_as_server(),
        )


def _clean_up_earlier_server(cluster: Cluster, deadline: float) -> None:
    """Clean up after an earlier run: a stale pid file, a starting server, or one without a socket."""
    while (postmaster := Postmaster.read(cluster.postgres_dir)) is not None:
        if not postmaster.is_alive():
            postmaster.remove_misleading_file()
            return
        if is_running(cluster):
            return
        if postmaster.status == "ready":  # its socket was deleted, or the data directory was moved
            stop(cluster)
            return
        if time.monotonic() > deadline:
            raise StillStartingError(
                f"PostgreSQL (process {postmaster.pid}) is still {postmaster.status}: see {cluster.log_file}."
            )
        time.sleep(SECONDS_BETWEEN_CHECKS)


def _refuse_other_major_version(cluster: Cluster) -> None:
    try:
        version = (cluster.postgres_dir / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    if version != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"The data directory {cluster.data_dir} belongs to another version: it was written by PostgreSQL "
            f"{version}, and this Headway brings PostgreSQL {MAJOR_VERSION}. Start it with the Headway that wrote it, "
            "or set HEADWAY_DATA_DIR to another folder."
        )


def _prepare_folders(cluster: Cluster) -> None:
    try:
        for folder in (cluster.data_dir, cluster.run_dir, cluster.postgres_dir, cluster.log_file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        cluster.socket_dir.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise explain(
            f"{problem.strerror}: {problem.filename}", doing="Preparing the data directory", folder=cluster.data_dir
        ) from None
    cluster.postgres_dir.chmod(0o700)
    if server_uid() != os.getuid():
        for folder in (cluster.data_dir, cluster.run_dir):
            folder.chmod(0o711)  # the server traverses it; private content has its own mode
    for folder in (cluster.postgres_dir, cluster.socket_dir):
        give_to_server(folder)
    let_server_read_programs(binaries())
    let_server_reach(binaries())
    if cluster.log_file.exists() and cluster.log_file.stat().st_size > LARGEST_LOG_BYTES:
        cluster.log_file.replace(cluster.log_file.with_suffix(".log.1"))


def _create_cluster(cluster: Cluster) -> None:
    _run(
        [
            str(binaries() / "initdb"),
            *("-D", str(cluster.postgres_dir), "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ],
        doing="Creating the database cluster",
        cluster=cluster,
        as_server=True,
    )


def _create_database(cluster: Cluster) -> None:
    psql = [str(binaries() / "psql"), "-X", "-q", "-h", str(cluster.socket_dir), "-U", SUPERUSER, "-d", "postgres"]
    doing = "Creating the database"
    names = _run([*psql, "-Atc", "select datname from pg_database"], doing=doing, cluster=cluster)
    if DATABASE_NAME not in names.split():
        _run([*psql, "-c", f"create database {DATABASE_NAME}"], doing=doing, cluster=cluster)


def _run(command: Sequence[str], *, doing: str, cluster: Cluster, as_server: bool = False) -> str:
    account = run_as_server() if as_server else {}
    finished = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **account)
    if finished.returncode != 0:
        raise explain(finished.stderr or finished.stdout, doing=doing, folder=cluster.postgres_dir)
    return finished.stdout


def _log_since(log_file: Path, begin: int) -> str:
    with log_file.open("rb") as log:
        log.seek(begin)
        return log.read().decode(errors="replace")


@atexit.register
def _detach_servers() -> None:
    """Let the server outlive this process without a warning from Popen."""
    for server in _started.values():
        if server.poll() is None:
            server.returncode = 0
