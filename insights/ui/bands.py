"""The band of a figure in the organisation's benchmark set, for its tile."""

from __future__ import annotations

from django.utils.text import capfirst

from insights.benchmarks.bands import Band, BenchmarkSet, MetricBands, benchmark_band
from insights.benchmarks.dora_reports import FOUR_KEYS
from insights.catalogue.registry import get
from insights.query.query import MetricValue, Statistic
from insights.ui import tiles, wording

BARS = 4  # of the meter
NOT_MONOTONIC = "In this set, better clusters do not have better values throughout."
A_GUIDE = "A guide, not a verdict on a team."


def band(published: BenchmarkSet, key: str, figure: MetricValue, statistic: Statistic | None) -> tiles.Band | None:
    """The figure's band; None if the set lacks the metric, or has it for another statistic."""
    metric, of_metric = get(key), published.metrics.get(key)
    if of_metric is None or figure.value is None or not of_metric.are_of(metric, statistic):
        return None
    cluster = benchmark_band(published, metric, figure.value, statistic)
    if cluster is None:
        return tiles.Band(0, "Outside the set", _title(published, of_metric))
    return tiles.Band(_bars(cluster, of_metric), capfirst(cluster.label), _title(published, of_metric))


def band_of_days(key: str, figure: MetricValue) -> tiles.Band | None:
    """The band of deployment days, from the only set that has days, regardless of the organisation's choice."""
    return band(FOUR_KEYS, key, figure, None)


def set_in_words(published: BenchmarkSet, keys: list[str]) -> str:
    """The set's name and source, the metrics that it lacks, and its inconsistencies."""
    missing = [get(key).name.lower() for key in keys if key not in published.metrics]
    crooked = [
        get(key).name.lower() for key in keys if key in published.metrics and not published.metrics[key].is_monotonic
    ]
    sentences = [f"Bands: {published.name}. Source: {published.source}."]
    if published.secondary:
        sentences.append(f"Values from {published.secondary}.")
    if missing:
        sentences.append(f"It has none for {wording.listed(missing)}.")
    if crooked:
        sentences.append(f"Its clusters are not in order for {wording.listed(crooked)}.")
    return " ".join([*sentences, A_GUIDE])


def _bars(cluster: Band, of_metric: MetricBands) -> int:
    """The number of bars: one more than there are lower clusters; for several clusters, that of the lowest."""
    clusters = [name for bounds in of_metric.bands for name in bounds.names]
    return max(1, BARS - clusters.index(cluster.names[-1]))


def _title(published: BenchmarkSet, of_metric: MetricBands) -> str:
    sentences = [f"{published.name}: {published.source}.", of_metric.note]
    if published.secondary:
        sentences.append(f"Values from {published.secondary}.")
    if not of_metric.is_monotonic:
        sentences.append(NOT_MONOTONIC)
    return " ".join(filter(None, [*sentences, A_GUIDE]))
