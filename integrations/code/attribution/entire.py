"""Metadata of Entire's checkpoints: the number of a commit's lines by agent, as counted by Entire.

https://github.com/entireio/cli: docs/architecture/attribution.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.code.attribution.agent_trace import moment_of
from integrations.code.attribution.amounts import fit
from integrations.code.attribution.git_ai_notes import MOST_LINES, agent_of_tool, storable
from integrations.connectors.git.agent_signatures import ENTIRE

_UNNAMED = "Agent"  # Entire's name for an unknown agent
_DAY_BEFORE_ID = re.compile(r"^\d{4}-\d{2}-\d{2}-")


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """An agent's session in a checkpoint, with its lines; None if Entire did not count them."""

    agent: str
    model: str
    external_session: str
    lines: int | None


def recorded_sessions(checkpoints: Iterable[Sequence[bytes]]) -> list[RecordedSession]:
    """The sessions of a commit's checkpoints, each once; a document that cannot be read is left out.

    Concurrent sessions may count the same lines, so their total is limited to that of the whole checkpoint.  Sessions
    that were counted at one moment share a single count.
    """
    found: dict[tuple[str, str, str], int | None] = {}
    for summary, *documents in checkpoints:
        read = [(session, counted_at(document)) for document in documents if (session := _session(_document(document)))]
        sessions = [session for session, _ in read]
        counted = _counted_once(read)
        whole = _agent_lines(_document(summary).get("combined_attribution"))
        limited = fit(counted, sum(counted) if whole is None else whole)
        for session, lines in zip(sessions, limited, strict=True):
            key = session.agent, session.model, session.external_session
            before = found.get(key)
            found[key] = before if session.lines is None else lines + (before or 0)
    return [RecordedSession(*key, lines) for key, lines in found.items()]


def _counted_once(sessions: Sequence[tuple[RecordedSession, datetime | None]]) -> list[int]:
    """The lines of each session; a count that several repeat, made at one moment, is divided among them."""
    lines = [session.lines or 0 for session, _ in sessions]
    repeated: dict[tuple[datetime | int, int], list[int]] = {}
    for position, (_, at) in enumerate(sessions):
        repeated.setdefault((at or position, lines[position]), []).append(position)
    for (_, count), positions in repeated.items():
        for position, share in zip(positions, fit([count] * len(positions), count), strict=True):
            lines[position] = share
    return lines


def counted_at(session: bytes) -> datetime | None:
    """The time at which Entire counted a session's lines; None if it did not."""
    attribution = _document(session).get("initial_attribution")
    return moment_of(attribution.get("calculated_at")) if isinstance(attribution, dict) else None


def _document(text: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _session(document: dict[str, Any]) -> RecordedSession | None:
    """A session; None if it has neither lines nor an agent, because a trailer may then be more specific."""
    agent, model, session = (document.get(name) for name in ("agent", "model", "session_id"))
    lines = _agent_lines(document.get("initial_attribution"))
    name = agent.strip() if isinstance(agent, str) and agent.strip() != _UNNAMED else ""
    if not name and lines is None:
        return None
    return RecordedSession(
        agent_of_tool(name) if name else ENTIRE,
        storable(model)[:120] if isinstance(model, str) else "",
        storable(_DAY_BEFORE_ID.sub("", session))[:200] if isinstance(session, str) else "",
        lines,
    )


def _agent_lines(attribution: object) -> int | None:
    """The count, even if it is written as 7.0 or "7"."""
    written = attribution.get("agent_lines") if isinstance(attribution, dict) else None
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return None
    try:
        lines = float(written)
    except (ValueError, OverflowError):
        return None
    return int(lines) if 0 <= lines <= MOST_LINES and lines.is_integer() else None
