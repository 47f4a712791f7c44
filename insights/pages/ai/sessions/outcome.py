"""The outcome of a session: the four states of spend, and the reason in words.  docs/attribution.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from insights.ui import wording
from insights.ui.wording import moment
from integrations.models import AgentSession
from integrations.telemetry.sessions.timeline import SessionCommit

COMMITTED, PENDING, UNKNOWN, WASTED = "committed", "pending", "unknown", "wasted"
LABELS = {COMMITTED: "Committed", PENDING: "Pending", UNKNOWN: "Unknown", WASTED: "Wasted"}


def outcome_of(session: AgentSession, settled_before: datetime) -> str:
    """As the engine splits spend (insights/engine/measures.py)."""
    if session.committed:
        return COMMITTED
    if session.ended_at > settled_before:
        return PENDING
    return WASTED if session.covered else UNKNOWN


def explained(session: AgentSession, settled_before: datetime, commits: Sequence[SessionCommit]) -> dict[str, Any]:
    key = outcome_of(session, settled_before)
    settles_at = session.ended_at + settings.SETTLING_TIME
    hours = int(settings.SETTLING_TIME.total_seconds() // 3600)
    lines = sum(commit.lines for commit in commits)
    why = {
        COMMITTED: f"{wording.count(lines, 'line')} of it {'is' if lines == 1 else 'are'} in "
        f"{wording.count(len(commits), 'counted commit')}.",
        PENDING: f"It ended less than {hours} hours ago, and no commit contains its lines yet. The outcome is decided "
        f"in the first full hour after {moment(settles_at)}.",
        UNKNOWN: "No commit contains its lines, and no connected repository has a commit of its developer within a "
        "year of it. Its lines may be elsewhere, so it does not count as waste.",
        WASTED: f"No counted commit contains its lines {hours} hours after it ended, although commits of its developer "
        "are known.",
    }
    return {"key": key, "label": LABELS[key], "why": why[key]}
