"""Spend: the cost of tokens, by agent and model, and by outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.urls import reverse

from insights.catalogue.agents import AGENT_NAMES, in_agent_order
from insights.pages.ai import explanations
from insights.pages.ai.answers import SPEND_PAGE
from insights.pages.ai.explanations import Hint
from insights.pages.answers import Answers, PageQuery, compared, how_url, rows_url
from insights.pages.drawing import SHARES_LISTED, WORK_TYPES, Chart, Share, shares
from insights.query.query import Dimension, MetricValue
from insights.ui import wording
from insights.ui.filters import Choice
from insights.ui.tiles import Link, Tile

TREND = Choice("trend", {"agent": "Agents", "model": "Models", "work_type": "Work"})
TREND_CHART = Chart(
    "spend_trend",
    "ai.spend",
    "Spend over time",
    "stacked_bar",
    span=8,
    by=TREND,
    amount_of="ai.spend",
    counted="sessions",
)
BREAKDOWN = Choice(
    "breakdown", {"agent": "Agents", "repository": "Repositories", "model": "Models", "work_type": "Work"}
)
PART = Choice(
    "part",
    {
        "skill": "Skill",
        "sub_agent": "Sub-agent",
        "plugin": "Plugin",
        "mcp_server": "MCP server",
        "effort": "Effort",
        "query_source": "Query source",
        "provider": "Provider",
    },
)
PROVIDERS = {"direct": "Direct", "bedrock": "Bedrock", "vertex": "Vertex", "azure": "Azure", "gateway": "Gateway"}
REPOSITORIES_LISTED = 10
COST = Choice("cost", {"tokens": "Tokens", "seats": "With seats"})
SAME_MONEY = 0.005  # half a cent is a matter of rounding
OUTCOMES = {"committed": "Committed", "wasted": "Wasted", "pending": "Pending", "unknown": "Unknown"}

QUERIES = (
    *compared("ai.spend", "ai.spend_per_developer", "ai.spend_per_commit", "ai.spend_committed", "ai.spend_wasted"),
    *compared("ai.committed_code_share", "ai.reported_cost", "ai.tokens"),
    PageQuery("ai.cost_difference", whole=True),
    PageQuery("ai.unpriced_tokens", whole=True),
)
BY_OUTCOME = PageQuery("ai.spend", Dimension.OUTCOME, whole=True)
SEATS_QUERIES = (PageQuery("ai.seat_cost", compared=True), PageQuery("ai.idle_seats", whole=True))


def queries(*, has_seats: bool) -> tuple[PageQuery, ...]:
    return (*QUERIES, *SEATS_QUERIES) if has_seats else QUERIES


def section(answers: Answers, *, has_seats: bool) -> dict[str, Any]:
    seats = answers.figure("ai.seat_cost") if has_seats else None  # a fixed cost in addition to tokens
    return {
        "key": "spend",
        "title": "Spend",
        "lede": "What agents cost at list prices",
        "total": total_tile(answers, has_seats=has_seats),
        "costs": answers.pickers(COST) if has_seats else (),
        "seats": f"Seats cost {wording.money(seats.value)} in these days." if seats and seats.value is not None else "",
        "seats_link": _idle(answers) if has_seats else None,
        "part_url": answers.part_url("spend_outcome"),
        "budgets_url": answers.part_url("spend_budgets"),
        "tiles": _tiles(answers),
        "charts": [TREND_CHART.card(answers)],
        "parts": answers.card(
            "spend_parts",
            "ai.spend_by_part",
            title="Spend by part",
            kind="donut",
            span=12,
            missing=_missing(answers),
            pickers=answers.pickers(PART),
            caveat="Where telemetry names the part that a request belongs to.",
        ),
        "donut": answers.card(
            "spend_breakdown",
            "ai.spend",
            title="Spend breakdown",
            kind="donut",
            span=4,
            missing=_missing(answers),
            pickers=answers.pickers(BREAKDOWN),
        ),
        "hints": hints(answers),
        "links": [Link("What if: the same tokens on other models", answers.filters.url(reverse("ai_prices")))],
    }


def total_tile(answers: Answers, *, has_seats: bool) -> Tile:
    """The cost of tokens; with seats if picked."""
    note = _unpriced_note(answers)
    sample = f"{wording.compact(answers.figure('ai.spend').sample_size)} sessions"
    tile = answers.tile("ai.spend", label="Total agent spend", sample=sample, note=note)
    seats = answers.figure("ai.seat_cost") if has_seats else None
    if seats is None or answers.filters.picked[COST.parameter] == COST.default or tile.state == "hidden":
        return tile
    if seats.value is None:
        return replace(tile, note=f"seats: {seats.reason or 'no data'}")
    spent = answers.figure("ai.spend").value or 0
    words = f"{wording.money(seats.value)} of it for seats"
    return replace(
        tile,
        label="Total agent cost",
        value=wording.money(spent + seats.value),
        change=None,
        state="value",
        note=", ".join(filter(None, (words, note))),
    )


def _idle(answers: Answers) -> Link | None:
    """The link to developers with an unused seat, as far as the policy shows them."""
    idle = answers.figure("ai.idle_seats")
    if not idle.denominator or idle.value is None:
        return None
    label = f"{idle.value:,.0f} of {wording.count(int(idle.denominator), 'developer')} with a seat did not use it"
    return Link(label, rows_url(answers.filters, "ai.idle_seats"))


def outcome_shares(answers: Answers) -> list[Share]:
    """Spend by outcome, in the order of OUTCOMES."""
    known = answers.split("ai.spend", Dimension.OUTCOME)
    in_order = {name: known[name] for name in OUTCOMES if name in known}
    return shares(in_order, "currency", role="outcome", labels=OUTCOMES)


def _tiles(answers: Answers) -> list[Tile]:
    active = answers.figure("ai.spend_per_developer").denominator or 0
    commits = answers.figure("ai.spend_per_commit").denominator
    with_lines = wording.count(int(commits), "commit") + " with AI lines" if commits else ""
    note = _unpriced_note(answers)
    return [
        answers.tile(
            "ai.spend_per_developer",
            label="Spend per developer",
            sample=wording.count(int(active), "active developer"),
            note=note,
        ),
        answers.tile("ai.spend_per_commit", label="Spend per AI commit", sample=with_lines, note=note),
        answers.tile("ai.spend_wasted", label="Spend wasted", sample=_wasted_share(answers), note=note),
        answers.tile("ai.reported_cost", label="Reported by agents", sample=_gap(answers)),
    ]


def _wasted_share(answers: Answers) -> str:
    """The wasted share of spend with a known outcome, which excludes pending and unknown."""
    wasted, committed = answers.figure("ai.spend_wasted").value, answers.figure("ai.spend_committed").value
    known = (wasted or 0) + (committed or 0)
    return (
        f"{wording.percent_of(wasted or 0, known)} of the {wording.money(known)} with a known outcome" if known else ""
    )


def _gap(answers: Answers) -> str:
    """The difference between the agents' reported cost and ours, over requests that both price."""
    difference = answers.figure("ai.cost_difference")
    gap, ours = difference.value, difference.denominator
    if gap is None or not ours:
        return ""
    if abs(gap) < SAME_MONEY:
        return "matches the price book"
    return (
        f"{wording.money(abs(gap))}, {wording.percent_of(abs(gap), ours)} {'more' if gap > 0 else 'less'} than "
        "the price book"
    )


def _unpriced_note(answers: Answers) -> str:
    """The note that a total lacks tokens without a price."""
    unpriced = answers.figure("ai.unpriced_tokens").value
    return f"excludes {wording.compact(unpriced)} tokens without a price" if unpriced else ""


def breakdown_shares(answers: Answers) -> list[Share]:
    """Spend by agent in the agents' order, or by repository, model or work, highest first."""
    dimension = Dimension(answers.filters.picked[BREAKDOWN.parameter])
    figures = answers.split("ai.spend", dimension)
    if dimension is Dimension.AGENT:
        ordered = {agent: figures[agent] for agent in in_agent_order(figures)}
        return shares(ordered, "currency", role="agent", labels=AGENT_NAMES, rest="Other agents")
    labels, rest = {
        Dimension.MODEL: ({}, "Other models"),
        Dimension.REPOSITORY: ({"unknown": "Unknown repository"}, "Other repositories"),
        Dimension.WORK_TYPE: (WORK_TYPES, "Other work"),
    }[dimension]
    most = REPOSITORIES_LISTED + 1 if dimension is Dimension.REPOSITORY else SHARES_LISTED
    return shares(figures, "currency", role="sequence", labels=labels, rest=rest, most=most)


def part_shares(answers: Answers) -> list[Share]:
    """Spend by the picked part, highest first; what telemetry does not say is a segment."""
    dimension = Dimension(answers.filters.picked[PART.parameter])
    labels = {"unknown": "Not said", **(PROVIDERS if dimension is Dimension.PROVIDER else {})}
    return shares(
        answers.split("ai.spend_by_part", dimension), "currency", role="sequence", labels=labels, rest="Other parts"
    )


def _missing(answers: Answers) -> MetricValue | None:
    spend = answers.figure("ai.spend")
    return spend if not spend.value else None


def hints(answers: Answers) -> list[Hint]:
    by_model = answers.filters.with_pick(TREND, "model").with_pick(BREAKDOWN, "model")
    return explanations.shown_hints(
        explanations.spend_rises_without_use(
            answers.figure("ai.spend"),
            answers.figure_before("ai.spend"),
            answers.figure("ai.sessions"),
            answers.figure_before("ai.sessions"),
            url=SPEND_PAGE.url(by_model),
        ),
        explanations.high_wastage(
            answers.figure("ai.spend_committed"), answers.figure("ai.spend_wasted"), url=reverse("ai_repositories")
        ),
        explanations.commits_grow_dearer(
            answers.figure("ai.spend_per_commit"),
            answers.figure_before("ai.spend_per_commit"),
            answers.figure("ai.committed_code_share"),
            answers.figure_before("ai.committed_code_share"),
            url=how_url(answers.filters, "ai.spend_per_commit"),
        ),
        explanations.tokens_without_a_price(
            answers.figure("ai.unpriced_tokens").value or 0,
            answers.figure("ai.tokens").value,
            url=rows_url(answers.filters, "ai.unpriced_tokens"),
        ),
    )
