"""The sessions of a scope with their totals: one's own, and others' as the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from insights.catalogue.agents import agent_name
from insights.engine.contributions import RowsPage
from insights.pages.ai.answers import FACETS_OF_SESSIONS
from insights.pages.ai.sessions.outcome import LABELS
from insights.pages.ai.sessions.rows import KEY, visible_sessions_page
from insights.pages.answers import InsightsPage
from insights.pages.filter_bar import filter_bar
from insights.pages.rows import csv_rows
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.page_numbers import PAGE_SIZE, page_numbers, read_page
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import figures_view, page_view
from insights.ui.wording import moment

CSV_PAGE_SIZE = 1000
FACETS = (Dimension.AGENT, Dimension.MODEL)
SESSIONS_PAGE = InsightsPage("ai_sessions", facets=FACETS_OF_SESSIONS)


@figures_view
def sessions(request: HttpRequest) -> HttpResponseBase:
    filters, number = _filters(request), read_page(request)
    around = scope_navigation(request, filters)
    answers = SESSIONS_PAGE.read(filters, SESSIONS_PAGE.menus, around=around)
    listed = visible_sessions_page(filters.query(KEY), filters.access, page=number, size=PAGE_SIZE)
    context = {
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "note": listed.note,
        "lines": [_line(row) for row in listed.rows],
        **page_numbers(
            number, listed.rows, listed.total, lambda page: filters.url(reverse("ai_sessions"), page=str(page))
        ),
        "csv_url": filters.url(reverse("ai_sessions_csv")),
    }
    return render(request, "insights/sessions/sessions.html", context)


def page_of(request: HttpRequest) -> tuple[InsightsPage, Filters]:
    return SESSIONS_PAGE, _filters(request)


@page_view
def sessions_csv(request: HttpRequest) -> HttpResponseBase:
    filters = _filters(request)

    def read(page: int) -> RowsPage:
        return visible_sessions_page(filters.query(KEY), filters.access, page=page, size=CSV_PAGE_SIZE)

    return csv_response("headway-ai-sessions", csv_rows(read(1), read))


def _filters(request: HttpRequest) -> Filters:
    filters = filters_of(request)
    return replace(filters, facets={name: chosen for name, chosen in filters.facets.items() if name in FACETS})


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    pk, started = row["fact_id"], row["started_at"]
    return {
        "number": f"#{pk}" if pk is not None else "",
        "url": reverse("ai_session", args=[pk]) if pk is not None else "",
        "person": row["person"],
        "started": moment(started) if started else wording.day(row["day"]),
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
        "outcome_label": LABELS[row["outcome"]],
    }
