"""The collector's store on the machine: its folder, its settings, and a SQLite file with hashes, counts and a queue.

Only the documents in the queue leave the machine.  The salt of the hashes is generated here and never sent.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .lines import DIGEST_BYTES, Written

if TYPE_CHECKING:
    from pathlib import Path

HOME_VARIABLE = "HEADWAY_AGENT_HOME"
DAYS_REMEMBERED = 30
DAY = 86_400
OPEN_FOR = 3_600  # seconds after which an edit that was never closed is forgotten
MOST_ROWS = 2_000_000  # of the ledger: about 200 MB
MOST_QUEUED = 20_000
MOST_ACTIVITIES = 1_000_000  # about 200 MB
DAYS_OF_ACTIVITY = 400  # transcripts that repeat older ones are rare
REQUEST, TOOL_CALL, TURN = "request", "tool call", "turn"
SUCCEEDED, FAILED, REFUSED = "succeeded", "failed", "refused"
SCHEMA = """
CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY, agent TEXT, external_id TEXT, model TEXT, last_at REAL,
    UNIQUE (agent, external_id));
CREATE TABLE IF NOT EXISTS opened (repository TEXT, call TEXT, session INTEGER, path TEXT, hashes BLOB, at REAL,
    PRIMARY KEY (repository, call, path));
CREATE TABLE IF NOT EXISTS written (id INTEGER PRIMARY KEY, repository TEXT, path TEXT, digest BLOB, before BLOB,
    after BLOB, session INTEGER, at REAL);
CREATE INDEX IF NOT EXISTS written_by_digest ON written (repository, digest);
CREATE TABLE IF NOT EXISTS used (written INTEGER, sha TEXT, PRIMARY KEY (written, sha));
CREATE INDEX IF NOT EXISTS used_by_sha ON used (sha);
CREATE TABLE IF NOT EXISTS judged (repository TEXT, sha TEXT, at REAL, PRIMARY KEY (repository, sha));
CREATE TABLE IF NOT EXISTS work (repository TEXT PRIMARY KEY, worktree TEXT, just_made TEXT);
CREATE TABLE IF NOT EXISTS queue (sha TEXT PRIMARY KEY, document TEXT, sent_at REAL, refused TEXT);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS transcript (path TEXT PRIMARY KEY, position INTEGER, state TEXT);
CREATE TABLE IF NOT EXISTS activity (agent TEXT, kind TEXT, id TEXT, session TEXT, version TEXT, at REAL, figures TEXT,
    sent_at REAL, refused TEXT, PRIMARY KEY (agent, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS activity_by_time ON activity (at);
CREATE INDEX IF NOT EXISTS activity_unsent ON activity (at) WHERE sent_at IS NULL AND refused IS NULL;
"""
SCHEMA_VERSION = 2
LONGEST_ID = 200  # of a session or a call, as the server accepts them


def home() -> Path:
    """The collector's folder, the same on every system."""
    from pathlib import Path  # takes 3 ms, and hooks do not need it

    return Path(path_of())


def path_of(name: str = "") -> str:
    """The path of a file in the collector's folder, or of the folder."""
    folder = os.environ.get(HOME_VARIABLE) or os.path.join(os.path.expanduser("~"), ".headway-agent")
    return os.path.join(folder, name) if name else folder


def read_settings() -> dict[str, Any]:
    """The settings; empty if there are none or they cannot be read."""
    try:
        with open(path_of("settings.json"), encoding="utf-8") as file:
            settings = json.load(file)
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def write_settings(settings: dict[str, Any]) -> None:
    """Replace the settings, readable by this account only because they contain the token."""
    home().mkdir(parents=True, exist_ok=True)
    replace_file(home() / "settings.json", json.dumps(settings, indent=2).encode() + b"\n", mode=0o600)


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file completely or not at all; a symbolic link stays one."""
    path = type(path)(os.path.realpath(path))
    if mode is None:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    beside = path.with_name(path.name + ".headway-new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    os.chmod(beside, mode)
    os.replace(beside, path)


def log(message: str) -> None:
    """Append to the log, which starts over at 1 MB; errors while writing are ignored."""
    try:
        path = path_of("log.txt")
        size = os.path.getsize(path) if os.path.exists(path) else 0
        with open(path, "w" if size > 1_000_000 else "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {message}\n")
    except OSError:
        pass


class Activity(NamedTuple):
    """A request, a tool call or a turn of a session; `id` is unique per agent and kind."""

    kind: str
    session: str
    id: str
    at: float
    figures: dict[str, Any]
    version: str = ""


class StoredActivity(NamedTuple):
    agent: str
    kind: str
    id: str
    session: str
    version: str
    at: float
    figures: dict[str, Any]


class Session(NamedTuple):
    id: int
    agent: str
    external_id: str
    model: str


class Ledger:
    """The SQLite file.  A damaged file is moved aside and replaced by a new one."""

    def __init__(self) -> None:
        os.makedirs(path_of(), exist_ok=True)
        path = path_of("ledger.db")
        try:
            self.connection = self._connect(path)
        except sqlite3.DatabaseError as problem:
            if isinstance(problem, sqlite3.OperationalError):  # locked, full or read-only: not damaged
                raise
            log(f"the ledger is damaged and starts over: {problem}")
            os.replace(path, path_of("ledger.damaged.db"))
            self.connection = self._connect(path)

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        is_new = not os.path.exists(path)
        if is_new:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=3, isolation_level=None)
        connection.execute("PRAGMA synchronous = NORMAL")
        if is_new or connection.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"{SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};")
        return connection

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, parameters).fetchall()

    def salt(self) -> bytes:
        known = self.note("salt")
        if not known:
            self.rows("INSERT OR IGNORE INTO note VALUES ('salt', ?)", os.urandom(32).hex())
            known = self.note("salt")
        return bytes.fromhex(known)

    def note(self, name: str) -> str:
        rows = self.rows("SELECT value FROM note WHERE name = ?", name)
        return rows[0][0] if rows else ""

    def set_note(self, name: str, value: str) -> None:
        self.rows("INSERT OR REPLACE INTO note VALUES (?, ?)", name, value)

    def forget_watched(self) -> None:
        """Forget which repositories have hooks, so that each is checked again at its next event."""
        self.rows("DELETE FROM note WHERE substr(name, 1, 8) = 'watched '")

    def notes(self, prefix: str) -> dict[str, str]:
        return {
            name[len(prefix) :]: value
            for name, value in self.rows(
                "SELECT name, value FROM note WHERE substr(name, 1, ?) = ?", len(prefix), prefix
            )
        }

    # Sessions and edits

    def session(self, agent: str, external_id: str, model: str = "") -> int:
        external_id = bounded(external_id)
        self.rows(
            "INSERT INTO session (agent, external_id, model, last_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (agent, external_id) DO UPDATE SET last_at = excluded.last_at,"
            " model = CASE WHEN excluded.model = '' THEN model ELSE excluded.model END",
            agent,
            external_id,
            model,
            time.time(),
        )
        return int(self.rows("SELECT id FROM session WHERE agent = ? AND external_id = ?", agent, external_id)[0][0])

    def sessions(self, ids: Iterable[int]) -> dict[int, Session]:
        found = {}
        for pk in ids:
            for row in self.rows("SELECT id, agent, external_id, model FROM session WHERE id = ?", pk):
                found[pk] = Session(*row)
        return found

    def open_edit(self, repository: str, call: str, session: int, path: str, hashes: Sequence[bytes]) -> None:
        """Store a file's lines as they were before an edit."""
        self.rows(
            "INSERT OR REPLACE INTO opened VALUES (?, ?, ?, ?, ?, ?)",
            repository,
            call,
            session,
            path,
            b"".join(hashes),
            time.time(),
        )

    def take_edit(self, repository: str, call: str) -> dict[str, list[bytes]]:
        """Return the files as they were before an edit, by path, and delete them, so that no second hook gets them."""
        self.connection.execute("BEGIN IMMEDIATE")
        rows = self.rows(
            "SELECT path, hashes FROM opened WHERE repository = ? AND call = ? AND at > ?",
            repository,
            call,
            time.time() - OPEN_FOR,
        )
        self.rows(
            "DELETE FROM opened WHERE (repository = ? AND call = ?) OR at <= ?",
            repository,
            call,
            time.time() - OPEN_FOR,
        )
        self.connection.execute("COMMIT")
        return {path: _split(hashes) for path, hashes in rows}

    def append(self, repository: str, session: int, lines: Iterable[tuple[str, bytes, bytes, bytes]]) -> None:
        """Append lines that a session wrote: path, hash, and the hashes of the neighbouring lines."""
        at = time.time()
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO written (repository, path, digest, before, after, session, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(repository, *line, session, at) for line in lines],
        )
        self.connection.execute("COMMIT")

    def written(self, repository: str, digests: Iterable[bytes]) -> list[tuple[Written, list[str]]]:
        """Rows of these lines, latest first, with the commits to which they are already matched."""
        found: dict[int, tuple[Written, list[str]]] = {}
        wanted = list(digests)
        for first in range(0, len(wanted), 400):
            some = wanted[first : first + 400]
            rows = self.rows(
                "SELECT written.id, path, digest, before, after, session, sha FROM written"
                " LEFT JOIN used ON used.written = written.id"
                f" WHERE repository = ? AND digest IN ({','.join('?' * len(some))})",  # question marks
                repository,
                *some,
            )
            for *row, sha in rows:
                found.setdefault(row[0], (Written(*row), []))[1].extend([sha] if sha else [])
        return [found[key] for key in sorted(found, reverse=True)]

    def has_lines_of(self, repository: str) -> bool:
        return bool(self.rows("SELECT 1 FROM written WHERE repository = ? LIMIT 1", repository))

    # Commits

    def judge(self, repository: str, sha: str, rows: Iterable[int], document: dict[str, Any] | None) -> None:
        """Store which rows match the commit's lines, and queue its document; replaces an earlier result."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.rows("DELETE FROM used WHERE sha = ?", sha)
        self.connection.executemany("INSERT INTO used VALUES (?, ?)", [(row, sha) for row in rows])
        self.rows("INSERT OR REPLACE INTO judged VALUES (?, ?, ?)", repository, sha, time.time())
        if document is not None:
            text = json.dumps(document, sort_keys=True)
            if [(text,)] != self.rows("SELECT document FROM queue WHERE sha = ?", sha):
                self.rows("INSERT OR REPLACE INTO queue VALUES (?, ?, NULL, NULL)", sha, text)
        self.connection.execute("COMMIT")

    def judged(self, repository: str) -> list[str]:
        return [sha for (sha,) in self.rows("SELECT sha FROM judged WHERE repository = ?", repository)]

    def forget_judged(self, repository: str, shas: Iterable[str]) -> None:
        for sha in shas:
            self.rows("DELETE FROM judged WHERE repository = ? AND sha = ?", repository, sha)

    def unsent(self, most: int) -> list[tuple[str, dict[str, Any]]]:
        rows = self.rows(
            "SELECT sha, document FROM queue WHERE sent_at IS NULL AND refused IS NULL ORDER BY rowid LIMIT ?", most
        )
        return [(sha, json.loads(document)) for sha, document in rows]

    def close_sent(self, shas: Iterable[str], refused: str = "") -> None:
        for sha in shas:
            if refused:
                self.rows("UPDATE queue SET refused = ? WHERE sha = ?", refused, sha)
            else:
                self.rows("UPDATE queue SET sent_at = ? WHERE sha = ?", time.time(), sha)

    def waiting(self) -> int:
        """The number of commits and activities that wait to be sent."""
        of_table = "SELECT count(*) FROM {} WHERE sent_at IS NULL AND refused IS NULL"
        return sum(int(self.rows(of_table.format(table))[0][0]) for table in ("queue", "activity"))

    # What happened in sessions

    def transcript(self, path: str) -> tuple[int, dict[str, Any]]:
        """The position up to which a transcript was read, and the state with which reading continues."""
        rows = self.rows("SELECT position, state FROM transcript WHERE path = ?", path)
        return (rows[0][0], json.loads(rows[0][1])) if rows else (0, {})

    def forget_transcripts(self, paths: Iterable[str]) -> None:
        """Forget transcripts that no longer exist: agents delete theirs after a while."""
        self.connection.executemany("DELETE FROM transcript WHERE path = ?", [(path,) for path in paths])

    def add_activities(
        self, agent: str, found: Iterable[Activity], transcript: tuple[str, int, dict[str, Any]] | None = None
    ) -> int:
        """Store activities, each once whatever its source, and the position up to which their transcript was read.

        A request stays with the session that first had it; of several counts of it, the largest is kept.  Returns the
        number of new activities.
        """
        new = 0
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            for given in found:
                activity = given._replace(session=bounded(given.session), id=bounded(given.id))
                known = self.rows(
                    "SELECT session, figures FROM activity WHERE agent = ? AND kind = ? AND id = ?",
                    *(agent, activity.kind, activity.id),
                )
                if known and known[0][0] != activity.session:
                    continue
                figures = _largest(json.loads(known[0][1]), activity.figures) if known else activity.figures
                text = json.dumps(figures, sort_keys=True)
                if known and text == known[0][1]:
                    continue
                new += not known
                self.rows(
                    "INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT (agent, kind, id)"
                    " DO UPDATE SET figures = excluded.figures, sent_at = NULL",
                    *(agent, activity.kind, activity.id, activity.session, activity.version, activity.at, text),
                )
            if transcript is not None:
                path, position, state = transcript
                self.rows("INSERT OR REPLACE INTO transcript VALUES (?, ?, ?)", path, position, json.dumps(state))
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return new

    def unsent_activities(self, most: int, until: float) -> list[StoredActivity]:
        """The oldest activities that have not been sent, without those dated after `until`."""
        rows = self.rows(
            "SELECT agent, kind, id, session, version, at, figures FROM activity"
            " WHERE sent_at IS NULL AND refused IS NULL AND at <= ? ORDER BY at LIMIT ?",
            *(until, most),
        )
        return [StoredActivity._make((*row, json.loads(figures))) for *row, figures in rows]

    def close_activities(self, activities: Iterable[StoredActivity], refused: str | None = None) -> None:
        at = None if refused else time.time()
        self.connection.executemany(
            "UPDATE activity SET sent_at = ?, refused = ? WHERE agent = ? AND kind = ? AND id = ?",
            [(at, refused, activity.agent, activity.kind, activity.id) for activity in activities],
        )

    def forget_old(self) -> None:
        """Delete records older than a month, and the oldest ones beyond the limits."""
        before = time.time() - DAYS_REMEMBERED * DAY
        self.rows("DELETE FROM written WHERE at < ?", before)
        self.rows("DELETE FROM written WHERE id <= (SELECT max(id) FROM written) - ?", MOST_ROWS)
        self.rows("DELETE FROM used WHERE written NOT IN (SELECT id FROM written)")
        self.rows("DELETE FROM judged WHERE at < ?", before)
        self.rows("DELETE FROM note WHERE name LIKE 'note %' AND substr(name, 6) NOT IN (SELECT sha FROM judged)")
        self.rows("DELETE FROM session WHERE last_at < ?", before - DAYS_REMEMBERED * DAY)
        self.rows("DELETE FROM queue WHERE sent_at < ?", before)
        self.rows("DELETE FROM queue WHERE rowid <= (SELECT max(rowid) FROM queue) - ?", MOST_QUEUED)
        self.rows("DELETE FROM activity WHERE at < ?", time.time() - DAYS_OF_ACTIVITY * DAY)
        self.rows(
            "DELETE FROM activity WHERE at < (SELECT at FROM activity ORDER BY at DESC LIMIT 1 OFFSET ?)",
            MOST_ACTIVITIES,
        )


def bounded(name: str) -> str:
    """An id of a length that the server accepts; a longer one is cut and made unique by a digest."""
    if len(name) <= LONGEST_ID:
        return name
    from hashlib import sha256  # ids are short

    digest = sha256(name.encode(errors="replace")).hexdigest()
    return f"{name[: LONGEST_ID - len(digest) - 1]}~{digest}"


def _largest(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The larger of two counts of one request: it is written while it runs, and only its last line has all of its
    tokens.
    """
    return {
        name: max(known.get(name) or 0, value) if isinstance(value, int) else value or known.get(name)
        for name, value in found.items()
    }


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + DIGEST_BYTES] for start in range(0, len(hashes), DIGEST_BYTES)]


def system_name() -> str:
    return {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
