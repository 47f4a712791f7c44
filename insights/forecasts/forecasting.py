"""The forecast of an initiative: its history by working day, and the dates that follow from it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from core.cache import Cache
from insights.formulas.forecast import (
    EVEN,
    FEWEST_DAYS,
    FEWEST_FINISHED,
    LIKELY,
    NO_CHANGES,
    SAFE,
    WEEK,
    Changes,
    Forecast,
    History,
    Part,
    Throughput,
    TooLittleHistory,
    how_many,
    when_finished,
)
from insights.formulas.forecast_window import ChosenWindow, change_of_team, choose_window
from insights.formulas.working_days import WorkingDays
from integrations.delivery.records.initiatives import Initiative
from integrations.delivery.records.sprint import delivered_on_board
from integrations.models import Sprint
from orgtree.models import Organisation
from orgtree.organisation.public_holidays import days_off

DAYS_OF_BOARD = timedelta(weeks=26)
YEARS = 5  # of holidays before and after today
WORKING_SHARE = 5 / 7  # of the days that an item was active


def _bytes_of(made: Forecast | TooLittleHistory) -> int:
    return 600 + (made.days.nbytes if isinstance(made, Forecast) else 0)


forecasts_by_input: Cache[Forecast | TooLittleHistory] = Cache(8_000_000, _bytes_of)
"""Forecasts, each by all its input: 16 kB each, and 10 ms to draw."""


@dataclass(frozen=True)
class Dates:
    """Days by which an initiative is finished with odds of 50, 85 and 95 %; None: not within two years."""

    even: date | None
    likely: date | None
    safe: date | None


@dataclass(frozen=True, eq=False)
class InitiativeForecast:
    """The forecast of an initiative, made at the end of a day from what was known then."""

    initiative: Initiative
    today: date
    calendar: WorkingDays
    window: ChosenWindow
    forecast: Forecast | TooLittleHistory

    @cached_property
    def dates(self) -> Dates | None:
        """The dates; None if there is too little history."""
        forecast = self.forecast
        return None if isinstance(forecast, TooLittleHistory) else self.dates_of(forecast)

    def dates_of(self, forecast: Forecast) -> Dates:
        days = (forecast.day_at(odds) for odds in (EVEN, LIKELY, SAFE))
        return Dates(*(None if day is None else self.calendar.after(self.today, day) for day in days))

    def odds_by(self, day: date, forecast: Forecast | None = None) -> float | None:
        """The odds (0–1) of being finished by a day; None if there is too little history."""
        made = forecast or self.forecast
        if isinstance(made, TooLittleHistory):
            return None
        number = self.calendar.until(self.today, day)
        return 0.0 if number < 0 else made.odds_by(number)

    @property
    def planned_on(self) -> date | None:
        return self.initiative.planned_on

    @property
    def is_at_risk(self) -> bool:
        """Whether the 85 % date is later than planned."""
        if self.planned_on is None or self.dates is None:
            return False
        return self.dates.likely is None or self.dates.likely > self.planned_on

    @property
    def days_late(self) -> int | None:
        """Working days from the planned day to the 85 % date; None if either is missing."""
        if self.planned_on is None or self.dates is None or self.dates.likely is None:
            return None
        return self.calendar.until(self.planned_on, self.dates.likely)

    @property
    def added_since_start(self) -> int:
        """Items added since work began, minus those dropped."""
        start = self.initiative.started_on
        if start is None:
            return 0
        return sum(day > start for day in self.initiative.added) - sum(day > start for day in self.initiative.dropped)

    @property
    def weekly(self) -> float:
        """Items finished per week in the history that is replayed."""
        history = self.window.history
        share = history.part.share if history.part else 1.0
        return history.total * share / history.days * WEEK if history.days else 0.0

    @property
    def part(self) -> Part | None:
        """The initiative's part of its team's history, if it is too young for a pace of its own; otherwise None."""
        return self.window.history.part

    @property
    def seed(self) -> int:
        return zlib.crc32(f"{self.initiative.kind} {self.initiative.key}".encode())

    def with_changes(self, changes: Changes) -> Forecast | TooLittleHistory:
        remaining = self.initiative.remaining
        return _drawn_once(self.window.history, remaining, seed=self.seed, changes=self._complete(changes))

    def how_many(self, day: date, changes: Changes = NO_CHANGES) -> Throughput | TooLittleHistory:
        """The number of items that will be finished from tomorrow to that day."""
        days = max(0, self.calendar.until(self.today, day))
        return how_many(self.window.history, days, seed=self.seed, changes=self._complete(changes))

    def when_so_many(self, items: int, changes: Changes = NO_CHANGES) -> Forecast | TooLittleHistory:
        """Forecasts when that many more items are finished, ignoring items that are added."""
        import numpy as np

        past = self.window.history
        history = replace(past, added=np.zeros_like(past.added))
        return when_finished(history, items, seed=self.seed, changes=self._complete(replace(changes, scope=0)))

    def _complete(self, changes: Changes) -> Changes:
        active = self.initiative.active_days
        return replace(
            changes,
            team=len(self.initiative.people),
            active_days=active * WORKING_SHARE if active else None,
        )


def _drawn_once(history: History, remaining: int, *, seed: int, changes: Changes) -> Forecast | TooLittleHistory:
    """`when_finished`, cached by its arguments."""
    days = hashlib.blake2b(history.finished.tobytes() + history.added.tobytes()).hexdigest()
    key = f"{days} {history.days} {history.part} {remaining} {seed} {changes}"
    made = forecasts_by_input.get(key)
    if made is None:
        made = when_finished(history, remaining, seed=seed, changes=changes)
        forecasts_by_input.put(key, made)
    return made


def working_days(today: date) -> WorkingDays:
    """The organisation's working days."""
    years = range(today.year - YEARS, today.year + YEARS + 1)
    return WorkingDays.without(*days_off(Organisation.current().holidays_in, years))


def forecast_of(
    initiative: Initiative,
    *,
    today: date,
    calendar: WorkingDays,
    team_sizes: Sequence[int] = (),
    team_finished: Sequence[date] = (),
) -> InitiativeForecast:
    """The forecast at the end of `today`; `team_sizes` are those of the last working days before it.

    If there is too little history, it uses `team_finished`, the days on which the team finished any items lately.
    """
    since = change_of_team(team_sizes)
    history = history_of(initiative, today=today, calendar=calendar)
    if is_young(history) and team_finished:
        history = _history_of_team(initiative, team_finished, today=today, calendar=calendar) or history
    window = choose_window(history, days_since_change=since)
    made = InitiativeForecast(initiative, today, calendar, window, TooLittleHistory(history.total, history.days))
    return replace(made, forecast=made.with_changes(NO_CHANGES))


def history_of(initiative: Initiative, *, today: date, calendar: WorkingDays) -> History:
    """Items finished and added on each working day since work began; today is not over and is left out.

    For kinds without an end, only the items that are open today are forecast, as if none were added.
    """
    import numpy as np

    start = initiative.started_on
    if start is None or start >= today:
        return History(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    first_growth = start + timedelta(days=1)  # items added until then are the initial scope

    finished, added, dropped = (
        calendar.counts([day for day in days if day >= earliest], first=start, end=today)
        for days, earliest in (
            (initiative.done, start),
            (initiative.added, first_growth),
            (initiative.dropped, first_growth),
        )
    )
    return History(finished, added - dropped if initiative.kind.has_end else np.zeros_like(added))


def forecast_of_sprint(sprint: Sprint, remaining: int, *, today: date) -> Forecast | TooLittleHistory:
    """Forecasts when that many items are done, at the pace at which sprints of the same board were worked off."""
    delivered = delivered_on_board(sprint.connection_id, sprint.board, since=today - DAYS_OF_BOARD)
    return when_finished(
        history_of_board(delivered, end=today, calendar=working_days(today)), remaining, seed=seed_of_sprint(sprint.pk)
    )


def history_of_board(delivered: Sequence[date], *, end: date, calendar: WorkingDays) -> History:
    """The part to replay of the last half year before `end`: the items of the board's sprints that were done."""
    import numpy as np

    days = [day for day in delivered if end - DAYS_OF_BOARD <= day < end]
    counts = calendar.counts(days, first=min(days), end=end) if days else np.zeros(0, dtype=np.int64)
    return choose_window(History(counts, np.zeros_like(counts))).history


def seed_of_sprint(sprint: int) -> int:
    return zlib.crc32(f"sprint {sprint}".encode())


def is_young(history: History) -> bool:
    """Whether the history is too short to forecast from, although something was finished in it."""
    return history.total > 0 and (history.total < FEWEST_FINISHED or history.days < FEWEST_DAYS)


def _history_of_team(
    initiative: Initiative, finished: Sequence[date], *, today: date, calendar: WorkingDays
) -> History | None:
    """The team's throughput, with the initiative's part of it since work began; the scope is assumed not to grow."""
    import numpy as np

    past, start = [day for day in finished if day < today], initiative.started_on
    if start is None or not past:
        return None
    own = sum(start <= day < today for day in initiative.done)
    part = Part(own, max(own, sum(day >= start for day in past)))
    counts = calendar.counts(past, first=min(past), end=today)
    return History(counts, np.zeros_like(counts), part)


def as_of(initiative: Initiative, day: date) -> Initiative:
    """The initiative as it was at the end of a day: without items that were added, finished or dropped later."""
    later = [sum(one > day for one in days) for days in (initiative.added, initiative.done, initiative.dropped)]
    added, done, dropped = later
    return replace(
        initiative,
        remaining=max(0, initiative.remaining + done + dropped - added),
        added=[one for one in initiative.added if one <= day],
        done=[one for one in initiative.done if one <= day],
        dropped=[one for one in initiative.dropped if one <= day],
        started_on=initiative.started_on if initiative.started_on and initiative.started_on <= day else None,
    )
