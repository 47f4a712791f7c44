"""Parts that load after the page: menus, and whatever is slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from insights.pages.ai import impact, spend, usage
from insights.pages.ai.answers import AI_PAGE
from insights.pages.ai.costs import repositories as costs
from insights.pages.ai.differences import differences
from insights.pages.ai.effect import effect_part
from insights.pages.ai.leaderboard import leaderboard_rows
from insights.pages.drawing import rows_of_part
from insights.query.query import Dimension
from insights.ui.filters import Filters
from insights.ui.offers import sections_of, spend_budgets


def spend_outcome(filters: Filters) -> dict[str, Any]:
    answers = AI_PAGE.read(filters, [spend.BY_OUTCOME])
    shares = spend.outcome_shares(answers)
    linked = [(share, rows_of_part(filters, "ai.spend", Dimension.OUTCOME, share.key)) for share in shares]
    return {"title": "Spend by outcome", "shares": shares, "linked_shares": linked}


def failing_tools(filters: Filters) -> dict[str, Any]:
    answers = AI_PAGE.read(filters, usage.FAILING_TOOLS_QUERIES)
    card = usage.failing_tools_card(answers)
    named = [tool or "unknown" for tool, _ in usage.failing_tools(answers)]
    failed, called = (
        [rows_of_part(filters, key, Dimension.TOOL, tool) for tool in named]
        for key in ("ai.tool_failures", "ai.error_rate")
    )
    return {
        "title": "Top failing tools",
        "tools": card,
        "linked_rows": list(zip(card["rows"], failed, called, strict=False)),
    }


def impact_differences(filters: Filters) -> dict[str, Any]:
    shown = differences(filters)
    return {"title": f"{shown['line']} vs. Non-AI", "differences": shown}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "spend_outcome": spend_outcome,
    "spend_budgets": lambda filters: {"title": "Budgets", "found": sections_of(spend_budgets, filters)},
    "money": lambda filters: {"title": "Where the money goes", "money": costs.money(filters)},
    "failing_tools": failing_tools,
    "compared": lambda filters: {"title": "With and without an agent", "compared": impact.compared_work(filters)},
    "differences": impact_differences,
    "adoption_effect": lambda filters: {"title": "Before and after adoption", "effect": effect_part(filters)},
    "leaderboard": leaderboard_rows,
}
