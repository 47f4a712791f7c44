"""The tools of most failed calls, on the tab Usage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.csv_export import Cell
from insights.pages.ai.tabs import USAGE_PAGE
from insights.pages.answers import Answers, PageQuery
from insights.pages.drawing import NAMELESS, rows_of_part
from insights.query.query import Dimension, MetricValue
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.hints import Hint

TOOLS_LISTED = 8
FAILING_TOOLS_QUERIES = (
    PageQuery("ai.error_rate"),
    PageQuery("ai.error_rate", Dimension.TOOL, whole=True),
    PageQuery("ai.tool_refusals"),
)


def part(filters: Filters) -> dict[str, Any]:
    """The context of insights/_part_failing_tools.html."""
    answers = USAGE_PAGE.read(filters, FAILING_TOOLS_QUERIES)
    refusals = answers.figure("ai.tool_refusals").value
    refused = f"{wording.count(int(refusals or 0), 'call')} refused by the person {'is' if refusals == 1 else 'are'}"
    note = f"{refused} not included: a refusal is not a failure." if refusals else ""
    return {"title": "Top failing tools", "rows": _failing_tools(answers), "note": note, "hints": _hints(answers)}


def table(filters: Filters) -> Iterator[list[Cell]]:
    """The same as CSV, with every tool that failed."""
    answers = USAGE_PAGE.read(filters, [PageQuery("ai.error_rate", Dimension.TOOL, whole=True)])
    yield ["Tool", "Failed", "Calls", "Error rate (percent)"]
    for tool, figure in failing_tools(answers):
        yield [tool, figure.numerator, figure.denominator, figure.value]


def _hints(answers: Answers) -> list[Hint]:
    """Whether one tool makes up much of the failures."""
    failing, failures = failing_tools(answers), answers.figure("ai.error_rate").numerator
    if not failing or not failures:
        return []
    tool, worst = failing[0]
    share = (worst.numerator or 0) / failures
    return answers.hints(
        "ai.error_rate", given={"share_of_tool": share}, printed={"of_failures": f"{share:.0%}", "tool": tool}
    )


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
