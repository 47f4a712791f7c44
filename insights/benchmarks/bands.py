"""Benchmark bands of published sets, and the band of a value.

Sets are as published: a cluster's value may be better than that of the cluster above it, two clusters may have the same
value, and there may be gaps between clusters.  None of this is smoothed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.text import get_text_list

from insights.catalogue.declarations import Metric
from insights.query.query import Statistic


@dataclass(frozen=True, slots=True)
class Band:
    """The values [start, end) that were published for these clusters, in the metric's unit.

    With several names, the set has the same values for all of them; with `between`, the values lie in the gap between
    two.
    """

    names: tuple[str, ...]
    start: float
    end: float
    between: bool = False

    @property
    def label(self) -> str:
        """Elite; High or Medium; between Elite and High."""
        if self.between:
            return f"between {self.names[0]} and {self.names[1]}"
        return get_text_list([*self.names])

    def __contains__(self, value: float) -> bool:
        return self.start <= value < self.end


@dataclass(frozen=True, slots=True)
class MetricBands:
    """The bands of one metric in one set, the best cluster first, as published.

    `statistic` is the published one; `note` says how the published metric differs from Headway's.
    """

    bands: tuple[Band, ...]
    statistic: Statistic | None = None
    note: str = ""

    @property
    def is_monotonic(self) -> bool:
        """Whether better clusters have better values throughout."""
        starts = [band.start for band in self.bands]
        return starts == sorted(starts) or starts == sorted(starts, reverse=True)

    def published_statistic(self, metric: Metric) -> Statistic | None:
        """The statistic of the bands: the published one, else the metric's own; None for metrics without statistics."""
        return (self.statistic or metric.statistic) if metric.statistics else None

    def are_of(self, metric: Metric, statistic: Statistic | None) -> bool:
        """Whether a value of this statistic (None: the metric's own) is comparable with these bands."""
        shown = (statistic or metric.statistic) if metric.statistics else None
        return self.published_statistic(metric) == shown


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """A published set.  `year` is None if unknown; `secondary` names the secondary source that it was taken from."""

    slug: str
    name: str
    year: int | None
    source: str
    licence: str
    metrics: Mapping[str, MetricBands] = field(hash=False)
    secondary: str = ""


def benchmark_band(benchmarks: BenchmarkSet, metric: Metric, value: float, statistic: Statistic | None) -> Band | None:
    """The band of a metric's value of that statistic (None: its own).

    None if the set lacks the metric, was published for another statistic of it, or has no band for the value.
    """
    of_metric = benchmarks.metrics.get(metric.key)
    if of_metric is None or math.isnan(value) or not of_metric.are_of(metric, statistic):
        return None
    band = next((band for band in of_metric.bands if value in band), None)
    return band or _gap(of_metric.bands, value)


def _gap(bands: Iterable[Band], value: float) -> Band | None:
    by_start = sorted(bands, key=lambda band: band.start)
    for below, above in pairwise(by_start):
        if below.end <= value < above.start:
            best_first = [band for band in bands if band in (below, above)]
            names = (best_first[0].names[-1], best_first[1].names[0])
            return Band(names, below.end, above.start, between=True)
    return None


def merged(bands: Iterable[Band]) -> tuple[Band, ...]:
    """The bands, with clusters that have the same values merged into one."""
    by_range: dict[tuple[float, float], Band] = {}
    for band in bands:
        key = (band.start, band.end)
        names = (*by_range[key].names, *band.names) if key in by_range else band.names
        by_range[key] = Band(names, *key)
    return tuple(by_range.values())


def ranges(*published: tuple[str, float, float]) -> MetricBands:
    """Bands from each cluster's range of values [start, end)."""
    return MetricBands(merged(Band((name,), start, end) for name, start, end in published))


def at_most(
    *published: tuple[str, float], rest: str, statistic: Statistic | None = None, note: str = ""
) -> MetricBands:
    """Bands from one value per cluster, where lower is better: a cluster extends up to its value.

    Ordered by value, regardless of the clusters' names; `rest` is the cluster of all greater values.
    """
    limits: dict[str, tuple[float, float]] = {}
    start = 0.0
    for name, figure in sorted(published, key=lambda published_figure: published_figure[1]):
        if name != rest:
            end = math.nextafter(figure, math.inf)
            limits[name] = (start, end)
            start = end
    limits[rest] = (start, math.inf)
    in_published_order = dict.fromkeys([*(name for name, _ in published), rest])
    return MetricBands(tuple(Band((name,), *limits[name]) for name in in_published_order), statistic, note)


def at_least(*published: tuple[str, float], rest: str) -> MetricBands:
    """Bands from one value per cluster, where higher is better: a cluster starts at its value."""
    end = math.inf
    bands = []
    for name, figure in published:
        bands.append(Band((name,), figure, end))
        end = figure
    return MetricBands((*bands, Band((rest,), 0.0, end)))
