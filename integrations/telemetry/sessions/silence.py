"""What an agent's version stopped sending: present in most sessions before, absent from all of the last day.

Read from what sessions hold; nothing is stored.  A few sessions without lines are nothing, so both sides need some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

RECENT = timedelta(days=1)
BEFORE = timedelta(days=14)
FEWEST_RECENT = 5  # sessions of a version
FEWEST_BEFORE = 10
USUAL = 0.5  # of the sessions before had it
# Column of sessions → what is missing, in words.
SIGNALS = {
    "event_tokens": "tokens of requests (logs)",
    "metric_tokens": "token counts (metrics)",
    "lines_added": "generated lines",
}

# One row per agent and version of the last day, with how many of its sessions hold each signal, and how many of the
# agent's sessions before did.
_COLUMNS = ", ".join(f"recent.{name}, before.{name}" for name in SIGNALS)
_COUNTS = ", ".join(f"count(*) FILTER (WHERE {name} > 0) AS {name}" for name in SIGNALS)
_SIGNALS = f"""
    SELECT recent.agent, recent.agent_version, recent.sessions, before.sessions, {_COLUMNS}
    FROM (
        SELECT agent, agent_version, count(*) AS sessions, {_COUNTS}
        FROM integrations_agentsession
        WHERE started_at > %(recent)s AND started_at <= %(now)s AND NOT told_by_file
        GROUP BY agent, agent_version
    ) AS recent
    JOIN (
        SELECT agent, count(*) AS sessions, {_COUNTS}
        FROM integrations_agentsession
        WHERE started_at > %(before)s AND started_at <= %(recent)s AND NOT told_by_file
        GROUP BY agent
    ) AS before USING (agent)
    WHERE recent.sessions >= %(fewest_recent)s AND before.sessions >= %(fewest_before)s
    ORDER BY recent.agent, recent.agent_version
"""  # noqa: S608 — constants only; values are parameters


@dataclass(frozen=True)
class Silence:
    """`share` of the agent's sessions before had it, none of the version's `sessions` of the last day has."""

    agent: str
    version: str
    missing: str
    sessions: int
    share: float


def silences(now: datetime) -> Sequence[Silence]:
    """One query."""
    recent = now - RECENT
    with connection.cursor() as cursor:
        cursor.execute(
            _SIGNALS,
            {
                "now": now,
                "recent": recent,
                "before": recent - BEFORE,
                "fewest_recent": FEWEST_RECENT,
                "fewest_before": FEWEST_BEFORE,
            },
        )
        rows = cursor.fetchall()
    return [
        Silence(agent, version, words, sessions, had_before / sessions_before)
        for agent, version, sessions, sessions_before, *counts in rows
        for words, has_now, had_before in zip(SIGNALS.values(), counts[::2], counts[1::2], strict=True)
        if not has_now and had_before >= USUAL * sessions_before
    ]
