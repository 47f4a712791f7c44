"""Published bands of a metric: lines on its chart, and a table with their source."""

from __future__ import annotations

import math
from typing import Any

from django.utils.text import capfirst

from insights.benchmarks.bands import Band, BenchmarkSet, MetricBands
from insights.benchmarks.remarks import remarks_on
from insights.benchmarks.sets import SETS, chosen_set
from insights.catalogue.declarations import Metric
from insights.pages.metric.filters import BENCHMARK, BY_ORGANISATION, pickers
from insights.query.enums import Better
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.bands import NOT_MONOTONIC, band
from insights.ui.charts import Line
from insights.ui.filters import Filters


def set_of(filters: Filters, metric: Metric) -> BenchmarkSet | None:
    """The picked set, otherwise the organisation's, otherwise the only one that has the metric, otherwise None."""
    picked = filters.picked.get(BENCHMARK, BY_ORGANISATION)
    if picked != BY_ORGANISATION:
        return SETS[picked]
    having = [published for published in SETS.values() if metric.key in published.metrics]
    chosen = chosen_set(filters.access.organisation.benchmark_set)
    if chosen in having:
        return chosen
    return having[0] if len(having) == 1 else None


def lines(filters: Filters, metric: Metric) -> list[Line]:
    """The borders between bands; empty if the set has another statistic than the one shown."""
    if not any(choice.parameter == BENCHMARK for choice in filters.choices):
        return []
    published = set_of(filters, metric)
    if published is None or not published.metrics[metric.key].are_of(metric, filters.statistic):
        return []
    return border_lines(published.metrics[metric.key], metric.better)


def border_lines(of_metric: MetricBands, better: Better) -> list[Line]:
    """Each border once, labelled with the better band and its side."""
    labels: dict[float, str] = {}
    for cluster in sorted(of_metric.bands, key=lambda one: one.start):
        border = cluster.end if better is Better.LOWER else cluster.start
        if math.isfinite(border) and border > 0:
            side = "below" if better is Better.LOWER else "above"
            labels.setdefault(border, f"{capfirst(cluster.label)} {side}")
    return [Line(border, label) for border, label in labels.items()]


def benchmark(filters: Filters, metric: Metric, figure: MetricValue) -> dict[str, Any] | None:
    """The page's published figures; None without any."""
    remarks = [
        {
            "text": remark.text,
            "source": ", ".join(filter(None, [remark.source, str(remark.year or ""), remark.secondary])),
        }
        for remark in remarks_on(metric.key)
    ]
    sets = pickers(filters, metric, BENCHMARK)
    published = set_of(filters, metric) if sets else None
    if published is None:
        return {"sets": sets, "remarks": remarks} if sets or remarks else None
    of_metric = published.metrics[metric.key]
    order = "" if of_metric.is_monotonic else NOT_MONOTONIC
    here = band(published, metric.key, figure, filters.statistic)
    return {
        "name": _named(published),
        "source": published.source + (f", taken from {published.secondary}" if published.secondary else ""),
        "licence": published.licence,
        "notes": list(filter(None, [_comparable_words(of_metric, filters, metric), of_metric.note, order])),
        "bands": [
            {
                "names": capfirst(cluster.label),
                "values": _values(cluster, metric),
                "is_here": here is not None and figure.value is not None and figure.value in cluster,
            }
            for cluster in of_metric.bands
        ],
        "here": here,
        "sets": sets,
        "remarks": remarks,
    }


def _named(published: BenchmarkSet) -> str:
    """The name, with the year if it lacks it."""
    year = str(published.year or "")
    return published.name if year in published.name else f"{published.name}, {year}"


def _comparable_words(of_metric: MetricBands, filters: Filters, metric: Metric) -> str:
    if of_metric.are_of(metric, filters.statistic):
        return ""
    return f"The set is of the {of_metric.published_statistic(metric)}: pick it to see the figure's band."


def _values(cluster: Band, metric: Metric) -> str:
    if not math.isfinite(cluster.end):
        return f"{wording.reading(cluster.start, metric.unit)} and more"
    if cluster.start == 0:
        return f"up to {wording.reading(cluster.end, metric.unit)}"
    return wording.between(cluster.start, cluster.end, metric.unit)
