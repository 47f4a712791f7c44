"""Parser for git-ai authorship notes, standard 3.0.0 and its legacy forms: lines by file and session.

A note has attestations (a file's path, then indented keys with line ranges), a line of three dashes, and a JSON
document that describes the keys.  Lines without a key are unknown, not human.  A note that attests no line of an agent
says that none was at work.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.connectors.git.agent_signatures import agent_of_name
from integrations.connectors.git.line_changes import Ranges

SCHEMA = re.compile(r"^authorship/3\.\d+\.\d+$")
DIVIDER = "---"
MOST_LINES = 10_000_000  # a range beyond it is a mistake, not a file
_ENTRY = re.compile(r"^  (?P<key>\S+) (?P<ranges>[0-9,\- ]+)$")
_RANGE = re.compile(r"^([0-9]{1,9})(?:-([0-9]{1,9}))?$")
_LEGACY_KEY = re.compile(r"^[0-9a-f]{7,16}$")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # valid in JSON, but PostgreSQL cannot store them


class UnreadableNoteError(ValueError):
    """A note that violates the standard; the message says how."""


@dataclass(frozen=True, slots=True)
class NotedSession:
    """Lines that one agent session wrote in a commit, by path, each counted once."""

    agent: str
    model: str
    external_session: str
    lines_by_path: Mapping[str, int]


NOBODY = NotedSession("", "", "", {})


def read_note(text: bytes, added: Mapping[str, Ranges] | None = None) -> list[NotedSession]:
    """Parse the agent sessions that a note attests, with those of their lines that the commit adds; NOBODY if it says
    that no agent wrote any.

    Tools attest lines of older commits, too: those of a whole branch, or of a file that was formatted.  `added` has the
    commit's own by path; None where the repository lacks its objects: all that are attested count then.  A session
    without a line is left out.  A note about other commits' lines alone says nothing of this one, and neither does one
    with keys that nothing describes.  Raises UnreadableNoteError.
    """
    try:
        attestations, _, document = _halves(text.decode())
    except UnicodeDecodeError:
        raise UnreadableNoteError("The note is not UTF-8.") from None
    described = _described(document)
    ranges: dict[tuple[str, str, str], dict[str, list[tuple[int, int]]]] = {}
    human_lines, is_doubtful = 0, False
    for path, key, attested in _attested(attestations):
        if (who := _who(key, described)) is not None:
            ranges.setdefault(who, {}).setdefault(path, []).extend(attested)
        elif key.startswith("h_"):
            human_lines += _count(attested, None if added is None else added.get(path, ()))
        else:
            is_doubtful = True
    counts = {
        who: {
            path: _count(attested, None if added is None else added.get(path, ())) for path, attested in paths.items()
        }
        for who, paths in ranges.items()
    }
    sessions = [
        NotedSession(*who, lines_by_path=lines)
        for who, by_path in counts.items()
        if (lines := {path: count for path, count in by_path.items() if count})
    ]
    says_nobody = not is_doubtful and (not ranges or human_lines > 0)
    return sessions or ([NOBODY] if says_nobody else [])


def attestations_of(text: bytes) -> bytes:
    """Which lines a note attests to whom: a copy of it may differ in what describes the commit."""
    return text.partition(b"\n---\n")[0] if not text.startswith(b"---\n") else b""


def agent_of_tool(name: str) -> str:
    """The agent that a tool's own name means, by its slug: claude, Claude Code, gemini-cli."""
    return agent_of_name(name) or re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")[:40] or "unknown"


def _who(key: str, described: Mapping[str, tuple[str, str, str]]) -> tuple[str, str, str] | None:
    """The session that an attestation's key refers to; None for people and for keys without a description.

    A trace id may follow the session's key after "::".  Early versions shortened the keys of prompts to seven digits.
    """
    key = key.partition("::")[0]
    if key in described or not _LEGACY_KEY.match(key):
        return described.get(key)
    longer = [known for known in described if known.startswith(key) and _LEGACY_KEY.match(known)]
    return described[longer[0]] if len(longer) == 1 else None


def _halves(text: str) -> tuple[str, str, str]:
    if text.startswith(DIVIDER + "\n"):
        return "", DIVIDER, text[len(DIVIDER) + 1 :]
    halves = text.partition(f"\n{DIVIDER}\n")
    if not halves[1]:
        raise UnreadableNoteError("The note has no line --- between attestations and document.")
    return halves


def _described(document: str) -> dict[str, tuple[str, str, str]]:
    """Key → (agent, model, the agent's own session id); people's keys are left out."""
    try:
        parsed: Any = json.loads(document)
    except (ValueError, RecursionError):  # ValueError: also for a number of thousands of digits
        raise UnreadableNoteError("The note's document is not JSON.") from None
    if not isinstance(parsed, dict):
        raise UnreadableNoteError("The note's document is not a JSON object.")
    schema = parsed.get("schema_version")
    if not isinstance(schema, str) or not SCHEMA.match(schema):
        raise UnreadableNoteError(f"The note's schema_version {str(schema)[:40]!r} is not known.")
    described: dict[str, tuple[str, str, str]] = {}
    for section in ("prompts", "sessions"):
        entries = parsed.get(section) or {}
        if not isinstance(entries, dict):
            raise UnreadableNoteError(f"The note's {section} are not a JSON object.")
        for key, entry in entries.items():
            agent = entry.get("agent_id") if isinstance(entry, dict) else None
            if isinstance(agent, dict) and isinstance(agent.get("tool"), str):
                described[key] = (
                    agent_of_tool(agent["tool"]),
                    storable(str(agent.get("model") or ""))[:120],
                    storable(str(agent.get("id") or ""))[:200],
                )
    return described


def _attested(text: str) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """Path, key and line ranges of every entry."""
    path = ""
    for line in text.split("\n"):
        if not line.strip():
            continue
        if not line.startswith("  "):
            path = _unquoted(line)
        elif entry := _ENTRY.match(line):
            if not path:
                raise UnreadableNoteError("The note attests lines before it names a file.")
            yield path, entry["key"], _ranges(entry["ranges"])
        else:
            raise UnreadableNoteError(f"The note has an entry that cannot be read: {line.strip()[:60]!r}.")


def _unquoted(line: str) -> str:
    if not line.startswith('"'):
        return storable(line)
    try:
        return storable(str(json.loads(line)))
    except (ValueError, RecursionError):
        return storable(line.strip('"'))


def storable(text: str) -> str:
    """A text without what PostgreSQL cannot store."""
    return _UNSTORABLE.sub("�", text)


def _ranges(text: str) -> list[tuple[int, int]]:
    """First and last line of each range.  Whether a file has that many lines cannot be checked here."""
    ranges = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.match(part)
        if match is None:
            raise UnreadableNoteError(f"The note has a range that cannot be read: {part[:40]!r}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= MOST_LINES:
            raise UnreadableNoteError(f"The note has an impossible range: {part[:40]!r}.")
        ranges.append((first, last))
    return ranges


def _count(attested: Iterable[tuple[int, int]], added: Ranges | None) -> int:
    """Number of distinct lines in the attested ranges (two traces of a session may overlap) that were added."""
    count, reached, left = 0, 0, deque(added if added is not None else [(1, MOST_LINES)])
    for begin, last in sorted(attested):
        first, reached = max(begin, reached + 1), max(reached, last)
        while left and left[0][0] <= last:
            low, high = left[0]
            count += max(0, min(last, high) - max(first, low) + 1)
            if high > last:
                break
            left.popleft()
    return count
