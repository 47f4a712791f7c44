"""Parser for git-ai authorship notes, standard 3.0.0 and its legacy forms, and whogitit's: lines by file and session.

A note has attestations (a file's path, then indented keys with line ranges), a line of three dashes, and a JSON
document that describes the keys.  Lines without a key are unknown, not human.  A line belongs to the last entry that
names it.  A note that attests nothing, or only lines of people, means that no agent took part.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

from integrations.code.attribution.whogitit_notes import in_layout_of_git_ai
from integrations.connectors.git.agent_signatures import agent_of_name
from integrations.connectors.git.line_changes import Ranges

SCHEMA = re.compile(r"^authorship/3\.\d+\.\d+$")
DIVIDER = "---"
MOST_LINES = 10_000_000  # a range beyond it is a mistake, not a file
_ENTRY = re.compile(r"^  (?P<key>\S+) (?P<ranges>[0-9,\- ]+)$")
_RANGE = re.compile(r"^([0-9]{1,9})(?:-([0-9]{1,9}))?$")
_LEGACY_KEY = re.compile(r"^[0-9a-f]{7,16}$")
_KEY = re.compile(rb"^  (\S+?)(?:::\S*)? ", re.MULTILINE)
_LEGACY_ENTRY = re.compile(rb"^  ([0-9a-f]{7,16}) ", re.MULTILINE)
Range = tuple[int, int]
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
Writer = tuple[str, str, str]
"""Agent, model, and the agent's own session id."""


def read_note(
    text: bytes, added: Mapping[str, Ranges] | None = None, *, described: Callable[[str], Writer | None] | None = None
) -> list[NotedSession]:
    """Parse the agent sessions that a note attests, with those of their lines that the commit adds; NOBODY if it
    attests that no agent wrote any.

    Tools also attest lines of older commits: those of a whole branch, or of a file that was formatted.  `added` has the
    commit's own lines by path; if it is None because the repository lacks the objects, all attested lines count.  A
    session without a line is left out.  A note about other commits' lines proves nothing about this one.

    `described` finds the prompt of a key that this note does not describe.  An entry that stays without a description
    is skipped, and the note then does not prove that there was no agent.  Raises UnreadableNoteError.
    """
    ranges, says_nobody = _attested_ranges(text, added, described)
    sessions = [
        NotedSession(*who, lines_by_path={path: _line_count(own) for path, own in by_path.items()})
        for who, by_path in ranges.items()
    ]
    return [NOBODY] if says_nobody else sessions


def ranges_by_writer(text: bytes, added: Mapping[str, Ranges] | None) -> Mapping[Writer, Mapping[str, Ranges]]:
    """The lines of `read_note` as ranges: writer → path → ranges.  Raises UnreadableNoteError."""
    return _attested_ranges(text, added, None)[0]


def _attested_ranges(
    text: bytes, added: Mapping[str, Ranges] | None, described: Callable[[str], Writer | None] | None
) -> tuple[dict[Writer, dict[str, list[Range]]], bool]:
    """Writer → path → the added lines that the note attests, and whether it attests that no agent wrote any."""
    attestations, own = _parsed(text)
    by_path: dict[str, list[tuple[Writer | None, Sequence[Range]]]] = {}
    says_nobody = True
    for path, key, attested in _attested(attestations):
        is_person = key == "human" or key.startswith("h_")
        who = None if is_person else prompt_of(key, own)
        if who is None and not is_person and described is not None and _LEGACY_KEY.match(key):
            who = described(key)
        says_nobody &= is_person
        if is_person or who is not None:
            by_path.setdefault(path, []).append((who, attested))
    ranges: dict[Writer, dict[str, list[Range]]] = {}
    for path, entries in by_path.items():
        for who, lines in _owned(entries, None if added is None else added.get(path, ())):
            if who is not None:
                ranges.setdefault(who, {}).setdefault(path, []).append(lines)
    return ranges, says_nobody


def _line_count(ranges: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def prompts_of(text: bytes) -> Mapping[str, Writer]:
    """The prompts that a note describes, by their legacy keys.  Raises UnreadableNoteError."""
    return {key: who for key, who in _parsed(text)[1].items() if _LEGACY_KEY.match(key)}


def attested_prompts(text: bytes) -> set[str]:
    """The legacy keys in a note's attestations."""
    return {key.decode("ascii") for key in _LEGACY_ENTRY.findall(attestations_of(text))}


def prompt_of(key: str, described: Mapping[str, Writer]) -> Writer | None:
    """The session that an attestation's key refers to; None for keys without a description.

    A trace id may follow the session's key after "::".  Early versions shortened the keys of prompts to seven digits.
    """
    key = key.partition("::")[0]
    if key in described or not _LEGACY_KEY.match(key):
        return described.get(key)
    longer = [known for known in described if known.startswith(key) and _LEGACY_KEY.match(known)]
    return described[longer[0]] if len(longer) == 1 else None


def count_attested(text: bytes, added: Mapping[str, Ranges] | None) -> int:
    """The number of lines of a commit that its note attests, whoever wrote them.  Raises UnreadableNoteError."""
    by_path: dict[str, list[tuple[Writer | None, Sequence[Range]]]] = {}
    for path, _, attested in _attested(_parsed(text)[0]):
        by_path.setdefault(path, []).append((None, attested))
    return sum(
        _line_count(lines for _, lines in _owned(entries, None if added is None else added.get(path, ())))
        for path, entries in by_path.items()
    )


def writers_of(text: bytes) -> tuple[bytes, ...]:
    """The keys of a note's attestations."""
    return tuple(sorted(set(_KEY.findall(attestations_of(text)))))


def attest_mostly_the_same(one: bytes, other: bytes) -> bool:
    """Whether two notes attest the same lines of the same files except for a few.  Raises UnreadableNoteError."""
    named: dict[str, list[Range]] = {}
    for path, _, ranges in _attested(_parsed(other)[0]):
        named.setdefault(path, []).extend(ranges)
    common = count_attested(one, {path: _joined(ranges) for path, ranges in named.items()})
    return common * 2 > max(count_attested(one, None), count_attested(other, None))


def _joined(ranges: Sequence[Range]) -> list[Range]:
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def attestations_of(text: bytes) -> bytes:
    """The part of a note that attests lines: a copy of the note may differ in the rest, which describes the commit."""
    return text.partition(b"\n---\n")[0] if not text.startswith(b"---\n") else b""


def agent_of_tool(name: str) -> str:
    """The agent's slug for a tool's own name, such as claude, Claude Code or gemini-cli."""
    return agent_of_name(name) or re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")[:40] or "unknown"


def _parsed(text: bytes) -> tuple[str, dict[str, Writer]]:
    """Attestations, and the keys that the document describes."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise UnreadableNoteError("The note is not UTF-8.") from None
    if decoded.startswith("{"):
        try:
            attestations, described = in_layout_of_git_ai(decoded)
        except ValueError as problem:
            raise UnreadableNoteError(str(problem)) from None
        return attestations, {
            key: (agent, storable(model), storable(own)) for key, (agent, model, own) in described.items()
        }
    attestations, _, document = _halves(decoded)
    return attestations, _described(document)


def _halves(text: str) -> tuple[str, str, str]:
    if text.startswith(DIVIDER + "\n"):
        return "", DIVIDER, text[len(DIVIDER) + 1 :]
    halves = text.partition(f"\n{DIVIDER}\n")
    if not halves[1]:
        raise UnreadableNoteError("The note has no line --- between attestations and document.")
    return halves


def _described(document: str) -> dict[str, Writer]:
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
    described: dict[str, Writer] = {}
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


def _attested(text: str) -> Iterator[tuple[str, str, list[Range]]]:
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
    """A text without characters that PostgreSQL cannot store."""
    return _UNSTORABLE.sub("�", text)


def _ranges(text: str) -> list[Range]:
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


def _owned(
    entries: Sequence[tuple[Writer | None, Sequence[Range]]], added: Ranges | None
) -> Iterator[tuple[Writer | None, Range]]:
    """The added lines of a file that entries name, with their writers: the last entry that names a line decides."""
    spans = sorted((first, -position, last) for position, (_, named) in enumerate(entries) for first, last in named)
    edges = sorted({edge for first, _, last in spans for edge in (first, last + 1)})
    left, waiting = deque(added if added is not None else [(1, MOST_LINES)]), deque(spans)
    here: list[Range] = []  # position in the note, negative, and last line: the latest entry comes first
    for edge, following in pairwise(edges):
        while waiting and waiting[0][0] == edge:
            heappush(here, waiting.popleft()[1:])
        while here and here[0][1] < edge:
            heappop(here)
        while left and left[0][1] < edge:
            left.popleft()
        for low, high in left if here else ():
            if low >= following:
                break
            yield entries[-here[0][0]][0], (max(low, edge), min(high, following - 1))
