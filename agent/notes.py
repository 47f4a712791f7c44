"""Notes in git-ai's format (authorship/3.0.0), without prompts, if an administrator wants them.

https://github.com/git-ai-project/git-ai/blob/main/specs/git_ai_standard_v3.0.0.md

A note stays on the machine until somebody pushes refs/notes/ai.  Where git-ai is in use, its own notes are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence

from .ledger import Ledger, Session, log
from .lines import Owned
from .repository import Repository, git

REF = "refs/notes/ai"
SCHEMA = "authorship/3.0.0"
TOOLS = {"claude_code": "claude", "gemini_cli": "gemini"}  # agents that git-ai names differently


def write_note(ledger: Ledger, place: Repository, sha: str, owned: Iterable[Owned]) -> bool:
    """Attach a note to a commit, or replace ours; somebody else's note is kept.  Returns whether the note was
    written.
    """
    if is_git_ai_at_work(place):
        return False
    lines = list(owned)
    text = note_of(sha, lines, ledger.sessions({line.session for line in lines}))
    digest = hashlib.sha256(text).hexdigest()
    there = git(place.root, "notes", f"--ref={REF}", "show", sha)
    ours = ledger.note(f"note {sha}")
    if there and hashlib.sha256(there).hexdigest() != ours:
        return False
    git(place.root, "notes", f"--ref={REF}", "add", "-f", "-F", "-", sha, text=text)
    written = git(place.root, "notes", f"--ref={REF}", "show", sha) == text
    if written:
        ledger.set_note(f"note {sha}", digest)
    else:
        log(f"git wrote no note for {sha} in {place.root}")
    return written


def is_git_ai_at_work(place: Repository) -> bool:
    installed = shutil.which("git-ai") or os.path.isdir(os.path.expanduser("~/.git-ai"))
    return bool(installed) or os.path.isdir(os.path.join(place.common, "ai"))


def note_of(sha: str, owned: Iterable[Owned], sessions: dict[int, Session]) -> bytes:
    """The text of a note: the lines of each session by file, a line of three dashes, and the sessions."""
    files: dict[str, dict[int, list[int]]] = {}
    for line in owned:
        files.setdefault(line.path, {}).setdefault(line.session, []).append(line.number)
    keys = {number: _key(session) for number, session in sessions.items()}
    attested = []
    for path in sorted(files):
        attested.append(json.dumps(path, ensure_ascii=False) if set(path) & set(" \t\n") else path)
        for session, numbers in sorted(files[path].items()):
            trace = "t_" + hashlib.sha256(f"{sha} {keys[session]}".encode()).hexdigest()[:14]
            attested.append(f"  {keys[session]}::{trace} {_ranges(sorted(numbers))}")
    document = {
        "schema_version": SCHEMA,
        "base_commit_sha": sha,
        "prompts": {},
        "sessions": {
            keys[number]: {
                "agent_id": {"tool": TOOLS.get(session.agent, session.agent), "id": session.external_id}
                | {"model": session.model or "unknown"}
            }
            for number, session in sorted(sessions.items())
        },
    }
    text = "\n".join([*attested, "---", json.dumps(document, sort_keys=True, ensure_ascii=False)]) + "\n"
    return text.encode("utf-8", "surrogateescape")


def _key(session: Session) -> str:
    named = f"{TOOLS.get(session.agent, session.agent)}:{session.external_id}"
    return "s_" + hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:14]


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as ranges, such as `1-4,9`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges)
