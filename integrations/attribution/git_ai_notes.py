"""git-ai authorship notes, standard 3.0.0 and its legacy forms: which lines of which file came from which session.

A note has attestations (a file's path, then indented keys with line ranges), a line of three dashes, and a JSON
document that says what the keys stand for.  Lines without a key are unknown, not human.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = re.compile(r"^authorship/3\.\d+\.\d+$")
DIVIDER = "---"
MOST_LINES = 10_000_000  # a range beyond it is a mistake, not a file
_ENTRY = re.compile(r"^  (?P<key>\S+) (?P<ranges>[\d,\- ]+)$")
_RANGE = re.compile(r"^(\d+)(?:-(\d+))?$")
_TOOLS = {
    "claude": "claude_code",
    "claude-code": "claude_code",
    "claude_code": "claude_code",
    "codex": "codex",
    "copilot": "copilot",
    "github-copilot": "copilot",
    "gemini": "gemini",
    "gemini-cli": "gemini",
}


class UnreadableNoteError(ValueError):
    """A note that is not as the standard says; the message names what."""


@dataclass(frozen=True, slots=True)
class NotedSession:
    """What one agent session wrote in a commit: lines per path, counted once each."""

    agent: str
    model: str
    external_session: str
    lines_by_path: Mapping[str, int]


def read_note(text: bytes) -> list[NotedSession]:
    """The agent sessions that a note attests.  Raises UnreadableNoteError."""
    try:
        attestations, _, document = _halves(text.decode())
    except UnicodeDecodeError:
        raise UnreadableNoteError("The note is not UTF-8.") from None
    described = _described(document)
    lines: dict[tuple[str, str, str], dict[str, set[int]]] = {}
    for path, key, numbers in _attested(attestations):
        if (who := described.get(key.partition("::")[0])) is not None:
            lines.setdefault(who, {}).setdefault(path, set()).update(numbers)
    return [
        NotedSession(agent, model, session, {path: len(numbers) for path, numbers in by_path.items()})
        for (agent, model, session), by_path in lines.items()
    ]


def _halves(text: str) -> tuple[str, str, str]:
    if text.startswith(DIVIDER + "\n"):
        return "", DIVIDER, text[len(DIVIDER) + 1 :]
    halves = text.partition(f"\n{DIVIDER}\n")
    if not halves[1]:
        raise UnreadableNoteError("The note has no line --- between attestations and document.")
    return halves


def _described(document: str) -> dict[str, tuple[str, str, str]]:
    """Key → (agent, model, the agent's own session id), of agents; people's keys are left out."""
    try:
        told: Any = json.loads(document)
    except (json.JSONDecodeError, RecursionError):
        raise UnreadableNoteError("The note's document is not JSON.") from None
    if not isinstance(told, dict):
        raise UnreadableNoteError("The note's document is not a JSON object.")
    schema = told.get("schema_version")
    if not isinstance(schema, str) or not SCHEMA.match(schema):
        raise UnreadableNoteError(f"The note's schema_version {str(schema)[:40]!r} is not known.")
    found: dict[str, tuple[str, str, str]] = {}
    for section in ("prompts", "sessions"):
        entries = told.get(section) or {}
        if not isinstance(entries, dict):
            raise UnreadableNoteError(f"The note's {section} are not a JSON object.")
        for key, entry in entries.items():
            agent = entry.get("agent_id") if isinstance(entry, dict) else None
            if isinstance(agent, dict) and isinstance(agent.get("tool"), str):
                tool = agent["tool"].strip().lower()
                found[key] = (
                    _TOOLS.get(tool, re.sub(r"[^a-z0-9]+", "_", tool).strip("_")[:40]),
                    str(agent.get("model") or "")[:120],
                    str(agent.get("id") or "")[:200],
                )
    return found


def _attested(text: str) -> Iterator[tuple[str, str, set[int]]]:
    """Path, key and line numbers of every entry."""
    path = ""
    for line in text.split("\n"):
        if not line.strip():
            continue
        if not line.startswith("  "):
            path = _unquoted(line)
        elif entry := _ENTRY.match(line):
            if not path:
                raise UnreadableNoteError("The note attests lines before it names a file.")
            yield path, entry["key"], _numbers(entry["ranges"])
        else:
            raise UnreadableNoteError(f"The note has an entry that cannot be read: {line.strip()[:60]!r}.")


def _unquoted(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        return str(json.loads(line))
    except json.JSONDecodeError:
        return line.strip('"')


def _numbers(ranges: str) -> set[int]:
    numbers: set[int] = set()
    for each in ranges.replace(" ", "").split(","):
        found = _RANGE.match(each)
        if found is None:
            raise UnreadableNoteError(f"The note has a range that cannot be read: {each[:40]!r}.")
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last <= MOST_LINES or last - first > MOST_LINES // 10:
            raise UnreadableNoteError(f"The note has an impossible range: {each[:40]!r}.")
        numbers.update(range(first, last + 1))
    return numbers
