"""Outbox entries for changed sessions."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

_DAYS = """
    SELECT day, day + 1 FROM integrations_agentsessionday WHERE session_id = ANY (%(sessions)s)
    UNION ALL
    SELECT started_on, started_on + 1 FROM integrations_agentsession WHERE id = ANY (%(sessions)s)
"""


def append_changes_of_sessions(session_ids: Iterable[int]) -> None:
    """Append all days on which these sessions count, in the caller's transaction."""
    append_days({FactFamily.AI: _DAYS}, {"sessions": sorted(session_ids)})
