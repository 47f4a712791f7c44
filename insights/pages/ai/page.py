"""The page `/insights/ai/`: its filters, its sections, and the parts that load after it: menus, and whatever is slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from insights.pages.ai import adoption, impact, leaderboard, money, spend, usage
from insights.pages.ai.answers import AI_PAGE
from insights.pages.ai.differences import differences
from insights.pages.ai.effect import effect_part
from insights.pages.answers import Answers, PageQuery
from insights.pages.change_token import current_token
from insights.pages.connect import connect_first_agent
from insights.pages.drawing import rows_of_part
from insights.pages.filter_bar import filter_bar
from insights.pages.units import AI_COLUMNS, units_choice, units_part
from insights.privacy.visible import visible_unmatched
from insights.query.query import Dimension, Scope
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.offers import sections_of, spend_budgets
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import figures_view
from integrations.facts.available_sources import available_sources

CHOICES = (
    *impact.CHOICES,
    adoption.OUT_OF,
    adoption.CODE_OF,
    adoption.CODE,
    spend.COST,
    spend.TREND,
    spend.BREAKDOWN,
    spend.PART,
    units_choice(AI_COLUMNS),
    leaderboard.RANKED_BY,
)


@figures_view
def ai_page(request: HttpRequest) -> HttpResponseBase:
    token = current_token(request)
    filters = page_filters(request)
    around = scope_navigation(request, filters)
    sources = available_sources()
    answers = AI_PAGE.read(filters, _queries(filters, has_seats=sources.seats), around=around)
    if answers.figure("ai.sessions").value is None and not (sources.repositories or sources.sessions):
        return connect_first_agent(request)
    context = {
        "pulse": token,
        "filters": filters,
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "units": units_part(request, AI_PAGE, filters, around),
        "unmatched": _unmatched_sentence(filters, answers),
        "active_developers": wording.count(int(answers.figure("ai.active_developers").value or 0), "active developer"),
        "sections": _sections(
            answers,
            (adoption.section(answers), adoption.queries(filters)),
            (impact.section(answers, has_repositories=sources.repositories), impact.queries(filters)),
            (spend.section(answers, has_seats=sources.seats), spend.queries(has_seats=sources.seats)),
            (money.section(answers), money.QUERIES),
            (usage.section(answers), usage.QUERIES),
        ),
        "board": leaderboard.leaderboard_card(filters),
    }
    return render(request, "insights/ai.html", context)


def _sections(answers: Answers, *sections: tuple[dict[str, Any], Sequence[PageQuery]]) -> list[dict[str, Any]]:
    """Each section with what its figures lack."""
    found = answers.shortfalls_by_section(*(queries for _, queries in sections))
    return [
        {**section, "template": f"insights/_section_{section['key']}.html", "shortfalls": lacking}
        for (section, _), lacking in zip(sections, found, strict=True)
    ]


def _queries(filters: Filters, *, has_seats: bool) -> tuple[PageQuery, ...]:
    return (
        *adoption.queries(filters),
        *impact.queries(filters),
        *spend.queries(has_seats=has_seats),
        *usage.QUERIES,
        *AI_PAGE.menus,
    )


def page_filters(request: HttpRequest) -> Filters:
    return filters_of(request, CHOICES)


def _unmatched_sentence(filters: Filters, answers: Answers) -> str:
    """Shares of commits, sessions and spend; empty where everything is matched, or for a part of the organisation."""
    if filters.scope != Scope() or filters.facets:
        return ""
    commits = answers.answer("ai.committed_code_share").unmatched or 0
    sessions = answers.answer("ai.sessions").unmatched or 0
    spend = answers.figure("ai.spend").value or 0
    nobodys = visible_unmatched(filters.query("ai.spend"), filters.access) if sessions else 0.0
    shares = [(commits, 1, "commits"), (sessions, 1, "sessions"), (nobodys, spend, "the spend")]
    parts = [f"{wording.percent_of(part, whole)} of {what}" for part, whole, what in shares if part and whole]
    if not parts:
        return ""
    return f"No person is matched to {wording.listed(parts)}: they count for the organisation, but for no person."


def spend_outcome(filters: Filters) -> dict[str, Any]:
    answers = AI_PAGE.read(filters, [spend.BY_OUTCOME])
    shares = spend.outcome_shares(answers)
    linked = [(share, rows_of_part(filters, "ai.spend", Dimension.OUTCOME, share.key)) for share in shares]
    return {"title": "Spend by outcome", "shares": shares, "linked_shares": linked}


def impact_differences(filters: Filters) -> dict[str, Any]:
    shown = differences(filters)
    return {"title": f"{shown['line']} vs. Non-AI", "differences": shown}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "spend_outcome": spend_outcome,
    "spend_budgets": lambda filters: {"title": "Budgets", "found": sections_of(spend_budgets, filters)},
    "money": lambda filters: {"title": "Where the money goes", "money": money.part(filters)},
    "failing_tools": lambda filters: {"title": "Top failing tools", "tools": usage.failing_tools_card(filters)},
    "compared": lambda filters: {"title": "With and without an agent", "compared": impact.compared_work(filters)},
    "differences": impact_differences,
    "adoption_effect": lambda filters: {"title": "Before and after adoption", "effect": effect_part(filters)},
    "leaderboard": leaderboard.leaderboard_rows,
}
