"""Backups: one file with the database, the secrets of the data directory and a manifest, and restoring it.

The file is a tar archive of `database.dump` (pg_dump's custom format), `secrets/…` and, last, `manifest.json` with the
SHA-256 of each.  Data that can be derived again is left out: columns, clones of repositories, collected files, logs.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from config import environment
from config.embedded_postgres import EmbeddedPostgresError
from config.embedded_postgres.cluster import binaries
from config.launcher.schema import migrate_schema, refuse_other_version
from core import sql
from insights.columns.stale import mark_broken

DUMP, MANIFEST, SECRETS = "database.dump", "manifest.json", "secrets"
FORM = "headway-backup-1"
COPIED_BYTES = 1 << 20
PREFIXES_OF_SETTINGS = ("HEADWAY_", "DATABASE_URL", "CELERY_", "EMAIL_")
NEWER_SETTING = b"SET transaction_timeout = 0;"  # of PostgreSQL 17 and newer, at the head of a script
ERRORS_SHOWN = 3  # lines of a PostgreSQL program


class BackupError(Exception):
    """The backup or the restore failed; the message gives the remedy."""


@dataclass(frozen=True)
class Manifest:
    """The contents of a backup."""

    form: str
    made_at: str
    postgresql: str  # version of the server
    migrations: list[tuple[str, str]]
    key_check: str  # tells whether a secret key is the one that encrypts the credentials in the database
    settings: list[str]  # names of environment variables that were set, without their values
    parts: dict[str, str] = field(default_factory=dict)  # SHA-256 by name


def back_up(file: Path) -> Manifest:
    """Write a backup of this installation, which may keep running; the file appears only once it is complete.  Raises
    BackupError.
    """
    manifest = _manifest()
    try:
        # Beside the file, so that renaming it is one step on the same disk.
        with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as name:
            folder = Path(name)
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={folder / DUMP}")
            unfinished = folder / "backup"
            with unfinished.open("xb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
                for part in (folder / DUMP, *_secret_files()):
                    within = DUMP if part.name == DUMP else f"{SECRETS}/{part.name}"
                    archive.add(part, within, recursive=False)
                    manifest.parts[within] = _sha256(part)
                _add(archive, MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
                archive.close()
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(file)
    except OSError as problem:
        raise BackupError(f"{file} can’t be written: {problem.strerror}.") from None
    return manifest


def restore(file: Path) -> Manifest:
    """Restore a backup into an empty installation, and migrate it to this version.

    A restore that is interrupted, or whose process is killed, leaves the database empty, and can be repeated; once the
    database is complete, a restore is refused because the installation has data, and `up` starts it.  Raises
    BackupError.
    """
    if sql.value("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"):
        raise BackupError(
            "This installation has data. Restore into an empty one: set HEADWAY_DATA_DIR to a new folder, or "
            "DATABASE_URL to an empty database."
        )
    for left in settings.DATA_DIR.glob("restore-*"):  # of one that was killed: it holds secrets
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.DATA_DIR) as name, _opened(file) as archive:
        manifest = _unpacked(archive, Path(name))
        refuse_other_version({(app, migration) for app, migration in manifest.migrations})
        _restore_secrets(manifest, Path(name) / SECRETS)
        _restore_database(Path(name) / DUMP)
    migrate_schema()
    mark_broken()  # the columns, which are built again here
    return manifest


def _manifest() -> Manifest:
    recorded = sorted(MigrationRecorder(connection).applied_migrations())
    if not recorded:
        raise BackupError("There is nothing to back up: this installation was never started.")
    return Manifest(
        form=FORM,
        made_at=timezone.now().isoformat(timespec="seconds"),
        postgresql=str(sql.value("SHOW server_version")),
        migrations=[(app, name) for app, name in recorded],
        key_check=_check_of(settings.SECRET_KEY),
        settings=sorted(name for name in os.environ if name.startswith(PREFIXES_OF_SETTINGS)),
    )


def _check_of(key: str) -> str:
    return hmac.new(key.encode(), b"headway backup", hashlib.sha256).hexdigest()[:16]


def _secret_files() -> list[Path]:
    folder = settings.DATA_DIR / SECRETS
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _restore_secrets(manifest: Manifest, folder: Path) -> None:
    """Store the secrets where this installation reads them.  Raises BackupError if the secret key differs."""
    configured = os.environ.get("HEADWAY_SECRET_KEY")
    file = folder / "secret_key"
    key = configured or (file.read_text().strip() if file.exists() else "")
    if not any(_check_of(one) == manifest.key_check for one in (key, *environment.old_secret_keys())):
        raise BackupError(
            "The credentials in this backup are encrypted with another secret key. Set HEADWAY_SECRET_KEY to the key "
            "of the installation that it was made from."
        )
    target = settings.DATA_DIR / SECRETS
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in folder.iterdir() if folder.is_dir() else ():
        part.replace(target / part.name)


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, mode="r:") as archive:
            yield archive
    except OSError as problem:
        raise BackupError(f"{file} can’t be read: {problem.strerror}.") from None
    except tarfile.TarError:
        raise BackupError(f"{file} is not a backup, or is truncated.") from None


def _unpacked(archive: tarfile.TarFile, folder: Path) -> Manifest:
    """Unpack the archive into the folder, and verify every part.  Raises BackupError."""
    members = {member.name: member for member in archive.getmembers() if member.isfile()}
    try:
        with cast(IO[bytes], archive.extractfile(members.pop(MANIFEST))) as stream:
            document: dict[str, Any] = json.load(stream)
        manifest = Manifest(**{**document, "migrations": [(app, name) for app, name in document["migrations"]]})
    except (KeyError, TypeError, ValueError):
        raise BackupError("The file is not a backup, or is truncated: it has no manifest.") from None
    if manifest.form != FORM or members.keys() != manifest.parts.keys():
        raise BackupError("The backup is incomplete, or was made by a newer Headway.")
    (folder / SECRETS).mkdir(mode=0o700)
    for name, member in members.items():
        path = folder / (DUMP if name == DUMP else f"{SECRETS}/{Path(name).name}")
        with cast(IO[bytes], archive.extractfile(member)) as stream, path.open("xb") as copy:
            shutil.copyfileobj(stream, copy, COPIED_BYTES)
        if _sha256(path) != manifest.parts[name]:
            raise BackupError(f"The backup is damaged: {name} differs from what was written.")
    return manifest


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _restore_database(dump: Path) -> None:
    """Run the dump as one transaction, which this process commits: if it is killed, nothing is committed.

    psql runs it as SQL, because pg_restore sets parameters that a server older than itself refuses.  Raises
    BackupError.
    """
    database = f"--dbname={connection.get_connection_params()['dbname']}"
    with (
        tempfile.TemporaryFile("w+") as said,
        _started("pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dump), said=said) as script,
        _started("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database, said=said) as client,
    ):
        statements, commands = cast(IO[bytes], script.stdout), cast(IO[bytes], client.stdin)
        with suppress(BrokenPipeError), commands:
            commands.write(b"BEGIN;\n")
            for line in statements:
                if line.strip() != NEWER_SETTING:
                    commands.write(line)
                if line.startswith(b"COPY "):
                    break
            shutil.copyfileobj(statements, commands, COPIED_BYTES)
            if script.wait() == 0:
                commands.write(b"COMMIT;\n")
        statements.close()
        if client.wait() or script.wait():
            raise BackupError(f"The database was not restored: {_last_words(said)}")


def _run(program: str, *arguments: str) -> None:
    """Run a PostgreSQL program on this installation's database.  Raises BackupError with the program's message."""
    with tempfile.TemporaryFile("w+") as said, _started(program, *arguments, said=said) as started:
        cast(IO[bytes], started.stdin).close()
        if started.wait():
            raise BackupError(f"{program} failed: {_last_words(said)}")


def _started(program: str, *arguments: str, said: IO[str]) -> subprocess.Popen[bytes]:
    """A running PostgreSQL program on this installation's database, whose errors go to `said`."""
    params = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    address = {names[key]: str(value) for key, value in params.items() if key in names and value}
    options = {
        f"PG{key.upper()}": str(params[key]) for key in ("sslmode", "sslrootcert", "sslcert", "sslkey") if key in params
    }
    return subprocess.Popen(
        [_program(program), *arguments],
        env={**_without_postgres(os.environ), **address, **options},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if program == "pg_restore" else subprocess.DEVNULL,
        stderr=said,
    )


def _last_words(said: IO[str]) -> str:
    said.seek(0)
    return " ".join(said.read().strip().splitlines()[-ERRORS_SHOWN:])


def _without_postgres(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith("PG")}


def _program(name: str) -> str:
    """The program of the embedded server, which reads every older server; else the machine's."""
    try:
        return str(binaries() / name)
    except EmbeddedPostgresError:
        found = shutil.which(name)
    if found is None:
        raise BackupError(f"There is no {name}: install PostgreSQL’s client programs (Debian: postgresql-client).")
    return found
