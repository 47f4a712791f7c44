"""Spend: the cost of tokens, by agent and model, and by outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.urls import reverse

from insights.pages import presenter
from insights.pages.answers import Answers, PageQuery, compared, of_rules, of_tiles, rows_url
from insights.pages.drawing import Share, shares
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.cards import Breakdown, Section, Trend
from insights.ui.filters import Choice
from insights.ui.tiles import Link, Tile

TREND = Choice("trend", {"agent": "Agents", "model": "Models", "work_type": "Work"})
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
COST = Choice("cost", {"tokens": "Tokens", "seats": "With seats"})
SAME_MONEY = 0.005  # half a cent is a matter of rounding
HAS_SPEND = ("ai.spend",)
TREND_CHART = Trend(
    "spend_trend", "ai.spend", "Spend over time", "stacked_bar", span=8, by=TREND, needs=HAS_SPEND, counted=True
)
SPEND = Section(
    "spend",
    "Spend",
    "What agents cost at list prices",
    cards=(
        TREND_CHART,
        Breakdown("spend_breakdown", "ai.spend", by=BREAKDOWN, title="Spend breakdown"),
        Breakdown(
            "spend_parts",
            "ai.spend_by_part",
            by=PART,
            span=12,
            caveat="From agent telemetry, where available.",
            needs=HAS_SPEND,
        ),
    ),
    look_for=("ai.spend", "ai.spend_wasted", "ai.spend_per_commit", "ai.unpriced_tokens"),
)
OUTCOMES = {"committed": "Committed", "wasted": "Wasted", "pending": "Pending", "unknown": "Unknown"}

QUERIES = (
    *of_tiles("ai.spend", "ai.spend_per_developer", "ai.spend_per_commit", "ai.spend_committed", "ai.spend_wasted"),
    *compared("ai.committed_code_share", "ai.reported_cost", "ai.tokens"),
    *of_rules(*SPEND.look_for),
    PageQuery("ai.cost_difference", whole=True),
)
BY_OUTCOME = PageQuery("ai.spend", Dimension.OUTCOME, whole=True)
SEATS_QUERIES = (PageQuery("ai.seat_cost", compared=True), PageQuery("ai.idle_seats", whole=True))


def queries(*, has_seats: bool) -> tuple[PageQuery, ...]:
    return (*QUERIES, *SEATS_QUERIES) if has_seats else QUERIES


def section(answers: Answers, *, has_seats: bool) -> dict[str, Any]:
    seats = answers.figure("ai.seat_cost") if has_seats else None  # a fixed cost in addition to tokens
    return {
        **presenter.shown(SPEND, answers),
        "total": total_tile(answers, has_seats=has_seats),
        "costs": answers.pickers(COST) if has_seats else (),
        "seats": f"Seats: {wording.money(seats.value)} in this period." if seats and seats.value is not None else "",
        "seats_link": _idle(answers) if has_seats else None,
        "part_url": answers.part_url("spend_outcome"),
        "budgets_url": answers.part_url("spend_budgets"),
        "tiles": _tiles(answers),
        "links": [Link("Model cost comparison", answers.filters.url(reverse("ai_prices")))],
    }


def total_tile(answers: Answers, *, has_seats: bool) -> Tile:
    """The cost of tokens; with seats if picked."""
    tile = answers.tile("ai.spend", label="Total agent spend")
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
        note=", ".join(filter(None, (words, tile.note))),
    )


def _idle(answers: Answers) -> Link | None:
    """The link to developers with an unused seat, as far as the policy shows them."""
    idle = answers.figure("ai.idle_seats")
    if not idle.denominator or idle.value is None:
        return None
    label = f"{idle.value:,.0f} of {wording.count(int(idle.denominator), 'seat')} unused"
    return Link(label, rows_url(answers.filters, "ai.idle_seats"))


def outcome_shares(answers: Answers) -> list[Share]:
    """Spend by outcome, in the order of OUTCOMES."""
    known = answers.split("ai.spend", Dimension.OUTCOME)
    in_order = {name: known[name] for name in OUTCOMES if name in known}
    return shares(in_order, "currency", role="outcome", labels=OUTCOMES)


def _tiles(answers: Answers) -> list[Tile]:
    return [
        answers.tile("ai.spend_per_developer"),
        answers.tile("ai.spend_per_commit"),
        answers.tile("ai.spend_wasted", sample=_wasted_share(answers)),
        answers.tile("ai.reported_cost", sample=_gap(answers)),
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
