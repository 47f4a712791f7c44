"""Agent Trace records: who wrote which lines, at a revision.  https://agent-trace.dev

The specification numbers lines as they are at the revision.  Its reference implementation writes the record as the
agent edits, so that the revision is the commit before the one that adds the lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from integrations.code.attribution.git_ai_notes import MOST_LINES, agent_of_tool, storable


class Writer(NamedTuple):
    agent: str
    model: str
    external_session: str


@dataclass(frozen=True, slots=True)
class TracedRange:
    """Lines of a file; `writer` is None for a person's."""

    first: int
    last: int
    writer: Writer | None


@dataclass(frozen=True, slots=True)
class TracedFile:
    """A file of a record, with the lines whose origin is known."""

    path: str
    ranges: tuple[TracedRange, ...]
    revision: str
    at: datetime | None


def traced_files(texts: Iterable[bytes]) -> list[TracedFile]:
    """The files of all records in these texts, oldest first, each record once.

    A text is one record, a list of them, or one in each line.  A record, file or range that cannot be read is left out.
    """
    records = {str(record.get("id") or json.dumps(record)): record for text in texts for record in _records(text)}
    files = [file for record in records.values() for file in _files(record)]
    return sorted(files, key=lambda file: file.at or datetime.min.replace(tzinfo=UTC))


def _records(text: bytes) -> Iterator[dict[str, Any]]:
    whole = _parsed(text)
    for found in [whole] if whole is not None else map(_parsed, text.splitlines()):
        yield from (record for record in (found if isinstance(found, list) else [found]) if isinstance(record, dict))


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _files(record: dict[str, Any]) -> Iterator[TracedFile]:
    vcs, metadata = _object(record.get("vcs")), _object(record.get("metadata"))
    tool = _object(record.get("tool")).get("name")
    agent = agent_of_tool(tool) if isinstance(tool, str) else "unknown"
    session = next(
        (value for name in ("session_id", "conversation_id") if isinstance(value := metadata.get(name), str)), ""
    )
    revision = vcs.get("revision") if vcs.get("type", "git") == "git" else ""
    for file in _list(record.get("files")):
        path = _object(file).get("path")
        ranges = tuple(
            traced
            for conversation in _list(_object(file).get("conversations"))
            for sent in _list(_object(conversation).get("ranges"))
            if (traced := _range(_object(sent), _object(_object(conversation).get("contributor")), agent, session))
        )
        if isinstance(path, str) and ranges:
            yield TracedFile(
                storable(path.removeprefix("./")),
                ranges,
                revision.lower() if isinstance(revision, str) else "",
                moment_of(record.get("timestamp")),
            )


def _range(sent: dict[str, Any], contributor: dict[str, Any], agent: str, session: str) -> TracedRange | None:
    first, last = sent.get("start_line"), sent.get("end_line")
    if type(first) is not int or type(last) is not int or not 1 <= first <= last <= MOST_LINES:
        return None
    contributor = _object(sent.get("contributor")) or contributor
    match contributor.get("type"):
        case "ai" | "mixed":
            model = contributor.get("model_id")
            named = storable(model)[:120] if isinstance(model, str) else ""
            return TracedRange(first, last, Writer(agent, named, storable(session)[:200]))
        case "human":
            return TracedRange(first, last, None)
    return None


def moment_of(sent: object) -> datetime | None:
    """Parses a moment from text; None for anything else, or without a time zone."""
    try:
        at = datetime.fromisoformat(sent) if isinstance(sent, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _object(sent: object) -> dict[str, Any]:
    return sent if isinstance(sent, dict) else {}


def _list(sent: object) -> list[Any]:
    return sent if isinstance(sent, list) else []
