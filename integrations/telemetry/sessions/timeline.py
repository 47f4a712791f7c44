"""The timeline of a session: requests (or meter slots), tool calls and commits, in order.

Read in pages and hours: a session of a week may have a hundred thousand requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core import sql
from integrations.facts.code import AI_COMMITTED_FILES
from integrations.models import AgentMeterSlot, AgentSession, Method, ToolOutcome

PAUSE = "interval '30 minutes'"  # a stored period extends this far beyond its last event


class EventType(StrEnum):
    REQUEST = "request"
    TOOL = "tool"
    COMMIT = "commit"
    METER = "meter"  # a meter slot


@dataclass(frozen=True)
class TimelineEvent:
    """One event; `name` is the model, tool or object id; `tokens` are the four kinds in order."""

    at: datetime
    what: EventType
    name: str
    outcome: str
    error_type: str
    duration_seconds: float | None
    tokens: Sequence[int]
    spend: float | None
    reported_cost: float | None


@dataclass(frozen=True)
class Hour:
    """Sums of a local hour that begins at `start`."""

    start: datetime
    requests: int
    tokens: int
    spend: float | None
    tool_calls: int
    tool_failures: int
    commits: int


@dataclass(frozen=True)
class ActivePeriod:
    """A period of activity, from its first event to its last."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class ToolUse:
    """Calls of a tool; `seconds` is null if no call has a duration."""

    tool: str
    succeeded: int
    failed: int
    refused: int
    seconds: float | None
    error_types: Sequence[str]


@dataclass(frozen=True)
class SessionCommit:
    """A counted commit with lines of the session."""

    sha: str
    subject: str
    repository: str
    committed_at: datetime
    methods: Sequence[Method]
    lines: int


# One row per event.  Quarters of an hour that count by metrics have meter slots instead of requests.
_HAPPENINGS = f"""
    SELECT at, 'request' AS what, model AS name, '' AS outcome, '' AS error_type, duration_ms / 1000.0 AS seconds,
           input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, spend, reported_cost
    FROM integrations_agentrequest
    WHERE session_id = %(session)s AND counted
    UNION ALL
    SELECT slot, 'meter', model, '', '', NULL,
           input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, NULL, reported_cost
    FROM integrations_agentmeterslot
    WHERE session_id = %(session)s AND counted
    UNION ALL
    SELECT at, 'tool', tool, outcome, error_type, duration_ms / 1000.0, 0, 0, 0, 0, NULL, NULL
    FROM integrations_agenttoolcall
    WHERE session_id = %(session)s
    UNION ALL
    SELECT DISTINCT stored.committed_at, 'commit', stored.sha, '', '', NULL::numeric, 0, 0, 0, 0, NULL::numeric,
           NULL::numeric
    FROM ({AI_COMMITTED_FILES.sql}) AS files
    JOIN integrations_commit stored ON stored.id = files.commit_id
    WHERE files.session_id = %(session)s AND files.ai_lines > 0
"""  # noqa: S608 — put together from constants; values are passed apart


class SessionTimeline:
    """Reads the timeline of one session."""

    def __init__(self, session: AgentSession) -> None:
        self._session = session
        self.by_metrics = AgentMeterSlot.objects.filter(session=session, counted=True).exists()
        self._values = {"session": session.pk}

    def count(self, start: datetime | None = None, end: datetime | None = None) -> int:
        """Number of events in [start, end), or in total."""
        happened = sql.value(
            f"SELECT count(*) FROM ({_HAPPENINGS}) AS happened WHERE {_WITHIN}",  # noqa: S608 — constants
            {**self._values, "start": start, "end": end},
        )
        return int(happened)

    def events(
        self, *, first: int, count: int, start: datetime | None = None, end: datetime | None = None
    ) -> list[TimelineEvent]:
        """Events in a stable order: at equal times, a request comes before the tool call that it causes."""
        rows = sql.rows(
            f"""
            SELECT at, what, name, outcome, error_type, seconds::float8,
                   ARRAY[input_tokens, cache_read_tokens, cache_write_tokens, output_tokens],
                   spend::float8, reported_cost::float8
            FROM ({_HAPPENINGS}) AS happened
            WHERE {_WITHIN}
            ORDER BY at, what, name, output_tokens, input_tokens, cache_read_tokens, seconds
            LIMIT %(limit)s OFFSET %(offset)s
            """,  # noqa: S608 — constants
            {**self._values, "start": start, "end": end, "limit": count, "offset": first},
        )
        return [TimelineEvent(at, EventType(what), *details) for at, what, *details in rows]

    def hours(self) -> list[Hour]:
        rows = sql.rows(
            f"""
            SELECT date_trunc('hour', at), count(*) FILTER (WHERE what = 'request'),
                   sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens)::bigint,
                   sum(spend)::float8,
                   count(*) FILTER (WHERE what = 'tool' AND outcome <> %(refused)s),
                   count(*) FILTER (WHERE outcome = %(failed)s), count(*) FILTER (WHERE what = 'commit')
            FROM ({_HAPPENINGS}) AS happened
            GROUP BY 1
            ORDER BY 1
            """,  # noqa: S608 — constants
            {**self._values, "failed": ToolOutcome.FAILED.value, "refused": ToolOutcome.REFUSED.value},
        )
        return [Hour(*row) for row in rows]

    def active_periods(self) -> list[ActivePeriod]:
        """Active periods in order, separated by pauses of more than half an hour."""
        rows = sql.rows(
            f"""
            SELECT lower(period), upper(period) - {PAUSE}
            FROM integrations_agentsession session, unnest(session.active_periods) AS period
            WHERE session.id = %s
            ORDER BY 1
            """,  # noqa: S608 — a constant
            [self._session.pk],
        )
        return [ActivePeriod(start, max(start, end)) for start, end in rows]

    def tools(self) -> list[ToolUse]:
        """Tools by number of failed calls, most first."""
        rows = sql.rows(
            """
            SELECT tool, count(*) FILTER (WHERE outcome = 'succeeded'), count(*) FILTER (WHERE outcome = 'failed'),
                   count(*) FILTER (WHERE outcome = 'refused'), (sum(duration_ms) / 1000.0)::float8,
                   array_remove(array_agg(DISTINCT error_type ORDER BY error_type), '')
            FROM integrations_agenttoolcall
            WHERE session_id = %s
            GROUP BY tool
            ORDER BY 3 DESC, count(*) DESC, tool
            """,
            [self._session.pk],
        )
        return [ToolUse(*row) for row in rows]

    def commits(self) -> list[SessionCommit]:
        """Counted commits with lines of the session, oldest first."""
        rows = sql.rows(
            f"""
            SELECT stored.sha, stored.subject, coalesce(files.repository, ''), stored.committed_at,
                   array_agg(DISTINCT files.method ORDER BY files.method), sum(files.ai_lines)::bigint
            FROM ({AI_COMMITTED_FILES.sql}) AS files
            JOIN integrations_commit stored ON stored.id = files.commit_id
            WHERE files.session_id = %s AND files.ai_lines > 0
            GROUP BY stored.sha, stored.subject, 3, stored.committed_at
            ORDER BY stored.committed_at, stored.sha
            """,  # noqa: S608 — a constant
            [self._session.pk],
        )
        return [
            SessionCommit(sha, subject, repository, at, [Method(method) for method in methods], lines)
            for sha, subject, repository, at, methods, lines in rows
        ]


_WITHIN = (
    "(%(start)s::timestamptz IS NULL OR at >= %(start)s::timestamptz)"
    " AND (%(end)s::timestamptz IS NULL OR at < %(end)s::timestamptz)"
)
