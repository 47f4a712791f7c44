"""Forecasts key results that count finished items in the same way as initiatives: by Monte Carlo
(docs/forecasts.md).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insights.catalogue.declarations import Count, Metric
from insights.forecasts.forecasting import Dates, working_days
from insights.forecasts.listing import too_little_words
from insights.formulas.forecast import EVEN, LIKELY, SAFE, History, TooLittleHistory, how_many, when_finished
from insights.formulas.forecast_window import choose_window
from insights.formulas.working_days import WorkingDays
from insights.query.measures import Facts, Total
from insights.query.query import Window
from integrations.facts.work_items import DONE_WORK_ITEMS
from programs.key_results.services.forecasting import NOT_STARTED, OVER, Accumulation, Ahead, accumulation_of

DAYS_READ = 26 * 7
OUTER = 0.1  # the share of runs below the interval, and of those above it
NOTHING_FINISHED = "Too little history: no finished items."


def counts_items(metric: Metric | None) -> bool:
    """Whether the metric is a number of finished work items."""
    return (
        isinstance(metric, Count)
        and accumulation_of(metric) is Accumulation.SUM
        and isinstance(metric.of, Facts | Total)
        and metric.of.relation is DONE_WORK_ITEMS
    )


@dataclass(frozen=True)
class Reached:
    """The days by which a target is reached with odds of 50, 85 and 95 %, and the odds by the quarter's end."""

    dates: Dates
    odds: float


@dataclass(frozen=True, eq=False)
class ItemsOutlook:
    """The projection of the quarter's number of items from tomorrow, by replaying past weeks."""

    value: float
    history: History
    calendar: WorkingDays
    today: date
    seed: int

    def after(self, weeks: float) -> Ahead:
        """The quarter's value that many weeks from now."""
        days = self.calendar.until(self.today, self.today + timedelta(days=round(weeks * 7)))
        made = how_many(self.history, days, seed=self.seed)
        if isinstance(made, TooLittleHistory):
            raise TypeError("An outlook has history enough.")
        value, low, high = (self.value + made.at_least(odds) for odds in (EVEN, 1 - OUTER, OUTER))
        return Ahead(value, low, high)

    def reached(self, target: float, *, last: date) -> Reached | None:
        """The date on which the target number of items is reached, with odds; None if it is reached already."""
        remaining = math.ceil(target - self.value)
        if remaining <= 0:
            return None
        made = when_finished(self.history, remaining, seed=self.seed)
        if isinstance(made, TooLittleHistory):
            raise TypeError("An outlook has history enough.")
        numbers = [made.day_at(odds) for odds in (EVEN, LIKELY, SAFE)]
        days = [None if number is None else self.calendar.after(self.today, number) for number in numbers]
        return Reached(Dates(*days), made.odds_by(self.calendar.until(self.today, last)))


def items_outlook(
    value: float | None, finished: Sequence[tuple[date, float]], quarter: Window, *, today: date, name: str
) -> tuple[ItemsOutlook | None, str]:
    """The outlook from the items finished on days before today, or why there is none; `name` seeds the runs."""
    if today + timedelta(days=1) >= quarter.end:
        return None, OVER
    if today < quarter.start:
        return None, NOT_STARTED
    days = [day for day, items in finished if day < today for _ in range(round(items))]
    if not days:
        return None, NOTHING_FINISHED
    import numpy as np

    calendar = working_days(today)
    counts = calendar.counts(days, first=min(days), end=today)
    history = choose_window(History(counts, np.zeros_like(counts))).history
    seed = zlib.crc32(name.encode())
    made = how_many(history, 1, seed=seed)
    if isinstance(made, TooLittleHistory):
        return None, f"{too_little_words(made)}."
    return ItemsOutlook(value or 0.0, history, calendar, today, seed), ""
