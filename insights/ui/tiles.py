"""Tiles and chart cards, built from the metric core's answers.

The components in templates/components/ print these fields and compute nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal, Protocol

from django.utils import timezone

from core.page_links import Picker
from insights.catalogue.declarations import Metric
from insights.engine.read import FRESH_FOR
from insights.formulas.normal_variation import is_within_variation
from insights.query import windows
from insights.query.query import Answer, Dimension, Granularity, MetricValue, Window
from insights.ui import wording

STEADY_SHARE = 0.01  # a smaller change is shown as steady
SHORTEST_SPARK = 3  # two points are a line, not a trend
LAG_WORTH_SAYING = timedelta(seconds=10)
STEADY_POINTS = 0.5  # for percentages, in percentage points

State = Literal["value", "no_data", "hidden", "error", "stale"]
Span = Literal[3, 4, 5, 6, 7, 8, 12]  # columns of twelve


@dataclass(frozen=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True)
class Band:
    """A figure's band in a published set: the number of filled bars (of four), and the label."""

    filled: int
    word: str
    title: str = ""  # the set and its caveats


Reached = Literal["target", "threshold", "neither", ""]
Judgement = Literal["better", "worse", "steady", "higher", "lower"]


@dataclass(frozen=True)
class Agreed:
    """The metric's threshold and target for the unit: "Threshold 26 h, target 18 h"."""

    text: str
    url: str
    title: str  # names the unit that it is inherited from
    reached: Reached = ""  # by the tile's figure; empty if it covers another period

    @property
    def word(self) -> str:
        """The status in words, for readers who can't see the icon."""
        words = {"target": "On target", "threshold": "Within threshold", "neither": "Off target"}
        return words.get(self.reached, "")

    @property
    def icon(self) -> str:
        icons = {"target": "target", "threshold": "circle-check", "neither": "arrow-right"}
        return icons.get(self.reached, "ruler-measure")


@dataclass(frozen=True)
class Change:
    arrow: Literal["up", "down", "flat"]
    judgement: Judgement
    text: str  # signed, with its unit: "+6.1 pts", "−$31.00"; "no change"
    comparison: str  # "vs. previous 12 weeks"

    @property
    def judged(self) -> str:
        """The judgement “better” or “worse”; empty if the direction does not matter, or nothing changed."""
        return self.judgement if self.judgement in ("better", "worse") else ""

    @property
    def words(self) -> str:
        """The change with its judgement: “+6.1 pts (better)”, “+$31.00”, “no change”."""
        return f"{self.text} ({self.judged})" if self.judged else self.text


@dataclass(frozen=True)
class Tile:
    key: str
    label: str
    value: str | None
    unit: str = ""
    spark: Sequence[float | None] = ()
    change: Change | None = None
    since: str = ""  # "since 28 Nov 2026": the first day of data, if there is nothing earlier to compare with
    sample: str = ""
    state: State = "value"
    reason: str = ""
    reason_link: Link | None = None
    how_url: str = ""
    rows_url: str = ""
    to_date: bool = False
    note: str = ""
    band: Band | None = None
    agreed: Agreed | None = None


@dataclass(frozen=True)
class ChartCard:
    key: str
    title: str
    info: str
    kind: Literal["line", "area", "stacked_bar", "donut"]
    data_url: str
    csv_url: str
    how_url: str = ""
    rows_url: str = ""
    note_url: str = ""  # where a note is written; empty if the viewer may not write one
    summary: str = ""
    pickers: Sequence[Picker] = ()
    caveat: str = ""
    change: Change | None = None
    state: State = "value"
    reason: str = ""
    reason_link: Link | None = None
    span: Span = 6
    swaps: str = ""  # what its pickers replace, by default the card
    template: ClassVar[str] = "components/chart_card.html"


def whole(answer: Answer) -> MetricValue:
    """The figure of the whole window of a query without segments."""
    return answer.total[0]


def missing_state(figure: MetricValue) -> Literal["no_data", "hidden"]:
    """The state of a figure without a value: no data, or hidden from the viewer."""
    return "hidden" if figure.withheld else "no_data"


def by_segment(answer: Answer, dimension: Dimension) -> Mapping[str, MetricValue]:
    """The whole window's figures of a segmented query, by the segment's value; empty if there are no facts."""
    return {figure.segment[dimension]: figure for figure in answer.total if dimension in figure.segment}


class Judged(Protocol):
    """The rules by which a change of a value is judged: a metric, or a frozen document's copy of them."""

    @property
    def unit(self) -> str: ...  # of measure
    @property
    def better(self) -> str: ...


def change(
    metric: Metric,
    now: MetricValue,
    before: MetricValue,
    comparison: str,
    series: Sequence[MetricValue] = (),
    *,
    long: int | None = None,
) -> Change | None:
    """The change of the figure, see `change_between`.

    Also steady if it is too uncertain to judge: if a figure is below the minimum sample, or if `series` varies as much
    by itself.  The series is that of the window or, if it has no more than `long` buckets, of a longer one.
    """
    found = change_between(metric, now.value, before.value, comparison)
    if found is None or found.judgement not in ("better", "worse") or now.value is None or before.value is None:
        return found
    is_small = min(now.sample_size, before.sample_size) < metric.minimum_sample
    is_mean = now.denominator is not None or metric.statistic is not None  # not a sum, which grows with the window
    usual = [bucket.value for bucket in series if bucket.value is not None and not bucket.to_date] if is_mean else []
    if is_small or is_within_variation(now.value - before.value, usual, long=long):
        return change_of("steady", "", is_up=False, comparison=comparison)
    return found


def change_between(metric: Judged, now: float | None, before: float | None, comparison: str) -> Change | None:
    """The change between two values, judged by the metric's direction; None if one is missing or both are 0.

    A change that would print as zero is steady.
    """
    if now is None or before is None or now == before == 0:
        return None
    delta = now - before
    size = wording.difference(delta, metric.unit)
    judgement = "steady" if _is_printed_zero(size) else _judgement(metric, delta, before)
    return change_of(judgement, size, is_up=delta > 0, comparison=comparison)


def change_of(judgement: Judgement, size: str, *, is_up: bool, comparison: str) -> Change:
    """A change from its unsigned size in words; a steady one has the text “no change”."""
    against = f"vs. {comparison}" if comparison else ""
    if judgement == "steady":
        return Change("flat", judgement, "no change", against)
    return Change("up" if is_up else "down", judgement, f"{'+' if is_up else '−'}{size}", against)


def _is_printed_zero(text: str) -> bool:
    return not any(digit in text for digit in "123456789")


def evidence_range(metric: Metric, figure: MetricValue) -> str:
    """The range from line-level evidence alone to all evidence; empty if both give the same."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = wording.reading(figure.low, metric.unit), wording.reading(figure.high, metric.unit)
    return "" if low == high else f"{wording.between(figure.low, figure.high, metric.unit)} by evidence"


def earlier(window: Window, before: Window) -> str:
    """The words for the window that a figure is compared with; for an unfinished window, the same number of days of the
    previous one.
    """
    if before.days == window.days:
        return "previous " + wording.span(before).removeprefix("1 ")
    return f"the first {wording.span(before)} of the one before"


def stub(series: Sequence[MetricValue], granularity: Granularity) -> Window | None:
    """The first bucket, if less than half of its week, month or quarter lies in the window.

    As a point of a line it would suggest a rise that never happened; tables and CSV have it.
    """
    if not series:
        return None
    first = series[0].window
    whole_days = windows.whole_bucket(first.start, granularity).days
    return first if first.days * 2 < whole_days and series[-1].window != first else None


def spark(answer: Answer) -> list[float | None]:
    """The values of the buckets, without a stub; empty if they are too few for a trend."""
    left_out = stub(answer.series, answer.query.granularity)
    values = [bucket.value for bucket in answer.series if bucket.window != left_out]
    return values if sum(value is not None for value in values) >= SHORTEST_SPARK else []


def _is_steady(metric: Judged, delta: float, before: float) -> bool:
    if metric.unit == "percent":
        return abs(delta) < STEADY_POINTS
    return abs(delta) <= abs(before) * STEADY_SHARE


def _judgement(metric: Judged, delta: float, before: float) -> Judgement:
    if _is_steady(metric, delta, before):
        return "steady"
    if metric.better == "neither":
        return "higher" if delta > 0 else "lower"
    return "better" if (delta > 0) == (metric.better == "higher") else "worse"


def lagging(answer: Answer) -> str:
    """“as of 10:12:01” for figures that lag behind new facts, such as trailing windows; empty otherwise."""
    answered_at = answer.fresh_until - FRESH_FOR
    if answered_at - answer.computed_at < LAG_WORTH_SAYING:
        return ""
    return f"as of {timezone.localtime(answer.computed_at):%H:%M:%S}"


def small_sample(metric: Metric, figure: MetricValue) -> str:
    """The note of a value below the minimum sample, which is shown and marked, never withheld."""
    if not figure.sample_size or figure.sample_size >= metric.minimum_sample:
        return ""
    return f"Small sample: {figure.sample_size} of the {metric.minimum_sample} that a stable figure needs."
