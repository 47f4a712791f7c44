"""Bands of published sets, and the one in which a value lies.

Sets are as they were published: a cluster's figure may be better than that of the cluster above it, two clusters may
have the same, and between two there may be a gap.  None of this is smoothed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from insights.catalogue.declarations import Metric
from insights.query.query import Statistic


@dataclass(frozen=True, slots=True)
class Band:
    """Values from `start` up to and without `end`, in the metric's unit, that were published for these clusters.

    Several names: the set has the same values for all of them.  `between`: the values lie between what was published
    for the two, and for neither.
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
        return " or ".join(filter(None, [", ".join(self.names[:-1]), self.names[-1]]))

    def __contains__(self, value: float) -> bool:
        return self.start <= value < self.end


@dataclass(frozen=True, slots=True)
class MetricBands:
    """The bands of one metric in one set, the best cluster first, as published.

    `statistic` is the one that was published; `note` says where the published metric differs from Headway's.
    """

    bands: tuple[Band, ...]
    statistic: Statistic | None = None
    note: str = ""

    @property
    def is_monotonic(self) -> bool:
        """Whether a better cluster has better values throughout."""
        starts = [band.start for band in self.bands]
        return starts == sorted(starts) or starts == sorted(starts, reverse=True)

    def published_statistic(self, metric: Metric) -> Statistic | None:
        """The one that the bands are of: that which was named, else the metric's own; None for one plain value."""
        return (self.statistic or metric.statistic) if metric.statistics else None

    def are_of(self, metric: Metric, statistic: Statistic | None) -> bool:
        """Whether a figure by this statistic (None: the metric's own) may be laid beside them."""
        shown = (statistic or metric.statistic) if metric.statistics else None
        return self.published_statistic(metric) == shown


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """A published set.  `year` is None where none is named; `secondary` says whose copy it was taken from."""

    slug: str
    name: str
    year: int | None
    source: str
    licence: str
    metrics: Mapping[str, MetricBands] = field(hash=False)
    secondary: str = ""


def band_of(benchmarks: BenchmarkSet, metric: Metric, value: float, statistic: Statistic | None) -> Band | None:
    """The band in which a metric's value by that statistic (None: its own) lies.

    None where the set does not have the metric, published another statistic of it, or has nothing so far out.
    """
    of_metric = benchmarks.metrics.get(metric.key)
    if of_metric is None or math.isnan(value) or not of_metric.are_of(metric, statistic):
        return None
    found = next((band for band in of_metric.bands if value in band), None)
    return found or _gap(of_metric.bands, value)


def _gap(bands: Iterable[Band], value: float) -> Band | None:
    by_start = sorted(bands, key=lambda band: band.start)
    for below, above in pairwise(by_start):
        if below.end <= value < above.start:
            best_first = [band for band in bands if band in (below, above)]
            names = (best_first[0].names[-1], best_first[1].names[0])
            return Band(names, below.end, above.start, between=True)
    return None


def merged(bands: Iterable[Band]) -> tuple[Band, ...]:
    """The same bands; clusters with the same values are one."""
    found: dict[tuple[float, float], Band] = {}
    for band in bands:
        key = (band.start, band.end)
        names = (*found[key].names, *band.names) if key in found else band.names
        found[key] = Band(names, *key)
    return tuple(found.values())


def ranges(*published: tuple[str, float, float]) -> MetricBands:
    """Clusters with the values from … to …, the end not included."""
    return MetricBands(merged(Band((name,), start, end) for name, start, end in published))


def at_most(
    *published: tuple[str, float], rest: str, statistic: Statistic | None = None, note: str = ""
) -> MetricBands:
    """Clusters with one figure each, of which the lower is the better: a cluster reaches up to its figure.

    They are told apart by their figures, whatever their names promise; `rest` is whoever lies beyond all.
    """
    limits: dict[str, tuple[float, float]] = {}
    start = 0.0
    for name, figure in sorted(published, key=lambda each: each[1]):
        if name != rest:
            end = math.nextafter(figure, math.inf)
            limits[name] = (start, end)
            start = end
    limits[rest] = (start, math.inf)
    in_published_order = dict.fromkeys([*(name for name, _ in published), rest])
    return MetricBands(tuple(Band((name,), *limits[name]) for name in in_published_order), statistic, note)


def at_least(
    *published: tuple[str, float], rest: str, statistic: Statistic | None = None, note: str = ""
) -> MetricBands:
    """Clusters with one figure each, of which the higher is the better: a cluster begins at its figure."""
    end = math.inf
    bands = []
    for name, figure in published:
        bands.append(Band((name,), figure, end))
        end = figure
    return MetricBands((*bands, Band((rest,), 0.0, end)), statistic, note)
