"""The figures behind each chart of the page, as JSON for the canvas and as CSV for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from core.csv_export import Cell
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages import presenter
from insights.pages.ai import adoption, impact, lines, spend, usage
from insights.pages.ai.answers import AI_PAGE
from insights.pages.ai.differences import differences_table
from insights.pages.ai.effect import cohorts_table, effect_table
from insights.pages.answers import PageQuery
from insights.pages.compared import line_name
from insights.query.query import Dimension
from insights.ui.charts import ChartData
from insights.ui.filters import Filters

SECTIONS = (adoption.ADOPTION, usage.USAGE, impact.IMPACT, spend.SPEND)

CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    **presenter.charts(SECTIONS, AI_PAGE),
    **{compared.chart: partial(lines.chart, key=compared.key) for compared in lines.COMPARED.values()},
}

# The same charts with their slower parts: fetched once the chart is drawn, and always in the CSV.
COMPLETE = {compared.chart: f"{compared.chart}{lines.WITH_BANDS}" for compared in lines.COMPARED.values()}
COMPLETE_CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    COMPLETE[compared.chart]: partial(lines.chart_with_bands, key=compared.key) for compared in lines.COMPARED.values()
}


def failing_tools_table(filters: Filters) -> Iterator[list[Cell]]:
    """The table of failing tools, with every tool that failed."""
    answers = AI_PAGE.read(filters, [PageQuery("ai.error_rate", Dimension.TOOL, whole=True)])
    yield ["Tool", "Failed", "Calls", "Error rate (percent)"]
    for tool, figure in usage.failing_tools(answers):
        yield [tool, figure.numerator, figure.denominator, figure.value]


def lines_table(filters: Filters) -> Iterator[list[Cell]]:
    """Lines by agent, committed and generated, one row per agent."""
    keys = ("ai.lines_committed", "ai.lines_generated")
    answers = AI_PAGE.read(filters, [PageQuery(key, Dimension.AGENT) for key in keys])
    committed, generated = (answers.split(key, Dimension.AGENT) for key in keys)
    yield ["Agent", "Committed (lines)", "By line-level evidence alone (lines)", "Generated (lines)"]
    for agent in in_agent_order({*committed, *generated}):
        shipped, written = committed.get(agent), generated.get(agent)
        yield [
            agent_name(agent),
            shipped.value if shipped else None,
            shipped.low if shipped else None,
            written.value if written else None,
        ]


def phases_table(filters: Filters) -> Iterator[list[Cell]]:
    """The means of the phases by line, with the number of pull requests behind them."""
    narrowed = lines.of_work(filters)
    answers = AI_PAGE.read(narrowed, (*lines.queries(narrowed), *impact.phase_queries()))
    yield ["Line", *(f"{label} (mean seconds)" for _, label in impact.PHASES.values()), "PRs", "PRs excluded"]
    for line, means, known, left_out in impact.means_of_lines(answers):
        yield [line_name(line), *means, known, left_out]


TABLES: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = {
    "adoption_effect": effect_table,
    "cohorts": cohorts_table,
    "differences": differences_table,
    "failing_tools": failing_tools_table,
    "lines_by_agent": lines_table,
    "phases": phases_table,
}
