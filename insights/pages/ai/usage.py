"""Usage: how well the tooling is set up."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from insights.pages.ai import explanations
from insights.pages.ai.answers import USAGE_PAGE
from insights.pages.ai.explanations import Hint
from insights.pages.answers import Answers, PageQuery, compared, how_url, rows_url
from insights.pages.drawing import NAMELESS, Chart, rows_of_part
from insights.query.query import Dimension, MetricValue
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.tiles import Tile

TOOLS_LISTED = 8
TOKENS_BY_KIND = Chart(
    "tokens_by_kind",
    "ai.tokens",
    "Tokens by kind",
    "stacked_bar",
    span=6,
    by=Dimension.TOKEN_KIND,
    amount_of="ai.tokens",
    counted="sessions",
)

QUERIES = (
    *compared("ai.cache_hit_rate", "ai.error_rate", "ai.tokens", "ai.ship_rate", "ai.enabled_repositories"),
    PageQuery("ai.ship_rate_left_out", whole=True),
    PageQuery("ai.tokens_in_both_channels", whole=True),
)
FAILING_TOOLS_QUERIES = (
    PageQuery("ai.error_rate"),
    PageQuery("ai.error_rate", Dimension.TOOL, whole=True),
    PageQuery("ai.tool_refusals"),
)


def section(answers: Answers) -> dict[str, Any]:
    return {
        "key": "usage",
        "title": "Usage",
        "lede": "How well agents work with the tools",
        "tiles": _tiles(answers),
        "charts": [TOKENS_BY_KIND.card(answers)],
        "part_url": answers.part_url("failing_tools"),
        "part_csv_url": answers.filters.url(reverse("ai_chart_csv", args=["failing_tools"])),
        "hints": hints(answers),
    }


def hints(answers: Answers) -> list[Hint]:
    url = how_url(answers.filters, "ai.cache_hit_rate")
    return explanations.shown_hints(explanations.cold_cache(answers.figure("ai.cache_hit_rate"), url=url))


def failing_tools_card(filters: Filters) -> dict[str, Any]:
    answers = USAGE_PAGE.read(filters, FAILING_TOOLS_QUERIES)
    hint = explanations.one_tool_fails(
        answers.figure("ai.error_rate"),
        answers.split("ai.error_rate", Dimension.TOOL),
        url=rows_url(answers.filters, "ai.tool_failures"),
    )
    refusals = answers.figure("ai.tool_refusals").value
    refused = f"{wording.count(int(refusals or 0), 'call')} refused by the person {'is' if refusals == 1 else 'are'}"
    note = f"{refused} not included: a refusal is not a failure." if refusals else ""
    return {"rows": _failing_tools(answers), "note": note, "hints": explanations.shown_hints(hint)}


def _failing_tools(answers: Answers) -> list[dict[str, Any]]:
    """The tools of most failures, with the URLs of the rows behind their failures and their calls."""
    failing = failing_tools(answers)
    most = (failing[0][1].numerator or 1) if failing else 1
    return [
        {
            "failures_url": rows_of_part(answers.filters, "ai.tool_failures", Dimension.TOOL, tool or NAMELESS),
            "calls_url": rows_of_part(answers.filters, "ai.error_rate", Dimension.TOOL, tool or NAMELESS),
            "tool": tool or "Unnamed tool",
            "calls": f"{figure.denominator or 0:,.0f}",
            "failures": f"{figure.numerator or 0:,.0f}",
            "percent": str(wording.reading(figure.value or 0, "percent")),
            "fraction": (figure.numerator or 0) / most,
        }
        for tool, figure in failing[:TOOLS_LISTED]
    ]


def failing_tools(answers: Answers) -> list[tuple[str, MetricValue]]:
    """Tools with failed calls, the most failures first."""
    by_tool = answers.split("ai.error_rate", Dimension.TOOL)
    failing = [(tool, figure) for tool, figure in by_tool.items() if figure.numerator]
    return sorted(failing, key=lambda item: (-(item[1].numerator or 0), item[0]))


def _tiles(answers: Answers) -> list[Tile]:
    cache, errors = answers.figure("ai.cache_hit_rate"), answers.figure("ai.error_rate")
    generated, enabled = answers.figure("ai.ship_rate").denominator, answers.figure("ai.enabled_repositories")
    left_out = answers.figure("ai.ship_rate_left_out").value
    both = answers.figure("ai.tokens_in_both_channels").value
    repositories = wording.count(int(enabled.denominator or 0), "repository", "repositories")
    return [
        answers.tile(
            "ai.cache_hit_rate",
            label="Prompt cache hit",
            sample=f"of {wording.compact(cache.denominator or 0)} prompt tokens",
        ),
        answers.tile(
            "ai.error_rate",
            label="Error rate",
            sample=f"{wording.compact(errors.numerator or 0)} of {wording.compact(errors.denominator or 0)} tool calls",
        ),
        answers.tile(
            "ai.tokens",
            label="Tokens used",
            unit="",
            sample=f"in {wording.compact(answers.figure('ai.tokens').sample_size)} sessions",
            note=f"{wording.percent_of(100 - both, 100)} in one of events and metrics alone"
            if both is not None
            else "",
        ),
        answers.tile(
            "ai.ship_rate",
            sample=f"of {wording.compact(generated or 0)} lines generated",
            note=f"{wording.percent_of(left_out, 100)} left out: outcome unknown" if left_out else "",
        ),
        answers.tile(
            "ai.enabled_repositories",
            label="AI-enabled repositories",
            sample=f"{enabled.numerator or 0:,.0f} of {repositories}",
        ),
    ]
