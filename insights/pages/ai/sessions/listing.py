"""The sessions of a scope with their totals: one's own, and others' as the policy allows.

The metric selects the sessions; their totals are the sums of the rows behind tokens, spend and tool calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.page_links import PAGE_SIZE, links_of_page, read_page
from core.views import page_view
from insights.catalogue.agents import agent_name
from insights.engine.contributions import (
    DAY,
    DESCRIPTIONS,
    LARGEST_PAGE,
    PERSON,
    ColumnKind,
    RowColumn,
    RowsPage,
    read_rows,
)
from insights.engine.plan import Clock
from insights.engine.read import read_totals
from insights.pages.ai.tabs import FACETS_OF_SESSIONS
from insights.pages.answers import InsightsPage, figures_view
from insights.pages.filter_bar import page_head
from insights.pages.rows import rows_file
from insights.privacy.visible import visible_page
from insights.query.query import Dimension, Query
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.labels import LABELS
from insights.ui.scope_bar import scope_navigation
from integrations.models import AgentSession
from integrations.telemetry.sessions.summaries import NOTHING, summaries_of
from orgtree.access.access import Access

COMMITTED, PENDING, UNKNOWN, WASTED = "committed", "pending", "unknown", "wasted"
OUTCOMES = LABELS[Dimension.OUTCOME]


def outcome_of(session: AgentSession, settled_before: datetime) -> str:
    """The outcome by which the engine splits spend (insights/engine/measures.py); docs/attribution.md."""
    if session.committed:
        return COMMITTED
    if session.ended_at > settled_before:
        return PENDING
    return WASTED if session.covered else UNKNOWN


KEY = "ai.sessions"
COLUMNS = (
    RowColumn("fact_id", "Session", "Headway's number of the session.", ColumnKind.FACT),
    PERSON,
    DAY,
    DESCRIPTIONS["started_at"],
    RowColumn("agent", "Agent", "The agent.", ColumnKind.WORD),
    RowColumn("models", "Models", "The models it used, most tokens first.", ColumnKind.WORD),
    RowColumn("active_seconds", "At work", "Total of its active periods, in seconds.", ColumnKind.NUMBER),
    RowColumn("requests", "Requests", "Completed requests to models.", ColumnKind.NUMBER),
    RowColumn("tokens", "Tokens", "Tokens of all four kinds.", ColumnKind.NUMBER),
    RowColumn(
        "spend", "Spend", "Spend at list prices, in US dollars; empty if the price is unknown.", ColumnKind.NUMBER
    ),
    RowColumn("tool_calls", "Tool calls", "Completed and failed tool calls.", ColumnKind.NUMBER),
    RowColumn("tool_failures", "Failed", "Tool calls that failed.", ColumnKind.NUMBER),
    RowColumn("lines_added", "Lines", "Lines that the agent wrote.", ColumnKind.NUMBER),
    RowColumn("outcome", "Outcome", "Outcome of the session: committed, pending, wasted or unknown.", ColumnKind.WORD),
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


FACETS = (Dimension.AGENT, Dimension.MODEL)
SESSIONS_PAGE = InsightsPage("ai_sessions", facets=FACETS_OF_SESSIONS)


@figures_view
def sessions(request: HttpRequest) -> HttpResponseBase:
    filters, number = filters_of(request, facets=FACETS), read_page(request)
    around = scope_navigation(request, filters)
    answers = SESSIONS_PAGE.read(filters, SESSIONS_PAGE.menus, around=around)
    listed = visible_sessions_page(filters.query(KEY), filters.access, page=number, size=PAGE_SIZE)
    context = {
        **page_head(answers, around),
        "note": listed.note,
        "lines": [_line(row) for row in listed.rows],
        **links_of_page(
            number,
            listed.rows,
            listed.total,
            lambda page: filters.url(reverse("ai_sessions"), page=page),
            size=PAGE_SIZE,
        ),
        "csv_url": filters.url(reverse("ai_sessions_csv")),
    }
    return render(request, "insights/sessions/sessions.html", context)


def page_of(request: HttpRequest) -> tuple[InsightsPage, Filters]:
    return SESSIONS_PAGE, filters_of(request, facets=FACETS)


@page_view
def sessions_csv(request: HttpRequest) -> HttpResponseBase:
    filters = filters_of(request, facets=FACETS)

    def read(page: int) -> RowsPage:
        return visible_sessions_page(filters.query(KEY), filters.access, page=page, size=LARGEST_PAGE)

    return rows_file("headway-ai-sessions", read)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    pk, started = row["fact_id"], row["started_at"]
    return {
        "number": f"#{pk}" if pk is not None else "",
        "url": reverse("ai_session", args=[pk]) if pk is not None else "",
        "person": row["person"],
        "started": wording.moment(started) if started else wording.day(row["day"]),
        "agent": agent_name(row["agent"]),
        "models": row["models"],
        "cells": [
            str(wording.duration(row["active_seconds"])),
            f"{row['requests']:,}",
            f"{row['tokens']:,}",
            "" if row["spend"] is None else wording.money(row["spend"]),
            f"{row['tool_calls']:,}",
            f"{row['tool_failures']:,}",
            f"{row['lines_added']:,}",
        ],
        "outcome": row["outcome"],
        "outcome_label": OUTCOMES[row["outcome"]],
    }
