"""The leaderboard: the AI page's last section, a separate page, and its CSV.  docs/leaderboard.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.page_links import Picker, links_of_page, read_page
from core.views import page_view
from insights.catalogue.agents import agent_name
from insights.catalogue.registry import get
from insights.catalogue.rules import Figures
from insights.engine.by_person import PersonValue
from insights.leaderboard.ranking import (
    COLUMNS,
    ENOUGH_LINES,
    FIGURES,
    NAME,
    RANK,
    RANKINGS,
    SPEND,
    WASTED,
    Column,
    Concentration,
)
from insights.leaderboard.visible import FACETS, LeaderboardRow, VisibleLeaderboard
from insights.pages.ai.tabs import AI_PAGE, FACETS_OF_SESSIONS, RANKED_BY
from insights.pages.answers import InsightsPage, figures_view, how_url, rows_url
from insights.pages.filter_bar import page_head
from insights.pages.rows import rows_elsewhere
from insights.pages.units import AI_COLUMNS, BY_NAME, has_units
from insights.privacy.scope_access import access_in
from insights.query.enums import UnitOfMeasure
from insights.ui import wording
from insights.ui.figure_table import FigureCell, headings, with_bars
from insights.ui.filters import Choice, Filters, filters_of
from insights.ui.hints import Hint, hints_of
from insights.ui.scope_bar import last_day, scope_navigation
from insights.ui.tiles import Link
from orgtree.trees.surroundings import surroundings

PAGE_SIZE, ROWS_OF_SECTION = 25, 10
LONGEST_SEARCH = 100
SEARCH = "q"
SORT = Choice("sort", {word: word for column in COLUMNS for word in (column.key, f"-{column.key}")})
CHOICES = (RANKED_BY, SORT)
TEXTS = [column.key for column in COLUMNS if not column.metric]
OFF = "The leaderboard is off"
UNKNOWN = "unknown"  # exists but has no known value, which is not 0
SOME_UNPRICED = "Excludes tokens of models without a price."


@dataclass(frozen=True)
class LeaderboardParams:
    """The parameters of the leaderboard."""

    filters: Filters
    search: str = ""

    @property
    def ranked_by(self) -> str:
        return self.filters.picked[RANKED_BY.parameter]

    @property
    def sort(self) -> str:
        """A column's key, with a minus for descending; on the AI page the parameter sorts the units instead."""
        return self.filters.picked[SORT.parameter] if SORT in self.filters.choices else RANK

    @property
    def page(self) -> InsightsPage:
        own = {SEARCH: self.search} if self.search else {}
        return InsightsPage("ai_leaderboard", facets=FACETS_OF_SESSIONS, extra_params=own)

    def read(self) -> VisibleLeaderboard:
        filters = self.filters
        return VisibleLeaderboard(
            filters.window, filters.scope, filters.facets, filters.access, ranked_by=self.ranked_by
        )

    def url(self, name: str = "ai_leaderboard", **more: str) -> str:
        return self.filters.url(reverse(name), **{SEARCH: self.search, **more})

    def of_its_page(self) -> LeaderboardParams:
        """The parameters with only the pickers of the leaderboard's own page."""
        picked = {RANKED_BY.parameter: self.ranked_by, SORT.parameter: self.sort}
        return replace(self, filters=replace(self.filters, picked=picked, choices=CHOICES))

    def sorted_by(self, word: str) -> LeaderboardParams:
        own = self.of_its_page()
        return replace(own, filters=own.filters.with_pick(SORT, word))

    def ranked(self, column: str) -> LeaderboardParams:
        return replace(self, filters=self.filters.with_pick(RANKED_BY, column))


@figures_view
def leaderboard(request: HttpRequest) -> HttpResponseBase:
    if not access_in(request).organisation.leaderboard:
        return render(request, "insights/leaderboard/off.html", {"off": _off()})
    params, number = _read_params(request), read_page(request)
    filters = params.filters
    around = scope_navigation(request, filters)
    answers = params.page.read(filters, params.page.menus, around=around)
    board = params.read()
    rows, total = board.page(sort=params.sort, search=params.search, page=number, size=PAGE_SIZE)
    context = {
        **page_head(answers, around),
        "search": params.search,
        "search_fields": filters.parameters(),
        "clear_url": replace(params, search="").url(),
        "csv_url": params.url("ai_leaderboard_csv"),
        "rankings": [
            Picker(label, f"{params.ranked(key).url()}#leaderboard", params.ranked_by == key)
            for key, label in RANKINGS.items()
        ],
        **links_of_page(number, rows, total, lambda page: params.url(page=page), size=PAGE_SIZE),
        **_table(params, board, rows),
    }
    return render(request, "insights/leaderboard/leaderboard.html", context)


def page_of(request: HttpRequest) -> tuple[InsightsPage, Filters]:
    params = _read_params(request)
    return params.page, params.filters


@page_view
def leaderboard_csv(request: HttpRequest) -> HttpResponseBase:
    if not access_in(request).organisation.leaderboard:
        raise Http404(OFF)
    params = _read_params(request)
    board = params.read()
    everybody, _ = board.page(sort=params.sort, search=params.search, page=1, size=max(board.people or 1, 1))
    return csv_response("headway-ai-leaderboard", _csv_rows(everybody))


def leaderboard_rows(filters: Filters) -> dict[str, Any]:
    """The context of the AI page's part: the first rows; the leaderboard's page has them all."""
    if not filters.access.organisation.leaderboard:
        return {"title": "Leaderboard", "off": _off()}
    params = LeaderboardParams(filters)
    board = params.read()
    rows, total = board.page(sort=RANK, search="", page=1, size=ROWS_OF_SECTION)
    return {
        "title": "Leaderboard",
        "hints": _hints(board.concentration(), filters),
        "more_url": params.of_its_page().url() if total > len(rows) else "",
        "total": f"{total:,}",
        "ignored_filters": filters.ignored_filters(get("ai.sessions")),
        **_table(params, board, rows),
    }


def _off() -> dict[str, Any]:
    """The context of `components/void.html`: the leaderboard is off for everybody."""
    return {
        "title": OFF,
        "text": "Admins can switch it on for everybody once the measurement philosophy is published.",
        "link": Link("Who sees what", reverse("access")),
    }


def _hints(spread: Concentration | None, filters: Filters) -> list[Hint]:
    """The hint that a tenth of the developers makes up most of the spend, if it does."""
    if spread is None:
        return []
    given = {"developers": spread.people, "spend_of_first": spread.of_spend}
    printed = {
        "first": f"{spread.first:,}",
        "people": f"{spread.people:,}",
        "spend": str(wording.reading(100 * spread.of_spend, "percent")),
        "lines": str(wording.reading(100 * spread.of_lines, "percent")),
    }
    return hints_of(
        ["ai.spend_per_developer"],
        Figures(lambda _key: None, given=given, printed=printed),
        replace(filters, choices=()),
    )


def _read_params(request: HttpRequest) -> LeaderboardParams:
    search = request.GET.get(SEARCH, "").strip()[:LONGEST_SEARCH]
    return LeaderboardParams(filters_of(request, CHOICES, facets=FACETS), search)


def _table(params: LeaderboardParams, board: VisibleLeaderboard, rows: Sequence[LeaderboardRow]) -> dict[str, Any]:
    return {
        "headings": headings(
            {column.key: column.label for column in COLUMNS},
            params.sort,
            lambda word: f"{params.sorted_by(word).url()}#leaderboard",
            texts=TEXTS,
            stick=NAME,
        ),
        "rows": _printed(rows, params),
        "people": board.people,
        "note": board.note,
        "units_url": _units_url(params) if board.note else "",
        "banner": _banner(params) if board.is_pseudonymous else "",
        "who_link": rows_elsewhere(params.filters, board.note, lambda filters: replace(params, filters=filters).url())
        or Link("Who sees what?", reverse("access")),
        "formulas": [(column.label, how_url(params.filters, column.metric)) for column in FIGURES],
        "enough_lines": ENOUGH_LINES if params.ranked_by == "ai_share" else 0,
        "read_at": board.read_at,
    }


def _units_url(params: LeaderboardParams) -> str:
    """The table of the units below, for a viewer who may see their aggregates but no rows; empty if there is none.

    It is sorted by the column by which developers are ranked.
    """
    filters = replace(params.filters, picked={}, choices=())
    scope, visibility = filters.scope, filters.access.visibility
    around = surroundings(scope.unit, visibility, on=last_day(filters), today=filters.today)
    if not has_units(filters, around):
        return ""
    [metric] = [column.metric for column in FIGURES if column.key == params.ranked_by]
    order = f"-{metric}" if metric in {column.key for column in AI_COLUMNS} else BY_NAME
    return AI_PAGE.route_url(filters, "units", sort=order)


def _banner(params: LeaderboardParams) -> str:
    """A notice that explains how other people are shown to the viewer."""
    return (
        "Other developers appear under pseudonyms that only you see and that change every quarter, with rounded "
        "totals. Lines, agents and figures based on commits are left out, because commits show them with names. "
        "Groups of fewer than "
        f"{params.filters.access.minimum_group_size} are not shown."
    )


def _printed(rows: Sequence[LeaderboardRow], params: LeaderboardParams) -> list[dict[str, Any]]:
    filters = params.filters
    own_scope = replace(filters.scope, person_id=filters.access.visibility.person_id)
    own = replace(filters, scope=own_scope, choices=())

    def printed_cell(column: Column, row: LeaderboardRow) -> FigureCell:
        figure = row.values[column.metric]
        text, note = _in_words(column, figure, has_unpriced=row.has_unpriced)
        return FigureCell(
            text,
            note,
            rows_url=rows_url(own, column.metric) if row.is_own and figure.value is not None else "",
            label=f"Rows of your {column.label}",
            value=figure.value,
        )

    cells = [[printed_cell(column, row) for column in FIGURES] for row in rows]
    marked = with_bars(cells, [column.key for column in FIGURES], params.sort, otherwise=params.ranked_by)
    return [
        {
            "rank": f"{row.rank:,}" if row.rank else "",
            "label": row.label,
            "is_own": row.is_own,
            "agent": row.agents[0] if row.agents else "",
            "other_agents": wording.listed([agent_name(agent) for agent in row.agents[1:]]),
            "other_count": max(0, len(row.agents) - 1),
            "cells": of_row,
        }
        for row, of_row in zip(rows, marked, strict=True)
    ]


def _in_words(column: Column, figure: PersonValue, *, has_unpriced: bool) -> tuple[str, str]:
    """The cell's text and its note; an unknown amount of money is not printed as 0."""
    metric = get(column.metric)
    if figure.value is None:
        return (UNKNOWN if figure.missing else ""), figure.reason
    text = wording.in_column(figure.value, metric.unit)
    if metric.unit is UnitOfMeasure.CURRENCY and has_unpriced and column.metric in (SPEND, WASTED):
        return f"≥ {text}", SOME_UNPRICED
    return text, ""


def _csv_rows(rows: Sequence[LeaderboardRow]) -> Iterator[list[Cell]]:
    yield [f"{column.label} ({get(column.metric).unit})" if column.metric else column.label for column in COLUMNS]
    for row in rows:
        agents, figures = ", ".join(map(agent_name, row.agents)), [row.values[column.metric] for column in FIGURES]
        yield [row.rank, row.label, agents, *(UNKNOWN if figure.missing else figure.value for figure in figures)]
