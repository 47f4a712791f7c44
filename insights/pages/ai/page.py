"""The page `/insights/ai/` and its tabs: filters, sections, and the parts that load later: menus, and slow parts.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from insights.pages import presenter
from insights.pages.ai import adoption, impact, leaderboard, money, spend, usage
from insights.pages.ai.adoption import ADOPTION
from insights.pages.ai.answers import AI_PAGE, IMPACT_PAGE, SPEND_PAGE
from insights.pages.ai.differences import differences
from insights.pages.ai.effect import effect_part
from insights.pages.ai.impact import IMPACT
from insights.pages.ai.spend import SPEND
from insights.pages.ai.usage import USAGE
from insights.pages.answers import Answers, PageQuery, of_rules
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
from integrations.facts.available_sources import AvailableSources, available_sources

CHOICES = (
    *impact.CHOICES,
    *adoption.ADOPTION.choices,
    spend.COST,
    *spend.SPEND.choices,
    units_choice(AI_COLUMNS),
    leaderboard.RANKED_BY,
)


# Of every tab: whether agents report at all, and the sentence below the title.
HEAD = (PageQuery("ai.active_developers", compared=True), PageQuery("ai.sessions", compared=True))


class ShownSection(NamedTuple):
    """A section of a tab: its content, its template, and the queries whose shortfalls it names."""

    shown: dict[str, Any]
    queries: Sequence[PageQuery]
    template: str = "insights/_section.html"


@figures_view
def ai_page(request: HttpRequest, tab: str = "") -> HttpResponseBase:
    token = current_token(request)
    page, filters = AI_PAGE.at(tab), page_filters(request)
    around = scope_navigation(request, filters)
    sources = available_sources()
    answers = page.read(filters, (*HEAD, *_queries(tab, filters, sources), *page.menus), around=around)
    if answers.figure("ai.sessions").value is None and not (sources.repositories or sources.sessions):
        return connect_first_agent(request)
    units = units_part(request, page, filters, around) if tab == "adoption" else None
    context = {
        "pulse": token,
        "filters": filters,
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "tabs": page.tab_links(filters),
        "active_developers": wording.count(int(answers.figure("ai.active_developers").value or 0), "active developer"),
        "sections": _with_shortfalls(answers, _sections(tab, answers, sources, units)),
    }
    if tab == "":
        context["verdict"] = _verdict(answers)
        context["unmatched"] = _unmatched_sentence(filters, answers)
    elif tab == "developers":
        context["board"] = leaderboard.leaderboard_card(filters)
    return render(request, "insights/ai.html", context)


def _queries(tab: str, filters: Filters, sources: AvailableSources) -> Sequence[PageQuery]:
    match tab:
        case "":
            return (*presenter.queries(ADOPTION, filters), *spend.queries(has_seats=sources.seats))
        case "adoption":
            return presenter.queries(ADOPTION, filters)
        case "impact":
            return impact.queries(filters)
        case "spend":
            return spend.queries(has_seats=sources.seats)
        case "usage":
            return presenter.queries(USAGE, filters)
        case _:
            return ()


def _sections(
    tab: str, answers: Answers, sources: AvailableSources, units: Mapping[str, str] | None
) -> Sequence[ShownSection]:
    queries = _queries(tab, answers.filters, sources)
    match tab:
        case "":
            return [_by_hand(_overview(answers, has_seats=sources.seats), queries)]
        case "adoption":
            shown = presenter.shown(ADOPTION, answers, units=units)
            return [ShownSection(shown, queries)]
        case "impact":
            return [_by_hand(impact.section(answers, has_repositories=sources.repositories), queries)]
        case "spend":
            shown = spend.section(answers, has_seats=sources.seats)
            return [_by_hand(shown, queries), _by_hand(money.section(answers), money.QUERIES)]
        case "usage":
            return [ShownSection(presenter.shown(USAGE, answers), queries)]
        case _:
            return ()


def _by_hand(shown: dict[str, Any], queries: Sequence[PageQuery]) -> ShownSection:
    return ShownSection(shown, queries, f"insights/_section_{shown['key']}.html")


def _with_shortfalls(answers: Answers, sections: Sequence[ShownSection]) -> list[dict[str, Any]]:
    """The sections, each shortfall shown in the first section that has it."""
    found = answers.shortfalls_by_section(*(section.queries for section in sections)) if sections else ()
    return [
        {**section.shown, "template": section.template, "shortfalls": lacking}
        for section, lacking in zip(sections, found, strict=True)
    ]


def _overview(answers: Answers, *, has_seats: bool) -> dict[str, Any]:
    """The overview on one screen: adoption, its benefits and costs, and work with and without agents."""
    return {
        "key": "overview",
        "tiles": [adoption.rate_tile(answers), presenter.tile(adoption.COMMITTED_SHARE, answers)],
        "total": spend.total_tile(answers, has_seats=has_seats),
        "part_url": answers.part_url("spend_outcome"),
        "differences_url": answers.part_url("differences"),
        "impact_url": IMPACT_PAGE.url(answers.filters),
        "look_url": answers.part_url("look"),
        "charts": [impact.cycle_time_card(answers), presenter.chart_card(replace(spend.TREND_CHART, span=6), answers)],
    }


def _verdict(answers: Answers) -> presenter.Verdict | None:
    """Who uses agents, what of the code is theirs, and what it costs; None where agents do not report."""
    active, rate = answers.figure("ai.active_developers"), answers.figure(answers.filters.metric(adoption.OUT_OF))
    if active.value is None or not rate.denominator:
        return None
    group = {"licensed": "developers with a seat", "everybody": "developers"}
    out_of = group.get(answers.filters.picked[adoption.OUT_OF.parameter], "enrolled developers")
    share, cost = presenter.tile(adoption.COMMITTED_SHARE, answers), answers.tile("ai.spend")
    more = presenter.moved(answers, "ai.active_developers")
    code = f", and {share.value}{share.unit} of the committed code is theirs" if share.value is not None else ""
    spent = f"They cost {cost.value}{presenter.moved(answers, 'ai.spend')}." if cost.value is not None else ""
    return presenter.Verdict(f"{active.value:,.0f} of {rate.denominator:,.0f} {out_of} use agents{more}{code}.", spent)


def look(filters: Filters) -> dict[str, Any]:
    """The hints of all tabs, for the card *What to look at*."""
    sections = (ADOPTION, IMPACT, SPEND, USAGE)
    keys = [key for section in sections for key in presenter.rules_of(section, filters)]
    return {"title": "What to look at", "hints": AI_PAGE.read(filters, of_rules(*keys)).hints(*keys)}


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
    shares = [(commits, 1, "commits"), (sessions, 1, "sessions"), (nobodys, spend, "spend")]
    parts = [f"{wording.percent_of(part, whole)} of {what}" for part, whole, what in shares if part and whole]
    if not parts:
        return ""
    return f"Not matched to a person: {wording.listed(parts)}. They count only at organisation level."


def spend_outcome(filters: Filters) -> dict[str, Any]:
    answers = SPEND_PAGE.read(filters, [spend.BY_OUTCOME])
    shares = spend.outcome_shares(answers)
    linked = [(share, rows_of_part(filters, "ai.spend", Dimension.OUTCOME, share.key)) for share in shares]
    return {"title": "Spend by outcome", "shares": shares, "linked_shares": linked}


def impact_differences(filters: Filters) -> dict[str, Any]:
    shown = differences(filters)
    return {"title": f"{shown['line']} vs. Non-AI", "differences": shown}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "look": look,
    "spend_outcome": spend_outcome,
    "spend_budgets": lambda filters: {"title": "Budgets", "found": sections_of(spend_budgets, filters)},
    "money": lambda filters: {"title": "AI costs", "money": money.part(filters)},
    "failing_tools": lambda filters: {"title": "Top failing tools", "tools": usage.failing_tools_card(filters)},
    "compared": lambda filters: {"title": "AI-assisted vs. other", "compared": impact.compared_work(filters)},
    "differences": impact_differences,
    "adoption_effect": lambda filters: {"title": "Before and after adoption", "effect": effect_part(filters)},
    "leaderboard": leaderboard.leaderboard_rows,
}
