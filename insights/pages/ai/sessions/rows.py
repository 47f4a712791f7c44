"""The sessions behind `ai.sessions` with their totals, as a viewer may see them.

The metric selects the sessions; their totals are the sums of the rows behind tokens, spend and tool calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from insights.engine.contributions import DAY, DESCRIPTIONS, PERSON, ColumnKind, RowColumn, RowsPage
from insights.engine.plan import Clock
from insights.engine.read import read_rows, read_totals
from insights.pages.ai.sessions.outcome import outcome_of
from insights.privacy.visible import visible_page
from insights.query.query import Query
from integrations.models import AgentSession
from integrations.telemetry.sessions.summaries import NOTHING, summaries_of
from orgtree.access.access import Access

KEY = "ai.sessions"
COLUMNS = (
    RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT),
    PERSON,
    DAY,
    DESCRIPTIONS["started_at"],
    RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD),
    RowColumn("models", "Models", "Those that it asked, the one of most tokens first.", ColumnKind.WORD),
    RowColumn("active_seconds", "At work", "The sum of its stretches, in seconds.", ColumnKind.NUMBER),
    RowColumn("requests", "Requests", "Requests to models that were answered.", ColumnKind.NUMBER),
    RowColumn("tokens", "Tokens", "Of all four kinds.", ColumnKind.NUMBER),
    RowColumn("spend", "Spend", "At list prices, in US dollars; empty where no price is known.", ColumnKind.NUMBER),
    RowColumn("tool_calls", "Tool calls", "Those that ran.", ColumnKind.NUMBER),
    RowColumn("tool_failures", "Failed", "Tool calls that failed.", ColumnKind.NUMBER),
    RowColumn("lines_added", "Lines", "Lines that the agent wrote.", ColumnKind.NUMBER),
    RowColumn("outcome", "Outcome", "What became of it.", ColumnKind.WORD),
)


def visible_sessions_page(query: Query, access: Access, *, page: int, size: int) -> RowsPage:
    """Page `page` (from 1) of the sessions of the query's scope, window and facets, the newest first."""
    sessions_query = replace(query, key=KEY, segments=(), statistic=None)
    [answer] = read_totals([sessions_query])

    def listed(person_id: int | None) -> RowsPage:
        own_query = (
            sessions_query
            if person_id is None
            else replace(sessions_query, scope=replace(sessions_query.scope, person_id=person_id))
        )
        listed_rows = read_rows(own_query, page=page, size=size)
        return replace(listed_rows, query=sessions_query, columns=COLUMNS, rows=_with_figures(listed_rows))

    return visible_page(sessions_query, access, people=answer.total[0].people, read=listed)


def _with_figures(listed: RowsPage) -> list[Mapping[str, Any]]:
    ids = [row["fact_id"] for row in listed.rows]
    sessions, summaries = AgentSession.objects.in_bulk(ids), summaries_of(ids)
    settled_before = Clock.read().settled_before
    rows: list[Mapping[str, Any]] = []
    for row in listed.rows:
        session, summary = sessions[row["fact_id"]], summaries.get(row["fact_id"], NOTHING)
        whole = summary.whole
        rows.append(
            {
                **{name: row[name] for name in ("fact_id", "person_id", "day", "started_at", "agent")},
                "models": ", ".join(summary.models),
                "active_seconds": session.active_seconds,
                **{
                    name: getattr(whole, name)
                    for name in ("requests", "tokens", "spend", "tool_calls", "tool_failures")
                },
                "lines_added": whole.lines_added,
                "outcome": outcome_of(session, settled_before),
            }
        )
    return rows
