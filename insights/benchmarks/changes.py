"""Changes of metrics between two four-week windows, and whether they exceed normal variation.

Normal variation is estimated from the year before: how much the value changed between pairs of windows the same
distance apart, one pair per week (insights/formulas/normal_variation.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insights.formulas.differences import ConfidenceInterval
from insights.formulas.normal_variation import interval_of_change
from insights.query.query import Answer, MetricValue, Query, Scope, Window

WINDOW_DAYS = 28  # four whole weeks: as many of each weekday on both sides
WINDOW_WEEKS = WINDOW_DAYS // 7
YEAR_WEEKS = 52
LONGEST_WEEKS = 20  # beyond that, a year has too few comparisons that are nearly independent


@dataclass(frozen=True)
class WindowPair:
    """Two windows of `WINDOW_DAYS`; `before` is the earlier one."""

    before: Window
    after: Window


@dataclass(frozen=True)
class MeasuredChange:
    """A metric in both windows; `usual` are its changes between pairs of windows in the year before."""

    key: str
    before: MetricValue
    after: MetricValue
    usual: Sequence[float]

    @property
    def interval(self) -> ConfidenceInterval | None:
        """The interval of the change beyond normal variation; None without two values, or if there are too few usual
        changes.
        """
        if self.before.value is None or self.after.value is None:
            return None
        return interval_of_change(self.after.value - self.before.value, self.usual, overlapping=WINDOW_WEEKS)


def pair_until(end: date) -> WindowPair:
    """The four weeks up to `end` (exclusive), and the four before them."""
    middle = end - timedelta(days=WINDOW_DAYS)
    return WindowPair(window_from(middle - timedelta(days=WINDOW_DAYS)), window_from(middle))


def window_from(start: date) -> Window:
    return Window(start, start + timedelta(days=WINDOW_DAYS))


def placebos(pair: WindowPair) -> list[WindowPair]:
    """The same comparison in the year before, each a week earlier than the last; empty if the windows are too far
    apart.
    """
    weeks = round((pair.after.start - pair.before.start).days / 7)
    if weeks > LONGEST_WEEKS:
        return []
    starts = [pair.before.start - timedelta(weeks=back) for back in range(weeks, YEAR_WEEKS + 1)]
    return [WindowPair(window_from(start), window_from(start + timedelta(weeks=weeks))) for start in starts]


def measured_changes(
    keys: Sequence[str], pair: WindowPair, scope: Scope, read: Callable[[Sequence[Query]], Sequence[Answer]]
) -> list[MeasuredChange]:
    """One change per metric, in order, from one call of `read` (`read_totals`, or `visible_totals` for a viewer).

    Raises QueryError and UnknownMetricError as `read` does.  Weeks before the first fact give no usual change.
    """
    pairs = placebos(pair)
    spans = list(dict.fromkeys(window for compared in (pair, *pairs) for window in (compared.before, compared.after)))
    answers = iter(read([Query(key, window, scope=scope) for key in keys for window in spans]))
    return [_change(key, pair, pairs, {window: next(answers).total[0] for window in spans}) for key in keys]


def _change(
    key: str, pair: WindowPair, pairs: Sequence[WindowPair], totals: dict[Window, MetricValue]
) -> MeasuredChange:
    first_day = min((window.start for window, figure in totals.items() if figure.sample_size), default=date.max)
    values = {window: figure.value if window.start >= first_day else None for window, figure in totals.items()}
    usual = [
        after - before
        for compared in pairs
        if (before := values[compared.before]) is not None and (after := values[compared.after]) is not None
    ]
    return MeasuredChange(key, totals[pair.before], totals[pair.after], usual)
