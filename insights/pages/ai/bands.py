"""Confidence bands of a comparison: the 95 % interval of each bucket of the picked line and of Non-AI.

They are read from facts and therefore slow: the chart loads first without them, then again with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from insights.engine.comparison import ANY_AGENT, STATISTICS, WITHOUT
from insights.formulas.error_margins import ErrorMargin
from insights.pages.ai import lines
from insights.pages.ai.answers import AI_PAGE
from insights.privacy.visible import visible_error_margins
from insights.ui.charts import ChartData, Dataset, Number
from insights.ui.filters import Filters

WITH_BANDS = "_with_bands"  # suffix of the chart's name


def chart(filters: Filters, key: str) -> ChartData:
    """The lines, with the URL of the same chart with its bands."""
    drawn = lines.chart(filters, key)
    if not _has_bands(filters, key) or not any(map(_line_of, drawn.datasets)):
        return drawn
    return replace(drawn, complete_url=AI_PAGE.chart_url(filters, f"{lines.COMPARED[key].chart}{WITH_BANDS}"))


def chart_with_bands(filters: Filters, key: str) -> ChartData:
    drawn = lines.chart(filters, key)
    if not _has_bands(filters, key):
        return drawn
    picked = next((_line_of(dataset) for dataset in drawn.datasets if dataset.is_picked), ANY_AGENT)
    bands = visible_error_margins(lines.query_of(lines.of_work(filters), key), picked, filters.access)
    return replace(drawn, datasets=[_shaded(dataset, bands.get(_line_of(dataset), ())) for dataset in drawn.datasets])


def _has_bands(filters: Filters, key: str) -> bool:
    return lines.query_of(filters, key).statistic in STATISTICS


def _line_of(dataset: Dataset) -> str:
    """The line of a dataset; empty for lines without a band."""
    if dataset.key == lines.marker(WITHOUT):
        return WITHOUT
    if not dataset.is_picked:
        return ""
    return ANY_AGENT if dataset.key == lines.marker(ANY_AGENT) else dataset.key


def _shaded(dataset: Dataset, reaches: Sequence[ErrorMargin | None]) -> Dataset:
    """With the interval of each value; hidden values and those of too few developers have none."""
    if not any(reaches):
        return dataset
    pairs = [_ends(value, reach) for value, reach in zip(dataset.values, reaches, strict=True)]
    return replace(dataset, low=[low for low, _ in pairs], high=[high for _, high in pairs])


def _ends(value: Number, reach: ErrorMargin | None) -> tuple[Number, Number]:
    if value is None or reach is None:
        return None, None
    return max(0.0, float(value) - reach.below), float(value) + reach.above
