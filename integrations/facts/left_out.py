"""The number of records that are in no relation, or lack their measured value, by reason: one query per page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import LiteralString

from core import sql
from integrations.facts.delivery import IN_PRODUCTION

TELEMETRY, MERGES, NOTES, SILENCES, UNPLACED = "telemetry", "merges", "notes", "silences", "unplaced"
UNKNOWN_COMMITS, UNREAD_TOKENS = "unknown_commits", "unread_tokens"

# Attributes named like tokens or a cache that no vocabulary reads: records count without them.
_UNREAD_TOKENS: LiteralString = """
    FROM integrations_unreadevent
    WHERE NOT known AND means = '' AND attribute ~* 'token|cache'
      AND first_at < %(end)s::date AND last_at >= %(start)s::date
"""

# Notes on commits that do not count: no branch contains the commit, and no squash represents it.
UNUSED_NOTES: LiteralString = """
    SELECT 'unplaced' AS what, sha FROM integrations_unusednote
    UNION
    SELECT 'gone', noted.sha
    FROM integrations_commitevidence evidence JOIN integrations_commit noted ON noted.id = evidence.commit_id
    WHERE evidence.method = 'note' AND evidence.withdrawn_at IS NULL AND noted.set_apart = 'gone'
      AND noted.stands_in_id IS NULL
"""
_LEFT_OUT: LiteralString = f"""
    SELECT 'telemetry' AS what, count(*) AS records FROM integrations_quarantinedrecord
    WHERE replayed_at IS NULL AND received_at >= %(start)s::date AND received_at < %(end)s::date
    UNION ALL
    SELECT 'merges', count(*) FROM integrations_deployedpullrequest
    WHERE predates AND deployed_on >= %(start)s AND deployed_on < %(end)s
    UNION ALL
    SELECT 'unknown_commits', count(*) FROM integrations_deployment deployment
    WHERE {IN_PRODUCTION} AND deployment.finished_at::date >= %(start)s AND deployment.finished_at::date < %(end)s
      AND deployment.names_unknown_commit
    UNION ALL
    SELECT 'unread_tokens', count(*) {_UNREAD_TOKENS}
    UNION ALL
    SELECT 'notes', count(*) FROM ({UNUSED_NOTES}) AS unused
    UNION ALL
    SELECT 'silences', count(*) FROM integrations_silence WHERE ended_at IS NULL AND since < %(end)s
    UNION ALL
    SELECT 'unplaced', count(*) FROM integrations_unplacedrecord
    UNION ALL
    SELECT payload.kind, count(*) FROM integrations_quarantinedpayload payload
    JOIN integrations_connection source ON source.id = payload.connection_id
    WHERE payload.replayed_at IS NULL AND source.removed_at IS NULL
    GROUP BY payload.kind
"""  # noqa: S608 — a constant


def left_out(start: date, end: date) -> dict[str, int]:
    """Counts of records that are left out of figures, by reason.

    TELEMETRY: agents' records of these days in quarantine.  MERGES: those long before the first known deployment.
    UNKNOWN_COMMITS: deployments of these days that name an unknown commit.  UNREAD_TOKENS: unread attributes of these
    days that are named like tokens.  NOTES: notes found but not used, of any time.  SILENCES: senders that stopped
    before the end, and are still silent.  UNPLACED: all waiting records; `UnplacedRecord.objects.counts()` has them by
    kind.

    Providers' records in quarantine are counted by the value of `Kind`, for any time: the time of a record that was not
    understood is unknown.
    """
    return {what: records for what, records in sql.rows(_LEFT_OUT, {"start": start, "end": end}) if records}


def unread_tokens(start: date, end: date) -> dict[str, bool]:
    """Agents with attributes named like tokens that are not read → whether one is named like a cache."""
    statement = f"SELECT agent, bool_or(attribute ~* 'cache') {_UNREAD_TOKENS} GROUP BY agent ORDER BY agent"
    return dict(sql.rows(statement, {"start": start, "end": end}))


def unused_notes() -> int:
    return int(sql.value(f"SELECT count(*) FROM ({UNUSED_NOTES}) AS unused"))  # noqa: S608 — a constant


def unknown_commits(
    start: date, end: date, *, repositories: Sequence[str] | None, services: Sequence[str] | None
) -> int:
    """Deployments of these days that name an unknown commit; None: of all repositories, or services."""
    statement = f"""
        SELECT count(*) FROM integrations_deployment deployment
        JOIN integrations_repository repository ON repository.id = deployment.repository_id
        WHERE {IN_PRODUCTION} AND deployment.names_unknown_commit
          AND deployment.finished_at::date >= %(start)s AND deployment.finished_at::date < %(end)s
          AND (%(repositories)s::text[] IS NULL OR repository.name = ANY (%(repositories)s))
          AND (%(services)s::text[] IS NULL OR deployment.service = ANY (%(services)s))
    """  # noqa: S608 — constants
    params = {"start": start, "end": end, "repositories": repositories, "services": services}
    return int(sql.value(statement, params))
