"""Spend: the total, with seats, by outcome, and compared with what agents report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from insights.pages.ai.tabs import COST, SPEND_PAGE
from insights.pages.answers import Answers, PageQuery, compared, rows_url
from insights.pages.drawing import Share, rows_of_part, shares
from insights.pages.presenter import OwnSample, TemplateCard
from insights.query.query import Dimension, Statistic
from insights.ui import tiles, wording
from insights.ui.cards import Card
from insights.ui.filters import Filters
from insights.ui.labels import LABELS
from insights.ui.offers import sections_of, spend_budgets
from insights.ui.tiles import Link, Tile
from integrations.facts.counts import available_sources

SAME_MONEY = 0.005  # half a cent is only rounding
OUTCOMES = LABELS[Dimension.OUTCOME]
BY_OUTCOME = PageQuery("ai.spend", Dimension.OUTCOME, whole=True)
PER_PULL_REQUEST = "ai.spend_per_merged_pr"
IDLE = "ai.idle_seats"
MEDIAN, P90 = (
    PageQuery(PER_PULL_REQUEST, statistic=statistic, whole=True) for statistic in (Statistic.MEDIAN, Statistic.P90)
)


def queries(_filters: Filters) -> Sequence[PageQuery]:
    """The queries about seats, a fixed cost in addition to tokens; seats reported by vendors have no price, and may be
    idle.
    """
    sources = available_sources()
    cost = (PageQuery("ai.seat_cost", compared=True),) if sources.seats else ()
    return (*cost, PageQuery(IDLE, whole=True)) if sources.seats or sources.vendors else cost


def total_card(answers: Answers, card: Card) -> TemplateCard:
    """The total spend; its outcome loads later."""
    own = {"tile": total_tile(answers), "part_url": answers.part_url("spend_outcome")}
    return TemplateCard("total-spend", "insights/_total_spend.html", own, getattr(card, "span", 6))


def seats_card(answers: Answers, card: Card) -> TemplateCard | None:
    """The card that says whether seats count, and how many are unused; None without seats."""
    seats = answers.figure_if_read("ai.seat_cost")
    idle = _idle(answers)
    if seats is None and idle is None:
        return None
    words = "" if seats is None or seats.value is None else f"Seats: {wording.money(seats.value)} in this period."
    own = {"costs": answers.pickers(COST) if seats else (), "words": words, "idle": idle}
    return TemplateCard("spend-seats", "insights/_seats.html", own)


def budgets_card(answers: Answers, card: Card) -> TemplateCard:
    own = {"part_url": answers.part_url("spend_budgets")}
    return TemplateCard("spend-budgets", "insights/_budgets.html", own)


def budgets_part(filters: Filters) -> dict[str, Any]:
    return {"title": "Budgets", "found": sections_of(spend_budgets, filters)}


def total_tile(answers: Answers) -> Tile:
    """The cost of tokens; seats are included if picked."""
    tile = answers.tile("ai.spend")
    seats = answers.figure_if_read("ai.seat_cost")
    if seats is None or answers.filters.picked[COST.parameter] == COST.default or tile.state == "hidden":
        return tile
    if seats.value is None:
        return replace(tile, note=f"seats: {seats.reason or 'no data'}")
    spent = answers.figure("ai.spend").value or 0
    words = f"{wording.money(seats.value)} of it for seats"
    return replace(
        tile,
        label="Spend with seats",
        value=wording.money(spent + seats.value),
        change=None,
        state="value",
        note=", ".join(filter(None, (words, tile.note))),
    )


def _idle(answers: Answers) -> Link | None:
    """The link to developers with an unused seat, as far as the policy names them."""
    idle = answers.figure_if_read(IDLE)
    if idle is None or not idle.denominator or idle.value is None:
        return None
    label = f"{idle.value:,.0f} of {wording.count(int(idle.denominator), 'seat')} unused"
    return Link(label, rows_url(answers.filters, IDLE))


def outcome_shares(answers: Answers) -> list[Share]:
    """Spend by outcome, in the order of OUTCOMES."""
    known = answers.split("ai.spend", Dimension.OUTCOME)
    in_order = {name: known[name].value or 0.0 for name in OUTCOMES if name in known}
    return shares(in_order, "currency", role="outcome", labels=OUTCOMES)


def _wasted_share(answers: Answers) -> str:
    """The wasted share of the spend with a known outcome, which excludes pending and unknown spend."""
    wasted, committed = answers.figure("ai.spend_wasted").value, answers.figure("ai.spend_committed").value
    known = (wasted or 0) + (committed or 0)
    return (
        f"{wording.percent_of(wasted or 0, known)} of the {wording.money(known)} with a known outcome" if known else ""
    )


def _gap(answers: Answers) -> str:
    """The difference between the cost that agents report and ours, over requests that both price."""
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


def _spread(answers: Answers) -> str:
    """Median and P90 next to the mean."""
    median, p90 = (tiles.whole(answers.now[query]).value for query in (MEDIAN, P90))
    if median is None or p90 is None:
        return ""
    pull_requests = wording.count(answers.figure(PER_PULL_REQUEST).sample_size, "PR")
    return f"median {wording.money(median)}, P90 {wording.money(p90)}, {pull_requests}"


SAMPLES = {
    "ai.spend_wasted": OwnSample(_wasted_share, compared("ai.spend_wasted", "ai.spend_committed")),
    "ai.reported_cost": OwnSample(_gap, (PageQuery("ai.cost_difference", whole=True),)),
    PER_PULL_REQUEST: OwnSample(_spread, (MEDIAN, P90)),
}


def outcome_part(filters: Filters) -> dict[str, Any]:
    answers = SPEND_PAGE.read(filters, [BY_OUTCOME])
    parts = outcome_shares(answers)
    linked = [(share, rows_of_part(filters, "ai.spend", Dimension.OUTCOME, share.key)) for share in parts]
    return {"title": "Spend by outcome", "shares": parts, "linked_shares": linked}
