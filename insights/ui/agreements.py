"""Thresholds and targets of a unit's metrics, for tiles and charts; the apps above register providers at start-up.

A provider is called once per page, for all metrics that the page shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.text import capfirst

from core.hooks import Hook
from insights.catalogue.registry import get
from insights.query.query import Granularity, Query, Scope, Statistic
from insights.ui import tiles, wording
from insights.ui.charts import ChartData, Line
from orgtree.access.access import Access


@dataclass(frozen=True)
class Agreement:
    """Threshold and target in the metric's unit, for a statistic (None: single-valued) and a period (None: any).

    `whose` names the unit that it is inherited from, empty for the unit itself; `url` is its page.  `higher_is_better`
    is the agreed direction; metrics without a direction of their own have one too.
    """

    threshold: float | None
    target: float | None
    statistic: Statistic | None
    period: Granularity | None
    whose: str
    url: str
    unit: str  # of measure
    higher_is_better: bool

    def is_of(self, query: Query) -> bool:
        """Whether figures of that query can be compared with the agreement."""
        return self.is_of_statistic(query) and self.period in (None, query.granularity)

    def is_of_statistic(self, query: Query) -> bool:
        metric = get(query.key)
        shown = (query.statistic or metric.statistic) if metric.statistics else None
        return shown == self.statistic

    @property
    def words(self) -> str:
        """The words of the agreement: Threshold 26 h · Target 18 h."""
        period = f", a {self.period.value}" if self.period else ""
        return " · ".join(line.label for line in self.lines) + period

    @property
    def lines(self) -> list[Line]:
        """The threshold and the target, as charts draw them."""
        lines: list[Line] = []
        if self.threshold is not None:
            lines.append(Line(self.threshold, self._words("Threshold", self.threshold), "threshold"))
        if self.target is not None:
            lines.append(Line(self.target, self._words("Target", self.target), "target"))
        return lines

    def on_tile(self, query: Query, value: float | None) -> tiles.Agreed | None:
        """The target line of that query's tile, in the unit of its value; None for another statistic, or for a part of
        the unit.
        """
        if query.facets or not self.is_of_statistic(query):
            return None
        aims = [
            f"{lead} {_unbroken(wording.beside(aim, aim if value is None else value, self.unit))}"
            for lead, aim in (("threshold", self.threshold), ("target", self.target))
            if aim is not None
        ]
        text = f"{', '.join(aims)}{f' a {self.period.value}' if self.period else ''}"
        agreed = tiles.Agreed(capfirst(text), self.url, self.words)
        # A target per week cannot be compared with the whole window of a tile.
        return agreed if value is None or self.period else replace(agreed, reached=self.reached(value))

    def reached(self, value: float) -> tiles.Reached:
        """The level that a value of the agreed statistic and period has reached."""

        def is_met(aim: float) -> bool:
            return value >= aim if self.higher_is_better else value <= aim

        if self.target is not None and is_met(self.target):
            return "target"
        return "threshold" if self.threshold is not None and is_met(self.threshold) else "neither"

    def _words(self, lead: str, value: float) -> str:
        return f"{lead} {wording.reading(value, self.unit)}{f' ({self.whose})' if self.whose else ''}"


def _unbroken(reading: object) -> str:
    """The text with non-breaking spaces, so that a figure stays on one line with its unit."""
    return str(reading).replace(" ", "\u00a0")


Offer = Callable[[Sequence[str], Scope, Access], Mapping[str, Agreement]]
# Metric keys and scope → the agreements of that unit or the whole organisation.
agreement_providers: Hook[Offer] = Hook()


def agreements_on(keys: Sequence[str], scope: Scope, access: Access) -> Mapping[str, Agreement]:
    """Agreements by metric; empty for parts of a unit and for individuals, who have no targets."""
    if scope.person_id is not None or scope.where or scope.unassigned is not None:
        return {}
    agreements: dict[str, Agreement] = {}
    for offer in agreement_providers:
        agreements |= offer(keys, scope, access)
    return agreements


def with_agreement(chart: ChartData, access: Access) -> ChartData:
    """The chart with the threshold and target of its metric, before other lines.

    Nothing is added for several metrics at once, for the parts of a sum, or for parts of a unit.
    """
    query = chart.query
    if query is None or query.facets or not chart.days:
        return chart
    is_of_one_metric = len(chart.datasets) == 1
    if query.segments:
        is_of_one_metric = chart.kind == "line" and not get(query.key).adds_up
    if not is_of_one_metric:
        return chart
    return replace(chart, benchmarks=[*agreement_lines(query, access), *chart.benchmarks])


def agreement_lines(query: Query, access: Access) -> Sequence[Line]:
    """Threshold and target of that query; empty if they are for another statistic or period."""
    agreed = agreements_on([query.key], query.scope, access).get(query.key)
    return agreed.lines if agreed is not None and agreed.is_of(query) else ()
