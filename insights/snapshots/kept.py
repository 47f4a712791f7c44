"""Which spans of time have cells, and which of a metric's segments.

Whole days, weeks and months follow the facts within seconds.  Quarters and the trailing windows of the pages'
presets, each with the window it is compared with and the part bucket with which its trend begins, may lag.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache

from insights import windows
from insights.metrics.declarations import Metric
from insights.metrics.query import Dimension, Granularity, Window
from insights.metrics.reading import Edges
from insights.models import Period
from orgtree.services.fiscal_calendar import first_month

PROMPT = (Granularity.DAY, Granularity.WEEK, Granularity.MONTH)
# Of the whole organisation days are kept too.  Those of each of a thousand units would be most of all cells, and no
# page shows one: what is asked of a unit's days is read from facts.
OF_UNITS = (Granularity.WEEK, Granularity.MONTH, Granularity.QUARTER)
# What stands for a year would be read 365 times, whenever it is somebody else's: days of stocks are read from facts
# (docs/decisions/0020).
NOT_OF_STOCKS = frozenset({Period.DAY})
KEPT_SEGMENTS = (
    *(Dimension.AGENT, Dimension.MODEL, Dimension.TOKEN_KIND, Dimension.LANGUAGE, Dimension.FILE_TYPE),
    *(Dimension.ASSISTANCE, Dimension.WORK_TYPE, Dimension.SIZE_CLASS),
)
KEPT_YEARS = 5  # a repository may be much older; what lies before is read from facts
MOST_SEGMENT_VALUES = 12
# A thousand repositories are listed over a window of the pages, but drawn week by week nowhere.
MOST_LISTED_VALUES = 2_000
GRANULARITIES_SHOWN = (Granularity.WEEK, Granularity.MONTH, Granularity.QUARTER)


def kept_segments(metric: Metric) -> Sequence[tuple[Dimension, ...]]:
    """The ways to split the metric that have cells: not at all, and by one dimension at a time."""
    unsplit: tuple[tuple[Dimension, ...], ...] = () if metric.always_by else ((),)
    in_buckets = [dimension for dimension in KEPT_SEGMENTS if dimension in metric.segments]
    listed = [dimension for dimension in metric.listed_by if dimension not in KEPT_SEGMENTS]
    return (*unsplit, *((dimension,) for dimension in (*in_buckets, *listed)))


def only_in_windows(segments: Sequence[Dimension]) -> bool:
    """Whether what is split so is kept for the windows of the pages alone, and for no bucket."""
    return not set(segments) <= set(KEPT_SEGMENTS)


def bucket_edges(days: Window, granularity: Granularity) -> Edges:
    """The borders of all whole buckets that touch `days`."""
    found = windows.buckets(days, granularity)
    return (*(bucket.whole.start for bucket in found), found[-1].whole.end)


def lagging_windows(today: date) -> Collection[Window]:
    """The kept windows that are no whole buckets, as of that day."""
    return _lagging_windows(today, first_month())


@lru_cache(maxsize=8)
def _lagging_windows(today: date, _calendar: int) -> Collection[Window]:
    """Kept by the month in which quarters begin, too."""
    trailing = [windows.trailing(weeks, today=today) for weeks in windows.TRAILING_WEEKS]
    first = [windows.buckets(window, granularity)[0] for window in trailing for granularity in GRANULARITIES_SHOWN]
    parts = [bucket.clipped for bucket in first if bucket.clipped != bucket.whole]
    earlier = [windows.previous(window, today=today) for window in trailing]
    return frozenset((*trailing, *earlier, *parts))


def kept_from(today: date) -> date:
    """The first day that cells tell of, a whole number of fiscal quarters ago."""
    return windows.quarter_of(today.replace(year=today.year - KEPT_YEARS, day=1)).start


def kept_as(
    window: Window, today: date, granularities: Iterable[Granularity] = tuple(Granularity)
) -> tuple[Period, Window] | None:
    """The cell in which a window is kept, where these granularities are; None where it has none.

    The running bucket up to today is the same as the whole bucket: no fact lies beyond.
    """
    if window.start < kept_from(today):
        return None
    if window in lagging_windows(today):
        return Period.WINDOW, window
    for granularity in granularities:
        whole = windows.whole_bucket(window.start, granularity)
        runs = window.end == whole.end or today < window.end < whole.end
        if window.start == whole.start and runs:
            return Period(granularity.value), whole
    return None


def prompt_partitions(days: Window) -> Sequence[tuple[Period, Edges]]:
    """The buckets to compute anew after facts on `days` changed."""
    return [(Period(granularity.value), bucket_edges(days, granularity)) for granularity in PROMPT]


def of_windows(partitions: Sequence[tuple[Period, Edges]]) -> Sequence[tuple[Period, Edges]]:
    """Those of the partitions that are windows of the pages."""
    return [each for each in partitions if each[0] is Period.WINDOW]


def of_units(partitions: Sequence[tuple[Period, Edges]]) -> Sequence[tuple[Period, Edges]]:
    """Those of the partitions that are kept of units."""
    return [each for each in partitions if each[0] is not Period.DAY]


def lagging_partitions(days: Window, today: date) -> Sequence[tuple[Period, Edges]]:
    """The quarters and windows to compute anew after facts on `days` changed."""
    touched = [
        (Period.WINDOW, (window.start, window.end))
        for window in lagging_windows(today)
        if window.start < days.end and days.start < window.end
    ]
    return [(Period.QUARTER, bucket_edges(days, Granularity.QUARTER)), *touched]


def quarters_between(first: date, last: date) -> Iterable[Window]:
    """Whole fiscal quarters from the first day's to the last day's: the pieces in which everything is filled."""
    day = first
    while day <= last:
        quarter = windows.quarter_of(day)
        yield quarter
        day = quarter.end
