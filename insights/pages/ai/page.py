"""The page `/insights/ai/`: its declaration, its view, and the parts that load later.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from insights.pages import lines, presenter
from insights.pages.ai import effect, impact, leaderboard, spend
from insights.pages.ai.costs.repositories import BY_REPOSITORY, hidden_repositories, repository_lines
from insights.pages.ai.tabs import (
    AI_PAGE,
    CODE_OF,
    COMPARED,
    COST,
    COSTS,
    OUT_OF,
    SPEND_PAGE,
    USAGE,
    USAGE_PAGE,
    WORK_COMPARED,
)
from insights.pages.answers import Answers, PageQuery
from insights.pages.connect import connect_first_agent
from insights.pages.presenter import Additions, OwnCard
from insights.pages.tabs import OpenTab, TabbedPage
from insights.pages.units import AI_COLUMNS
from insights.privacy.visible import visible_unmatched
from insights.query.query import Dimension, Scope
from insights.ui import tiles, wording
from insights.ui.cards import Card, Section, Tile
from insights.ui.filters import Filters
from integrations.facts.counts import available_sources

REPOSITORIES_LISTED = 10
FAILURES = (
    PageQuery("ai.error_rate"),
    PageQuery("ai.error_rate", Dimension.TOOL, whole=True),
    PageQuery("ai.tool_refusals"),
)
# For every tab: whether agents report at all, and the sentence below the title.
HEAD = (PageQuery("ai.active_developers", compared=True), PageQuery("ai.sessions", compared=True))


def _instead(request: HttpRequest, opened: OpenTab) -> HttpResponseBase | None:
    """The response of an installation without sessions: how to connect an agent, or the tab *Vendors*."""
    answers = opened.answers
    if answers.figure("ai.sessions").value is not None:
        return None
    sources = available_sources()
    if not (sources.repositories or sources.sessions or sources.vendors):
        return connect_first_agent(request)
    if sources.vendors and not (sources.sessions or answers.page.tab):
        return redirect(AI_PAGE.at("vendors").url(answers.filters))
    return None


def _more(_request: HttpRequest, opened: OpenTab) -> dict[str, Any]:
    answers, tab = opened.answers, opened.answers.page.tab
    active = int(answers.figure("ai.active_by_any_source" if tab == "vendors" else "ai.active_developers").value or 0)
    return {
        "active_developers": wording.count(active, "active developer"),
        "unmatched": "" if tab else _unmatched_sentence(answers.filters, answers),
    }


def _verdict(answers: Answers) -> presenter.Verdict | None:
    """A sentence on adoption, agents' share of the code, and its cost; None if agents do not report."""
    active, rate = answers.figure("ai.active_developers"), answers.figure(answers.filters.metric(OUT_OF))
    if active.value is None or not rate.denominator:
        return None
    group = {"licensed": "developers with a seat", "everybody": "developers"}
    out_of = group.get(answers.filters.picked[OUT_OF.parameter], "enrolled developers")
    share, cost = presenter.tile(Tile(CODE_OF), answers), answers.tile("ai.spend")
    more = presenter.moved(answers, "ai.active_developers")
    code = f", and agents wrote {share.value}{share.unit} of the committed code" if share.value is not None else ""
    spent = f"Agents cost {cost.value}{presenter.moved(answers, 'ai.spend')}." if cost.value is not None else ""
    return presenter.Verdict(f"{active.value:,.0f} of {rate.denominator:,.0f} {out_of} use agents{more}{code}.", spent)


def _unmatched_sentence(filters: Filters, answers: Answers) -> str:
    """The shares of commits, sessions and spend that are not matched; empty if all are, or for a part of the
    organisation.
    """
    if filters.scope != Scope() or filters.facets:
        return ""
    commits = answers.answer(answers.filters.metric(CODE_OF)).unmatched or 0
    sessions = answers.answer("ai.sessions").unmatched or 0
    spend = answers.figure("ai.spend").value or 0
    nobodys = visible_unmatched(filters.query("ai.spend"), filters.access) if sessions else 0.0
    shares = [(commits, 1, "commits"), (sessions, 1, "sessions"), (nobodys, spend, "spend")]
    parts = [f"{wording.percent_of(part, whole)} of {what}" for part, whole, what in shares if part and whole]
    if not parts:
        return ""
    return f"Not matched to a person: {wording.listed(parts)}. They count only at organisation level."


def _adoption_card(answers: Answers, card: Card) -> presenter.TemplateCard:
    return presenter.tile_card(_adoption_tile(answers), 3, "adoption")


def _adoption_tile(answers: Answers) -> tiles.Tile:
    """The number of active developers out of all who could be active."""
    rate, out_of = answers.figure(answers.filters.metric(OUT_OF)), answers.filters.picked[OUT_OF.parameter]
    group = {"licensed": "with a seat", "everybody": "developers"}.get(out_of, "enrolled")
    percent = "" if rate.value is None else f"{wording.reading(rate.value, 'percent')} "
    made = presenter.tile(Tile("ai.active_developers", sample_of=OUT_OF), answers)
    if made.value is None:
        return replace(made, label="Adoption")
    unit = f"/ {rate.denominator:,.0f} {group}" if rate.denominator else made.unit
    return replace(made, label="Adoption", unit=unit, sample=f"{percent}{made.sample}")


def _hides(section: Section, answers: Answers) -> bool:
    """Whether the section compares lines of pull requests and work items, and has no data on either."""
    return section == COMPARED and not any(lines.figures_of(answers, key) for key in WORK_COMPARED)


def _spend_by_repository(filters: Filters) -> dict[str, Any]:
    unfaceted = filters.without_facets()
    answers = SPEND_PAGE.read(unfaceted, BY_REPOSITORY)
    return {
        "title": "Repositories by spend",
        "repositories": repository_lines(answers, unfaceted)[:REPOSITORIES_LISTED],
        "hidden": hidden_repositories(answers),
        "all_url": unfaceted.url(reverse("ai_costs")),
    }


def _fate(filters: Filters) -> dict[str, Any]:
    shown = presenter.parts([COSTS], SPEND_PAGE)["fate"](filters)
    return {**shown, "note": impact.lines_left_out(filters.without_facets())}


def _failing_tools(filters: Filters) -> dict[str, Any]:
    """The table, with what else is known about failures: refused calls, and a tool that makes up many of them."""
    table = presenter.parts([USAGE], USAGE_PAGE)["failing_tools"](filters)
    answers = USAGE_PAGE.read(filters, FAILURES)
    refusals = int(answers.figure("ai.tool_refusals").value or 0)
    refused = (
        f"{wording.count(refusals, 'call')} refused by the person {'is' if refusals == 1 else 'are'} not included:"
    )
    note = " ".join(filter(None, (table["note"], f"{refused} a refusal is not a failure." if refusals else "")))
    failed = {name: figure.numerator or 0 for name, figure in answers.split("ai.error_rate", Dimension.TOOL).items()}
    tool, failures = max(failed, key=lambda name: failed[name], default=""), sum(failed.values())
    if not failures:
        return {**table, "note": note}
    share = failed[tool] / failures
    printed = {"of_failures": f"{share:.0%}", "tool": tool}
    return {
        **table,
        "note": note,
        "hints": answers.hints("ai.error_rate", given={"share_of_tool": share}, printed=printed),
    }


AI = TabbedPage(
    AI_PAGE,
    "insights/ai.html",
    AI_COLUMNS,
    own=Additions(
        cards={
            "adoption_tile": OwnCard(_adoption_card),
            "total_spend": OwnCard(spend.total_card, spend.queries),
            "spend_outcome": OwnCard(part=spend.outcome_part),
            "seats": OwnCard(spend.seats_card),
            "spend_budgets": OwnCard(spend.budgets_card, part=spend.budgets_part),
            "spend_by_repository": OwnCard(part=_spend_by_repository),
            "fate": OwnCard(part=_fate),
            "adoption_effect": OwnCard(part=effect.effect_part, table=effect.effect_table),
            "cohorts": OwnCard(table=effect.cohorts_table),
            "lines_by_agent": OwnCard(
                impact.lines_by_agent_card, lambda _filters: impact.QUERIES, table=impact.lines_table
            ),
            "committed_share": OwnCard(impact.committed_share_card),
            "phases": OwnCard(impact.phases_card, impact.phase_queries, table=impact.phases_table),
            "failing_tools": OwnCard(part=_failing_tools),
            "leaderboard": OwnCard(part=leaderboard.leaderboard_rows),
        },
        samples=spend.SAMPLES,
        hides=_hides,
    ),
    head=HEAD,
    own_choices=(COST,),
    verdict=_verdict,
    more=_more,
    instead=_instead,
)
