"""The figures behind each chart of the page, as JSON for the canvas and as CSV for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from core.csv_export import Cell
from insights.catalogue.agents import agent_name, in_agent_order
from insights.pages.ai import adoption, impact, lines, spend, usage
from insights.pages.ai.answers import AI_PAGE
from insights.pages.ai.differences import differences_table
from insights.pages.ai.effect import cohorts_table, effect_table
from insights.pages.answers import Answers, PageQuery
from insights.pages.drawing import Share, donut, drill, over_time, values_of
from insights.query.query import Answer, Dimension
from insights.ui import wording
from insights.ui.charts import ChartData, Dataset
from insights.ui.filters import Filters


def adoption_donut(filters: Filters) -> ChartData:
    answers = AI_PAGE.read(filters, [PageQuery(adoption.rate_key(filters))])
    rate = answers.figure(adoption.rate_key(filters))
    centre = (
        f"{rate.numerator or 0:,.0f}/{rate.denominator or 0:,.0f}",
        str(wording.reading(rate.value or 0, "percent")),
    )
    return donut(adoption.donut_parts(answers), unit="count", centre=centre)


def active_share(filters: Filters) -> ChartData:
    answers = AI_PAGE.read(filters, [PageQuery("ai.active_share")])
    answer = answers.answer("ai.active_share")
    return over_time("area", answer, [_share(answer, "Active users", "active", "active developers", "enrolled")])


def committed_code(filters: Filters) -> ChartData:
    dimension = Dimension(filters.picked[adoption.CODE.parameter])
    answers = AI_PAGE.read(filters, [PageQuery("ai.lines_committed", dimension)])
    parts, left_out = adoption.code_parts(answers), answers.left_out("ai.lines_committed", dimension)
    centre = (wording.compact(sum(part.value for part in parts)), _shown("lines", left_out))
    return donut(parts, unit="lines", centre=centre, left_out=left_out)


def committed_share(filters: Filters) -> ChartData:
    answers = AI_PAGE.read(filters, [PageQuery(adoption.share_key(filters))])
    answer = answers.answer(adoption.share_key(filters))
    return over_time("area", answer, [_share(answer, "AI share", "committed_share", "AI lines", "lines")])


def spend_breakdown(filters: Filters) -> ChartData:
    dimension = Dimension(filters.picked[spend.BREAKDOWN.parameter])
    return _spend_donut(filters, "ai.spend", dimension, spend.breakdown_shares)


def spend_parts(filters: Filters) -> ChartData:
    return _spend_donut(filters, "ai.spend_by_part", Dimension(filters.picked[spend.PART.parameter]), spend.part_shares)


def _spend_donut(
    filters: Filters, key: str, dimension: Dimension, parts_of: Callable[[Answers], list[Share]]
) -> ChartData:
    answers = AI_PAGE.read(filters, [PageQuery(key, dimension, whole=True)])
    parts, left_out = parts_of(answers), answers.left_out(key, dimension)
    centre = (wording.money(sum(part.value for part in parts)), _shown(filters.span, left_out))
    return donut(parts, unit="currency", centre=centre, left_out=left_out)


def _share(answer: Answer, label: str, key: str, part: str, whole: str) -> Dataset:
    """A share over time, with both sides of each quotient."""
    shown = [None if figure.withheld else figure for figure in answer.series]
    counts = {
        part: [figure.numerator if figure else None for figure in shown],
        whole: [figure.denominator if figure else None for figure in shown],
    }
    return Dataset(label, key, "single", values_of(answer.series), counts)


CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    "adoption": adoption_donut,
    "active_share": active_share,
    **{
        chart.name: partial(chart.draw, AI_PAGE)
        for chart in (adoption.ACTIVE_BY_AGENT, spend.TREND_CHART, usage.TOKENS_BY_KIND)
    },
    "committed_code": committed_code,
    "committed_share": committed_share,
    **{compared.chart: partial(lines.chart, key=compared.key) for compared in lines.COMPARED.values()},
    "spend_breakdown": spend_breakdown,
    "spend_parts": spend_parts,
}


# The same charts with their slower parts: fetched once the chart is drawn, and always in the CSV.
COMPLETE = {compared.chart: f"{compared.chart}{lines.WITH_BANDS}" for compared in lines.COMPARED.values()}
COMPLETE_CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    COMPLETE[compared.chart]: partial(lines.chart_with_bands, key=compared.key) for compared in lines.COMPARED.values()
}


def rows_of_parts(name: str, filters: Filters, drawn: ChartData) -> Mapping[str, Any]:
    """The URLs of the rows behind each part of the chart."""
    parts = {
        "adoption": (adoption.rate_key(filters), None),
        "committed_code": ("ai.lines_committed", Dimension(filters.picked[adoption.CODE.parameter])),
        "spend_breakdown": ("ai.spend", Dimension(filters.picked[spend.BREAKDOWN.parameter])),
        "spend_parts": ("ai.spend_by_part", Dimension(filters.picked[spend.PART.parameter])),
    }
    return drill(filters, drawn, *parts.get(name, ("", None)))


def failing_tools_table(filters: Filters) -> Iterator[list[Cell]]:
    """The table of failing tools, with every tool that failed."""
    answers = AI_PAGE.read(filters, [PageQuery("ai.error_rate", Dimension.TOOL, whole=True)])
    yield ["Tool", "Failed", "Calls", "Error rate (percent)"]
    for tool, figure in usage.failing_tools(answers):
        yield [tool, figure.numerator, figure.denominator, figure.value]


def lines_table(filters: Filters) -> Iterator[list[Cell]]:
    """Lines by agent, committed and generated, each agent on a line of its own."""
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
    yield ["Line", *(f"{label} (mean seconds)" for _, label in impact.PHASES.values()), "PRs", "PRs left out"]
    for line, means, known, left_out in impact.means_of_lines(answers):
        yield [lines.line_name(line), *means, known, left_out]


TABLES: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = {
    "adoption_effect": effect_table,
    "cohorts": cohorts_table,
    "differences": differences_table,
    "failing_tools": failing_tools_table,
    "lines_by_agent": lines_table,
    "phases": phases_table,
}


def _shown(note: str, left_out: int) -> str:
    """The caption of a donut's sum, which is no total where segments are hidden."""
    return "in what is shown" if left_out else note
