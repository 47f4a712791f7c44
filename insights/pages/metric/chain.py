"""Leading indicators and guardrails of a metric, as small multiples on one time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.csv_export import Cell
from insights.annotations.notes import marks_of, notes_on
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.pages.metric.filters import metric_page_url, of_trend
from insights.privacy.visible import Freshness, visible_together
from insights.query.query import Answer, Dimension, MetricValue, Query
from insights.ui import tiles, wording
from insights.ui.filters import Filters


@dataclass(frozen=True)
class ChainMetric:
    """A metric of the chain: its trend, and its figures of this and the previous window."""

    trend: Answer
    figure: MetricValue
    earlier: MetricValue


LABELS_SHOWN = 7
POSITIVE = "leading indicator"
NEGATIVE = "guardrail"


def chain_part(metric: Metric, filters: Filters) -> dict[str, Any]:
    return {
        "title": f"{metric.name} and related metrics",
        "chain": side_by_side(linked(metric), filters, about=metric),
        "part": "insights/metrics/_chain.html",
    }


def chain_csv(metric: Metric, filters: Filters) -> Iterator[list[Cell]]:
    by_metric = _answers(linked(metric), filters)
    yield ["From", *(f"{member.name} ({member.unit})" for member in by_metric)]
    trends = [read.trend.series for read in by_metric.values()]
    for figures in zip(*trends, strict=True):
        yield [figures[0].window.start.isoformat(), *("hidden" if f.withheld else f.value for f in figures)]


def linked(metric: Metric) -> list[Metric]:
    """The metric and the existing metrics of its chain, without those that are always split."""
    by_key = {candidate.key: candidate for candidate in metrics()}
    keys = dict.fromkeys([metric.key, *metric.chain])
    return [by_key[key] for key in keys if key in by_key and not by_key[key].always_by]


def side_by_side(listed: Sequence[Metric], filters: Filters, *, about: Metric | None = None) -> dict[str, Any]:
    """Metrics below each other, with the notes of the first, and their roles in the chain of `about`."""
    by_metric, trend = _answers(listed, filters), of_trend(filters)
    roles: dict[str, str] = {}
    if about:
        roles = {
            **dict.fromkeys(about.negative_indicators, NEGATIVE),
            **dict.fromkeys(about.positive_indicators, POSITIVE),
        }
    series = next(iter(by_metric.values())).trend.series
    days = [figure.window.start for figure in series]
    first = 1 if tiles.stub(series, filters.granularity) else 0
    places = _places(len(days) - first)
    repositories = filters.facets.get(Dimension.REPOSITORY, ())
    notes = marks_of(notes_on(listed[0].key, filters.scope, trend.window, filters.access, repositories), days)
    marks = [(places[mark.index - first], mark) for mark in notes if mark.index >= first]
    labels = [wording.bucket(figure.window, filters.granularity) for figure in series]
    shown = max(1, -(-len(places) // LABELS_SHOWN))
    return {
        "multiples": [
            _multiple(member, roles.get(member.key, ""), read, read.trend.series[first:], filters)
            for member, read in by_metric.items()
        ],
        "labels": [(place, labels[first + index]) for index, place in enumerate(places) if index % shown == 0],
        "marks": marks,
        "flags": _flags([place for place, _ in marks]),
        "heads": [member.name for member in by_metric],
        "table": [
            [label, *(_in_words(read.trend.series[index], member) for member, read in by_metric.items())]
            for index, label in enumerate(labels)
        ],
    }


def _answers(chain: Sequence[Metric], filters: Filters) -> dict[Metric, ChainMetric]:
    """All metrics, read in one call."""
    trend = of_trend(filters)
    now = [_query(filters, metric) for metric in chain]
    before = [replace(query, window=filters.previous) for query in now]
    trends = [replace(query, window=trend.window) for query in now]
    together = visible_together(filters.access, series=trends, totals=[*now, *before], freshness=Freshness.OF_PAGES)
    figures = [tiles.whole(answer) for answer in together.totals]
    return {
        metric: ChainMetric(series, figure, earlier)
        for metric, series, figure, earlier in zip(
            chain, together.series, figures[: len(chain)], figures[len(chain) :], strict=True
        )
    }


def _query(filters: Filters, metric: Metric) -> Query:
    """The query with the selected statistic for every duration, and the facets that the metric supports."""
    picked = filters.statistic
    return filters.query(metric.key, statistic=picked if picked in metric.statistics else None)


def _multiple(
    metric: Metric, role: str, read: ChainMetric, drawn: Sequence[MetricValue], filters: Filters
) -> dict[str, Any]:
    figure = read.figure
    values = [bucket.value for bucket in drawn if bucket.value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    reach = (high - low) or 1.0
    return {
        "name": metric.marked_name,
        "role": role,
        "url": metric_page_url(filters, metric),
        "value": str(wording.reading(figure.value, metric.unit)) if figure.value is not None else "",
        "change": tiles.change(metric, figure, read.earlier, tiles.earlier(filters.window, filters.previous), drawn),
        "reason": figure.reason or "",
        "points": [
            {
                "x": place,
                "y": None if bucket.value is None else (bucket.value - low) / reach if high > low else 0.5,
                "words": f"{wording.bucket(bucket.window, filters.granularity)}: {_in_words(bucket, metric)}",
                "to_date": bucket.to_date,
            }
            for place, bucket in zip(_places(len(drawn)), drawn, strict=True)
        ],
        "highest": str(wording.reading(high, metric.unit)) if values else "",
        "lowest": str(wording.reading(low, metric.unit)) if values and high > low else "",
    }


def _flags(places: Sequence[float]) -> list[tuple[float, str]]:
    numbers: dict[float, list[str]] = {}
    for number, place in enumerate(places, start=1):
        numbers.setdefault(place, []).append(str(number))
    return [(place, ", ".join(numbered)) for place, numbered in numbers.items()]


def _places(count: int) -> list[float]:
    """The positions of buckets on the axis, from 0 to 1."""
    return [0.5] if count == 1 else [index / (count - 1) for index in range(count)]


def _in_words(figure: MetricValue, metric: Metric) -> str:
    if figure.value is None:
        return "hidden" if figure.withheld else "no data"
    return str(wording.reading(figure.value, metric.unit))
