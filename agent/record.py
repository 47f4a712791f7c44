"""Records the hooks of agents and of git in the ledger: files before and after an edit, and the lines of commits."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from . import lines, repository
from .ledger import Ledger, read_settings
from .payloads import AFTER, BEFORE, FAILED, Event, brings_history
from .repository import Repository
from .sessions import note_event

SHELL_HEAD = "\n"  # represents HEAD among the paths of a shell command's snapshot: no file has this name
MOST_EDITED = 100  # files of one edit
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


class Edited(NamedTuple):
    """A file's lines before an edit, and its content after it."""

    name: str
    before: Sequence[bytes]
    content: bytes


def record_event(ledger: Ledger, event: Event) -> Repository | None:
    """Record one call of an agent's hook; return the repository if its commits must be examined."""
    now = time.time()
    ledger.set_note(f"seen {event.agent}", str(int(now)))
    note_event(ledger, event, now)
    session = ledger.session(event.agent, event.session, event.model)
    if event.command is not None:
        return _record_shell(ledger, event, session)
    for path in event.paths[:MOST_EDITED]:
        place = repository.find_repository(os.path.dirname(path))
        name = repository.path_in(place, path) if place else None
        if place is None or name is None:
            continue
        if event.replaced is not None:
            _record_replaced(ledger, event, session, place, name)
        elif event.phase == BEFORE:
            before = lines.hashed(repository.read_file(path, lines.MOST_BYTES), ledger.salt())
            ledger.open_edit(place.common, event.call, session, name, before)
        elif event.phase == FAILED:
            ledger.take_edit(place.common, event.call)
    if event.phase == AFTER and event.replaced is None:
        _close_edits(ledger, event, session)
    place = repository.find_repository(os.path.dirname(event.paths[0]) if event.paths else event.folder)
    if place is None or (event.paths and ledger.note(f"watched {place.common}")):
        return None
    return place


def _close_edits(ledger: Ledger, event: Event, session: int) -> None:
    opened: dict[Repository, dict[str, list[bytes]]] = {}
    edited: dict[Repository, list[Edited]] = {}
    for path in event.paths[:MOST_EDITED]:
        place = repository.find_repository(os.path.dirname(path))
        name = repository.path_in(place, path) if place else None
        if place is None or name is None:
            continue
        if place not in opened:
            opened[place] = ledger.take_edit(place.common, event.call)
        if name in opened[place]:  # without a snapshot from before its lines are unknown
            content = repository.read_file(path, lines.MOST_BYTES)
            edited.setdefault(place, []).append(Edited(name, opened[place][name], content))
    for place, files in edited.items():
        _append(ledger, place, session, files, event.texts)


def _record_replaced(ledger: Ledger, event: Event, session: int, place: Repository, name: str) -> None:
    """Record an edit that is reported with its old and its new text: its new lines are those that the old text
    lacks.
    """
    content = repository.read_file(os.path.join(place.root, name), lines.MOST_BYTES)
    after = lines.hashed(content, ledger.salt())
    for old, new in event.replaced or ():
        fresh = [line for line in new.split("\n") if line not in old.split("\n")]
        allowed = {lines.line_digest(line.encode("utf-8", "surrogatepass"), ledger.salt()) for line in fresh}
        before = [digest for digest in after if digest not in allowed]
        _append(ledger, place, session, [Edited(name, before, content)], None)


def _append(
    ledger: Ledger, place: Repository, session: int, files: Sequence[Edited], texts: Iterable[str] | None
) -> None:
    """Append the lines that an edit wrote; lines that it only moved from one file to another do not count."""
    salt = ledger.salt()
    hashed = [lines.hashed(file.content, salt) for file in files]
    moved: Counter[bytes] = Counter()
    for file, after in zip(files, hashed):
        moved += Counter(file.before) - Counter(after)
    rows: list[tuple[str, bytes, bytes, bytes]] = []
    for file, after in zip(files, hashed):
        positions = lines.added_positions(file.before, after)
        allowed = lines.lines_of_input(texts, file.content, salt) if texts is not None and positions else None
        framed = [b"", *after, b""]
        for position in positions:
            digest = after[position]
            if len(files) > 1 and moved[digest] > 0:
                moved[digest] -= 1
            elif allowed is None or digest in allowed:
                rows.append((file.name, digest, framed[position], framed[position + 2]))
    if rows:
        ledger.append(place.common, session, rows)


# Shell commands


def _record_shell(ledger: Ledger, event: Event, session: int) -> Repository | None:
    place = repository.find_repository(event.folder)
    if place is None:
        return None
    if event.phase == BEFORE:
        if not brings_history(event.command or ""):
            _open_shell(ledger, event, session, place)
        return None if ledger.note(f"watched {place.common}") else place
    opened = ledger.take_edit(place.common, event.call)
    if event.phase not in (AFTER, FAILED):
        return None
    if SHELL_HEAD in opened:
        _close_shell(ledger, event, session, place, opened)
    return place


def _open_shell(ledger: Ledger, event: Event, session: int, place: Repository) -> None:
    found = repository.status(place)
    ledger.take_edit(place.common, event.call)
    ledger.open_edit(place.common, event.call, session, SHELL_HEAD, [bytes.fromhex(found.head)])
    salt = ledger.salt()
    for name in found.changed:
        content = repository.read_file(os.path.join(place.root, name), lines.MOST_BYTES)
        ledger.open_edit(place.common, event.call, session, name, lines.hashed(content, salt))


def _close_shell(ledger: Ledger, event: Event, session: int, place: Repository, opened: dict[str, list[bytes]]) -> None:
    old = b"".join(opened.pop(SHELL_HEAD)).hex()
    found = repository.status(place)
    changed = list(found.changed)
    if found.head != old:
        if "commit" not in (event.command or ""):
            return  # somebody else moved HEAD
        if old and "--amend" not in (event.command or "") and not repository.is_ancestor(place, old, found.head):
            return
        changed += repository.changed_between(place, old or EMPTY_TREE, found.head)
        ledger.forget_judged(place.common, repository.commits_between(place, old, found.head))
    names = list(dict.fromkeys(changed))
    contents = repository.contents(place, old, [name for name in names if name not in opened])
    salt = ledger.salt()
    files = [
        Edited(
            name,
            opened[name] if name in opened else lines.hashed(contents.get(name, b""), salt),
            repository.read_file(os.path.join(place.root, name), lines.MOST_BYTES),
        )
        for name in names
    ]
    _append(ledger, place, session, files, None)


# Commits


def judge_commits(ledger: Ledger, place: Repository, *, just_made: str = "") -> int:
    """Match the person's commits that were not matched before, oldest first; return how many have lines of a session.

    The result does not depend on which command made a commit, because its lines are matched by content.
    """
    if not ledger.has_lines_of(place.common):
        return 0
    judged = set(ledger.judged(place.common))
    with_lines = 0
    for sha in repository.own_commits(place, just_made=just_made):
        if sha not in judged:
            with_lines += _judge(ledger, place, sha)
    return with_lines


def _judge(ledger: Ledger, place: Repository, sha: str) -> bool:
    change = repository.change_of(place, sha, ledger.salt())
    rows = ledger.written(
        place.common, {line.digest for addition in change.additions for run in addition.runs for line in run}
    )
    history: dict[str, bool] = {}
    for _, commits in rows:
        for other in commits:
            if other != sha and other not in history:
                history[other] = repository.is_ancestor(place, other, sha)
    free = []
    removed = dict(change.removed)
    for row, commits in rows:
        # A line that already occurs in the commit's history must be a copy, unless this commit moves or indents it.
        # One that occurs in other commits was rebased, picked or squashed.
        if any(history.get(other, False) for other in commits):
            if not removed.get(row.digest):
                continue
            removed[row.digest] -= 1
        free.append(row)
    owners = lines.match(change.additions, free)
    ledger.judge(place.common, sha, owners, _document(ledger, sha, change, owners.values()))
    if owners and read_settings().get("notes"):
        from .notes import write_note  # hooks do not need it

        write_note(ledger, place, sha, owners.values())
    return bool(owners)


def _document(
    ledger: Ledger, sha: str, change: repository.Change, owned: Iterable[lines.Owned]
) -> dict[str, Any] | None:
    """The report of a commit: counts by file type and session."""
    by_type: dict[str, dict[int, int]] = {}
    for line in owned:
        sessions = by_type.setdefault(lines.file_type(line.path), {})
        sessions[line.session] = sessions.get(line.session, 0) + 1
    if not by_type:
        return None
    added: dict[str, int] = {}
    for addition in change.additions:
        kind = lines.file_type(addition.path)
        added[kind] = added.get(kind, 0) + sum(len(run) for run in addition.runs)
    known = ledger.sessions({session for sessions in by_type.values() for session in sessions})
    return {
        "commit": sha,
        "patch_id": change.patch_id,
        "file_types": [
            {
                "type": kind,
                "added": added[kind],
                "sessions": [
                    {
                        "agent": known[session].agent,
                        "session": known[session].external_id,
                        "model": known[session].model,
                        "lines": count,
                    }
                    for session, count in sorted(by_type[kind].items())
                ],
            }
            for kind in sorted(by_type)
        ],
    }


def take_work(ledger: Ledger) -> list[tuple[Repository, str]]:
    """The repositories whose hooks ran, each with the commit that was just made there, if any."""
    taken = []
    for common, root, sha in ledger.rows("SELECT repository, worktree, just_made FROM work"):
        ledger.rows("DELETE FROM work WHERE repository = ?", common)
        place = repository.find_repository(root)
        if place is not None and place.common == common:
            taken.append((place, sha))
    return taken


def request_work(ledger: Ledger, place: Repository, just_made: str = "") -> None:
    ledger.rows("INSERT OR REPLACE INTO work VALUES (?, ?, ?)", place.common, place.root, just_made)
