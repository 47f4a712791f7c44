"""Counts sessions by agent, version and local day, and those of them that have each signal: one query."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from core import sql
from integrations.silence.signals import SIGNALS
from integrations.silence.versions import FORTNIGHT, VersionDay

# Before that a session has not sent everything: lines come with its edits, metrics once a minute or at its end.
COMPLETE_AFTER = timedelta(hours=1)
# Only the number: builds, pre-releases and nightlies of a version count as that version (2.1.0+4f2a, v2.1.0-beta.3).
_VERSION = "coalesce(substring(session.agent_version from '^[vV]?([0-9]+(?:[.][0-9]+)*)'), session.agent_version)"
_HAVING = ", ".join(f"count(*) FILTER (WHERE {signal.has})" for signal in SIGNALS.values())
_COUNTED = f"""
    WITH session AS MATERIALIZED (
        SELECT * FROM integrations_agentsession
        WHERE has_work AND has_telemetry AND NOT is_repeated AND NOT told_by_file
          AND started_on > %(after)s AND started_on <= %(today)s AND started_at <= %(complete_at)s
    ), day AS (
        SELECT figures.session_id, sum(input_tokens) AS input_tokens, sum(cache_read_tokens) AS cache_read_tokens,
               sum(cache_write_tokens) AS cache_write_tokens, sum(output_tokens) AS output_tokens,
               sum(tool_calls) AS tool_calls, bool_or(model <> '') AS names_model,
               bool_or(reported_cost IS NOT NULL) AS reports_cost
        FROM session JOIN integrations_agentsessionday figures ON figures.session_id = session.id
        WHERE source <> 'files'
        GROUP BY figures.session_id
    ), place AS (
        SELECT named.session_id, bool_or(place.named <> '') AS names_repository,
               bool_or(place.branch <> '') AS names_branch
        FROM session
        JOIN integrations_sessionplace named ON named.session_id = session.id
        JOIN integrations_telemetryplace place ON place.id = named.place_id
        GROUP BY named.session_id
    )
    SELECT session.agent, {_VERSION} AS version, session.started_on, count(*),
           count(DISTINCT coalesce(name.person_id, -name.id)), {_HAVING}
    FROM session
    JOIN orgtree_identity name ON name.id = session.identity_id
    LEFT JOIN day ON day.session_id = session.id
    LEFT JOIN place ON place.session_id = session.id
    GROUP BY session.agent, version, session.started_on
"""  # noqa: S608 — constants of this room; values are parameters


def version_days(now: datetime) -> list[VersionDay]:
    """Counts of today and the fortnight before; sessions from clocks that run ahead count only once their time has
    come.
    """
    today = now.astimezone(settings.ORGANISATION_TIME_ZONE).date()
    rows = sql.rows(
        _COUNTED,
        {"today": today, "after": today - FORTNIGHT - timedelta(days=1), "complete_at": now - COMPLETE_AFTER},
    )
    return [
        VersionDay(agent, version, day, sessions, people, dict(zip(SIGNALS, having, strict=True)))
        for agent, version, day, sessions, people, *having in rows
    ]
