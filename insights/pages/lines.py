"""A metric by line of the comparison: one line per agent, and Non-AI.

The agent filter selects the lines; Non-AI is always drawn, because the others are compared with it.  Confidence bands,
the 95 % interval of each bucket of the picked line and of Non-AI, are read from facts and therefore slow: the chart
loads first without them, then again with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.urls import reverse

from core.page_links import Picker
from insights.catalogue.agents import in_agent_order
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.margins import STATISTICS_WITH_MARGINS
from insights.formulas.error_margins import ErrorMargin
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.pages.compared import line_name, marker, value_words
from insights.pages.drawing import counts_of, over_time, series_by_value, values_of
from insights.privacy.visible import visible_error_margins
from insights.query.query import Answer, Dimension, Granularity, MetricValue
from insights.ui import tiles, wording
from insights.ui.cards import Lines
from insights.ui.charts import ChartData, Dataset, Number
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard, Link

LINE_SPLITS = (Dimension.ASSISTANCE, Dimension.AGENT)
LINES_DRAWN = 7  # in addition to Non-AI
WITH_BANDS = "_with_bands"  # suffix of the chart's name


def queries(key: str) -> tuple[PageQuery, ...]:
    """Both splits of the metric for the whole window; charts read their buckets themselves."""
    return tuple(query._replace(whole=True) for query in _queries(key))


def line_pickers(answers: Answers, line: Choice, keys: Iterable[str]) -> list[Picker]:
    """Links for any agent, and for agents with a line in one of these metrics."""
    present = {name for key in keys for name in figures_of(answers, key)}
    picked = answers.filters.picked[line.parameter]
    return [
        picker
        for option, picker in zip(line.options, answers.pickers(line), strict=True)
        if option in (ANY_AGENT, picked) or option in present
    ]


def figures_of(answers: Answers, key: str) -> Mapping[str, MetricValue]:
    """The window's figures by line, in order: agents, Non-AI, any agent; lines without facts are left out."""
    by_agent = tiles.by_segment(_answer(answers, key, Dimension.AGENT), Dimension.AGENT)
    by_either = tiles.by_segment(_answer(answers, key, Dimension.ASSISTANCE), Dimension.ASSISTANCE)
    chosen = answers.counted.facets.get(Dimension.AGENT, ())
    agents = [name for name in by_agent if name not in (WITHOUT, "unknown") and (not chosen or name in chosen)]
    by_line = {name: by_agent[name] for name in in_agent_order(agents)}
    either = {name: by_either[name] for name in (WITHOUT, ANY_AGENT) if name in by_either}
    return {
        name: figure for name, figure in {**by_line, **either}.items() if figure.value is not None or figure.withheld
    }


def figure_words(figure: MetricValue, metric: Metric, granularity: Granularity) -> str:
    """The figure in words: 0.40 (10 PRs in 25 developer-weeks), or 22.5 h (440 PRs of 27 developers)"""
    if figure.withheld or figure.value is None:
        return "hidden" if figure.withheld else "no data"
    facts = wording.count(figure.sample_size, metric.fact)
    if metric.over_buckets:
        behind = f"in {wording.count(int(figure.denominator or 0), f'developer-{granularity.value}')}"
    else:
        behind = f"of {wording.count(figure.people, 'developer')}"
    return f"{value_words(figure.value, metric.key)} ({facts} {behind})"


def drawn(card: Lines, page: InsightsPage, filters: Filters) -> ChartData:
    """The lines, with the URL of the same chart with its bands."""
    alone = _alone(card, page, filters)
    if not _has_bands(card, filters) or not any(map(_line_of, alone.datasets)):
        return alone
    return replace(alone, complete_url=page.chart_url(filters, f"{card.name}{WITH_BANDS}"))


def drawn_with_bands(card: Lines, page: InsightsPage, filters: Filters) -> ChartData:
    alone = _alone(card, page, filters)
    if not _has_bands(card, filters):
        return alone
    picked = next((_line_of(dataset) for dataset in alone.datasets if dataset.is_picked), ANY_AGENT)
    bands = visible_error_margins(filters.query(card.metric), picked, filters.access)
    return replace(alone, datasets=[_shaded(dataset, bands.get(_line_of(dataset), ())) for dataset in alone.datasets])


def _alone(card: Lines, page: InsightsPage, filters: Filters) -> ChartData:
    """A line for each agent and one for work without, each point with its facts and developers."""
    key, picked = card.metric, filters.picked[card.line.parameter]
    answers = page.read(filters, _queries(key))
    figures = figures_of(answers, key)
    names = [name for name in figures if name != ANY_AGENT or picked == ANY_AGENT]
    agents = [name for name in names if name not in (WITHOUT, ANY_AGENT)]
    shown = {*agents[:LINES_DRAWN], WITHOUT, ANY_AGENT}
    if len(agents) < 2:  # any agent equals that agent
        shown -= {ANY_AGENT} if agents else set()
        picked = agents[0] if agents and picked == ANY_AGENT else picked
    datasets = [_dataset(answers, key, name, is_picked=name == picked) for name in names if name in shown]
    undrawn = [_dataset(answers, key, name, is_picked=False) for name in agents[LINES_DRAWN:]]
    withheld = sum(figure.withheld for figure in figures.values())
    return replace(
        over_time("line", _answer(answers, key, Dimension.AGENT), datasets), left_out=withheld, undrawn=undrawn
    )


def _dataset(answers: Answers, key: str, line: str, *, is_picked: bool) -> Dataset:
    split = Dimension.ASSISTANCE if line in (ANY_AGENT, WITHOUT) else Dimension.AGENT
    figures = series_by_value(_answer(answers, key, split), split)[line]
    return Dataset(
        label=line_name(line),
        key=marker(line),
        role="agent",
        values=values_of(figures),
        counts=counts_of(figures, wording.plural_of(get(key).fact)),
        is_picked=is_picked,
    )


def lines_card(card: Lines, answers: Answers) -> ChartCard:
    """The card of the chart, with the figures of the picked line and of Non-AI."""
    metric, filters = get(card.metric), answers.filters
    title = card.title or metric.label
    if metric.over_buckets:
        title = f"{title} and {filters.granularity.value}"
    if card.is_brief:
        return answers.card(card.name, card.metric, title=title, kind="line", span=card.span)
    figures = figures_of(answers, card.metric)
    known = any(figure.value is not None for figure in figures.values())
    whole = tiles.whole(_answer(answers, card.metric, Dimension.ASSISTANCE))
    made = answers.card(
        card.name,
        card.metric,
        title=title,
        kind="line",
        span=card.span,
        missing=None if known else next((figure for figure in figures.values() if figure.withheld), whole),
        pickers=answers.pickers(card.statistic) if card.statistic else (),
        caveat=_caveat(answers, metric),
    )
    picked = filters.picked[card.line.parameter]
    summary = " · ".join(
        f"{line_name(name)} {figure_words(figures[name], metric, filters.granularity)}"
        for name in (picked, WITHOUT)
        if name in figures
    )
    is_unknown = not known and made.state != "hidden"
    link = Link("Open integrations", reverse("integrations")) if is_unknown else made.reason_link
    return replace(made, summary=summary, reason_link=link)


def _caveat(answers: Answers, metric: Metric) -> str:
    """The number of facts on no line, and of facts without a known developer."""
    answer = _answer(answers, metric.key, Dimension.ASSISTANCE)
    sentences = []
    unknown = tiles.by_segment(answer, Dimension.ASSISTANCE).get("unknown")
    if unknown and unknown.sample_size:
        sentences.append(f"{wording.count(unknown.sample_size, metric.fact)} without a pull request on no line.")
    if metric.over_buckets and answer.unmatched:
        share = wording.percent_of(answer.unmatched, 1)
        sentences.append(f"{share} of {wording.plural_of(metric.fact)} have no matched author and add no developer.")
    return " ".join(sentences)


def _queries(key: str) -> Sequence[PageQuery]:
    return [PageQuery(key, split, unfiltered_by=Dimension.AGENT) for split in LINE_SPLITS]


def _answer(answers: Answers, key: str, split: Dimension) -> Answer:
    """The answer with or without buckets, depending on which was read."""
    return next(answer for query, answer in answers.now.items() if (query.key, query.segment) == (key, split))


def _has_bands(card: Lines, filters: Filters) -> bool:
    return filters.query(card.metric).statistic in STATISTICS_WITH_MARGINS


def _line_of(dataset: Dataset) -> str:
    """The line of a dataset; empty for lines without a band."""
    if dataset.key == marker(WITHOUT):
        return WITHOUT
    if not dataset.is_picked:
        return ""
    return ANY_AGENT if dataset.key == marker(ANY_AGENT) else dataset.key


def _shaded(dataset: Dataset, reaches: Sequence[ErrorMargin | None]) -> Dataset:
    """The dataset with the interval of each value; hidden values, and those of too few developers, have none."""
    if not any(reaches):
        return dataset
    pairs = [_ends(value, reach) for value, reach in zip(dataset.values, reaches, strict=True)]
    return replace(dataset, low=[low for low, _ in pairs], high=[high for _, high in pairs])


def _ends(value: Number, reach: ErrorMargin | None) -> tuple[Number, Number]:
    if value is None or reach is None:
        return None, None
    return max(0.0, float(value) - reach.below), float(value) + reach.above
