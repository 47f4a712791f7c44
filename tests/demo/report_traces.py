"""Recomputes the figures of a frozen executive report from the rows behind them, by arithmetic of its own."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insights.catalogue.lead_time_stages import STAGES
from insights.catalogue.registry import get
from insights.engine.contributions import read_rows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Query, Scope, Statistic, Window
from programs.report.services.document import BEFORE, NOW, Fact, Point, ReportDocument, SourceKind

PAGE = 1000
Rows = Sequence[Mapping[str, Any]]


class Traces:
    """What the rows behind a report's figures give; the rows of a source are read once."""

    def __init__(self, document: ReportDocument) -> None:
        self._document = document
        self._scope = Scope(document.unit.slug if document.unit else None)
        self._known: dict[str, Rows] = {}

    def expected(self, fact: Fact) -> float | None:
        """The fact's number from rows; None where it comes from records or from whole weeks."""
        kinds = {one.partition(":")[0] for one in fact.sources}
        if fact.how == "number of facts":
            [metric] = fact.sources
            return float(len(self._of_metric(metric)))
        if kinds == {SourceKind.METRIC}:
            return self._of_metrics(fact.how, [self.figure(one) for one in fact.sources])
        if kinds == {SourceKind.STAGE}:
            return self._of_stages(fact)
        return None

    def figure(self, source: str) -> float:
        _, key, when = source.split(":")
        found = figure(key, self._of_metric(source))
        return found / self._window(when).days if get(key).unit == UnitOfMeasure.PER_DAY else found

    @staticmethod
    def _of_metrics(how: str, values: Sequence[float]) -> float | None:
        match how:
            case "":
                return values[0]
            case "|now − before|":
                return abs(values[0] - values[1])
            case "|now − before| ÷ before × 100":
                return 100 * abs(values[0] - values[1]) / values[1]
            case "wasted ÷ spend × 100":
                return 100 * values[0] / values[1]
        return None

    def _of_stages(self, fact: Fact) -> float | None:
        own = self._stage(fact.sources[0])
        match fact.how:
            case "":
                return without_slowest(own)
            case "changes with all stages":
                return len(own)
            case "mean without the slowest 5% × changes ÷ months":
                days = self._window(NOW).days
                return without_slowest(own) * len(own) / 3600 / (days / (365.25 / 12))
        return None

    def _of_metric(self, source: str) -> Rows:
        _, key, when = source.split(":")
        return self._rows(source, key, self._window(when))

    def _stage(self, source: str) -> list[float]:
        metric, _, _ = STAGES[source.partition(":")[2]]
        return [row["contribution"] for row in self._rows(source, metric, self._window(NOW))]

    def _window(self, when: str) -> Window:
        return (self._document.before if when == BEFORE else self._document.quarter).window

    def _rows(self, source: str, key: str, window: Window) -> Rows:
        if source not in self._known:
            query, found = Query(key, window, scope=self._scope), list[Mapping[str, Any]]()
            while (page := read_rows(query, page=len(found) // PAGE + 1, size=PAGE)).rows:
                found += page.rows
                if len(found) >= page.total:
                    break
            self._known[source] = found
        return self._known[source]


def figure(key: str, rows: Rows) -> float:
    metric, contributions = get(key), [float(row["contribution"]) for row in rows]
    if metric.statistic is Statistic.MEDIAN:
        return statistics.median(contributions)
    if rows and "denominator" in rows[0]:
        of = math.fsum(row["denominator"] for row in rows)
        return math.fsum(contributions) / of * (100 if metric.unit == "percent" else 1)
    return math.fsum(contributions)


def without_slowest(seconds: Sequence[float]) -> float:
    """The mean without the slowest 5 %."""
    kept = sorted(seconds)[: len(seconds) - len(seconds) // 20]
    return statistics.fmean(kept)


def facts_of(document: ReportDocument) -> Iterator[Fact]:
    points: Sequence[Point] = document.points
    sentences = [sentence for point in points for _, sentence in point.sentences]
    for sentence in (document.headline, document.recommended, *document.examined, *sentences):
        yield from sentence.facts.values()
