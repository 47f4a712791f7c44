"""Figures of pull requests and work items by line of the comparison: one line per agent, and Non-AI.

The agent filter selects the lines; Non-AI is always drawn, because the others are compared with it.  Confidence bands,
the 95 % interval of each bucket of the picked line and of Non-AI, are read from facts and therefore slow: the chart
loads first without them, then again with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.urls import reverse

from core.page_links import Picker
from insights.catalogue.agents import AGENT_NAMES, in_agent_order
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.margins import STATISTICS_WITH_MARGINS
from insights.formulas.error_margins import ErrorMargin
from insights.pages.ai.answers import AI_PAGE
from insights.pages.answers import Answers, PageQuery, rows_url
from insights.pages.compared import Compared, line_name, marker, value_words
from insights.pages.drawing import counts_of, over_time, series_by_value, values_of
from insights.privacy.visible import visible_error_margins
from insights.query.query import Answer, Dimension, Granularity, MetricValue, Query, Statistic
from insights.ui import tiles, wording
from insights.ui.charts import ChartData, Dataset, Number
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard, Link

LINE = Choice("line", {ANY_AGENT: "Any agent", **AGENT_NAMES})
WORK = Choice("work", {"all": "All work", "feature": "Features", "bug": "Bugs", "other": "Other"})
CYCLE = Choice(
    "cycle",
    {Statistic.MEDIAN: "Median", Statistic.MEAN: "Mean", Statistic.P90: "P90", Statistic.P95: "P95"},
)

MERGED, CYCLE_TIME, DELIVERED = "pr.merged_per_developer", "pr.cycle_time", "work.delivered_per_developer"
LINE_SPLITS = (Dimension.ASSISTANCE, Dimension.AGENT)
LINES_DRAWN = 7  # beside Non-AI


COMPARED = {
    compared.key: compared
    for compared in (
        Compared(CYCLE_TIME, "PR cycle time", chart="cycle_time", facts_key=CYCLE_TIME),
        Compared(MERGED, "PRs merged", chart="merged_per_developer", facts_key="pr.throughput"),
        Compared(DELIVERED, "Work items delivered", "item", chart="delivered", facts_key="work.delivered"),
    )
}

# Pull request outcomes, in the table of differences alone.
FATE = {
    compared.key: compared
    for compared in (
        Compared("ai.pr_fate", "Merge rate"),
        Compared("pr.reopened_rate", "Reopen rate"),
        Compared("pr.review_rounds", "Review rounds"),
        Compared("pr.failed_runs", "Failed runs before the merge"),
        Compared("pr.rewritten_rate", "Lines rewritten within 21 days"),
    )
}


def queries(filters: Filters) -> tuple[PageQuery, ...]:
    """Both splits of each metric for the whole window; charts read their buckets themselves."""
    return tuple(query._replace(whole=True) for key in COMPARED for query in _queries(filters, key))


def of_work(filters: Filters) -> Filters:
    """The filters with the picked type of work as a facet."""
    work = filters.picked[WORK.parameter]
    if work == WORK.default:
        return filters
    return replace(filters, facets={**filters.facets, Dimension.WORK_TYPE: (work,)})


def cards(lines: Answers, page: Answers) -> list[ChartCard]:
    return [_card(lines, page, compared) for compared in COMPARED.values()]


def line_pickers(lines: Answers | None, page: Answers) -> list[Picker]:
    """Any agent, and agents with a line; all agents while the lines are not loaded."""
    present = {*AGENT_NAMES}
    if lines is not None:
        present = {name for compared in COMPARED.values() for name in figures_of(lines, compared.key)}
    offered = [ANY_AGENT, *(name for name in AGENT_NAMES if name in present)]
    picked = page.filters.picked[LINE.parameter]
    return [
        picker
        for option, picker in zip(LINE.options, page.pickers(LINE), strict=True)
        if option in offered or option == picked
    ]


def figures_of(lines: Answers, key: str) -> Mapping[str, MetricValue]:
    """The window's figures by line, in order: agents, Non-AI, any agent; lines without facts are left out."""
    by_agent = tiles.by_segment(_answer(lines, key, Dimension.AGENT), Dimension.AGENT)
    by_either = tiles.by_segment(_answer(lines, key, Dimension.ASSISTANCE), Dimension.ASSISTANCE)
    chosen = lines.filters.facets.get(Dimension.AGENT, ())
    agents = [name for name in by_agent if name not in (WITHOUT, "unknown") and (not chosen or name in chosen)]
    by_line = {name: by_agent[name] for name in in_agent_order(agents)}
    either = {name: by_either[name] for name in (WITHOUT, ANY_AGENT) if name in by_either}
    return {
        name: figure for name, figure in {**by_line, **either}.items() if figure.value is not None or figure.withheld
    }


def figure_words(figure: MetricValue, compared: Compared, granularity: Granularity) -> str:
    """0.40 (10 PRs in 25 developer-weeks), or 22.5 h (440 PRs of 27 developers)"""
    if figure.withheld or figure.value is None:
        return "hidden" if figure.withheld else "no data"
    facts = wording.count(figure.sample_size, compared.fact)
    if get(compared.key).over_buckets:
        behind = f"in {wording.count(int(figure.denominator or 0), f'developer-{granularity.value}')}"
    else:
        behind = f"of {wording.count(figure.people, 'developer')}"
    return f"{value_words(figure.value, compared.key)} ({facts} {behind})"


def _chart_alone(filters: Filters, key: str) -> ChartData:
    """A line for each agent and one without, each point with its facts and developers."""
    narrowed = of_work(filters)
    lines = AI_PAGE.read(narrowed, _queries(narrowed, key))
    compared = COMPARED[key]
    answer = _answer(lines, key, Dimension.AGENT)
    picked = filters.picked[LINE.parameter]
    names = [name for name in figures_of(lines, key) if name != ANY_AGENT or picked == ANY_AGENT]
    agents = [name for name in names if name not in (WITHOUT, ANY_AGENT)]
    drawn = {*agents[:LINES_DRAWN], WITHOUT, ANY_AGENT}
    if len(agents) < 2:  # any agent equals that agent
        drawn -= {ANY_AGENT} if agents else set()
        picked = agents[0] if agents and picked == ANY_AGENT else picked
    datasets = [_dataset(lines, compared, name, is_picked=name == picked) for name in names if name in drawn]
    withheld = sum(figure.withheld for figure in figures_of(lines, key).values())
    undrawn = [_dataset(lines, compared, name, is_picked=False) for name in agents[LINES_DRAWN:]]
    return replace(over_time("line", answer, datasets), left_out=withheld, undrawn=undrawn)


def _dataset(lines: Answers, compared: Compared, line: str, *, is_picked: bool) -> Dataset:
    split = Dimension.ASSISTANCE if line in (ANY_AGENT, WITHOUT) else Dimension.AGENT
    figures = series_by_value(_answer(lines, compared.key, split), split)[line]
    return Dataset(
        label=line_name(line),
        key=marker(line),
        role="agent",
        values=values_of(figures),
        counts=counts_of(figures, f"{compared.fact}s"),
        is_picked=is_picked,
    )


def _card(lines: Answers, page: Answers, compared: Compared) -> ChartCard:
    filters, figures = page.filters, figures_of(lines, compared.key)
    either = tiles.whole(_answer(lines, compared.key, Dimension.ASSISTANCE))
    known = any(figure.value is not None for figure in figures.values())
    title = compared.title
    if get(compared.key).over_buckets:
        title = f"{title} per developer and {filters.granularity.value}"
    missing = None if known else next((figure for figure in figures.values() if figure.withheld), either)
    made = lines.card(
        compared.chart,
        compared.key,
        title=title,
        kind="line",
        span=6 if get(compared.key).over_buckets else 8,
        missing=missing,
        pickers=page.pickers(CYCLE) if compared.key == CYCLE_TIME else (),
        caveat=_caveat(lines, compared),
    )
    return replace(
        made,
        data_url=AI_PAGE.chart_url(filters, compared.chart),
        csv_url=AI_PAGE.chart_csv_url(filters, compared.chart),
        summary=_summary(filters, figures, compared),
        swaps="#compared-work",
        reason_link=made.reason_link
        if known or made.state == "hidden"
        else Link("Open integrations", reverse("integrations")),
    )


def _summary(filters: Filters, figures: Mapping[str, MetricValue], compared: Compared) -> str:
    """The selected line compared with Non-AI."""
    picked = filters.picked[LINE.parameter]
    shown = [name for name in (picked, WITHOUT) if name in figures]
    return " · ".join(
        f"{line_name(name)} {figure_words(figures[name], compared, filters.granularity)}" for name in shown
    )


def _caveat(lines: Answers, compared: Compared) -> str:
    """Facts that are on no line, and facts without a known developer."""
    answer = _answer(lines, compared.key, Dimension.ASSISTANCE)
    sentences = []
    unknown = tiles.by_segment(answer, Dimension.ASSISTANCE).get("unknown")
    if unknown and unknown.sample_size:
        sentences.append(f"{wording.count(unknown.sample_size, compared.fact)} without a pull request on no line.")
    if get(compared.key).over_buckets and answer.unmatched:
        share = wording.percent_of(answer.unmatched, 1)
        sentences.append(f"{share} of {compared.fact}s have no matched author and are excluded.")
    return " ".join(sentences)


def facts_rows_url(filters: Filters, key: str) -> str:
    """The URL of the facts themselves, where a figure's rows are developers."""
    return rows_url(of_work(filters), COMPARED[key].facts_key)


def query_of(filters: Filters, key: str) -> Query:
    """The query of the developers behind the lines."""
    return filters.query(key, statistic=_statistic(filters, key))


def _statistic(filters: Filters, key: str) -> Statistic | None:
    return Statistic(filters.picked[CYCLE.parameter]) if key == CYCLE_TIME else None


def _queries(filters: Filters, key: str) -> Sequence[PageQuery]:
    statistic = _statistic(filters, key)
    return [PageQuery(key, split, unfiltered_by=Dimension.AGENT, statistic=statistic) for split in LINE_SPLITS]


def _answer(lines: Answers, key: str, split: Dimension) -> Answer:
    """The answer with or without buckets, whichever was read."""
    return next(answer for query, answer in lines.now.items() if (query.key, query.segment) == (key, split))


WITH_BANDS = "_with_bands"  # suffix of the chart's name


def chart(filters: Filters, key: str) -> ChartData:
    """The lines, with the URL of the same chart with its bands."""
    drawn = _chart_alone(filters, key)
    if not _has_bands(filters, key) or not any(map(_line_of, drawn.datasets)):
        return drawn
    return replace(drawn, complete_url=AI_PAGE.chart_url(filters, f"{COMPARED[key].chart}{WITH_BANDS}"))


def chart_with_bands(filters: Filters, key: str) -> ChartData:
    drawn = _chart_alone(filters, key)
    if not _has_bands(filters, key):
        return drawn
    picked = next((_line_of(dataset) for dataset in drawn.datasets if dataset.is_picked), ANY_AGENT)
    bands = visible_error_margins(query_of(of_work(filters), key), picked, filters.access)
    return replace(drawn, datasets=[_shaded(dataset, bands.get(_line_of(dataset), ())) for dataset in drawn.datasets])


def _has_bands(filters: Filters, key: str) -> bool:
    return query_of(filters, key).statistic in STATISTICS_WITH_MARGINS


def _line_of(dataset: Dataset) -> str:
    """The line of a dataset; empty for lines without a band."""
    if dataset.key == marker(WITHOUT):
        return WITHOUT
    if not dataset.is_picked:
        return ""
    return ANY_AGENT if dataset.key == marker(ANY_AGENT) else dataset.key


def _shaded(dataset: Dataset, reaches: Sequence[ErrorMargin | None]) -> Dataset:
    """The dataset with the interval of each value; hidden values and those of too few developers have none."""
    if not any(reaches):
        return dataset
    pairs = [_ends(value, reach) for value, reach in zip(dataset.values, reaches, strict=True)]
    return replace(dataset, low=[low for low, _ in pairs], high=[high for _, high in pairs])


def _ends(value: Number, reach: ErrorMargin | None) -> tuple[Number, Number]:
    if value is None or reach is None:
        return None, None
    return max(0.0, float(value) - reach.below), float(value) + reach.above
