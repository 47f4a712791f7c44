"""The outcome of a session: the four states of spend.  docs/attribution.md."""

from __future__ import annotations

from datetime import datetime

from integrations.models import AgentSession

COMMITTED, PENDING, UNKNOWN, WASTED = "committed", "pending", "unknown", "wasted"
LABELS = {COMMITTED: "Committed", PENDING: "Pending", UNKNOWN: "Unknown", WASTED: "Wasted"}


def outcome_of(session: AgentSession, settled_before: datetime) -> str:
    """As the engine splits spend (insights/engine/measures.py)."""
    if session.committed:
        return COMMITTED
    if session.ended_at > settled_before:
        return PENDING
    return WASTED if session.covered else UNKNOWN
