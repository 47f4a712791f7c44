"""The quarter of a page, and the quarters to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from insights.query import windows
from insights.query.errors import QueryError
from insights.ui import wording
from programs.models import Quarter
from programs.quarters.fiscal_quarters import QUARTERS_AHEAD, current_quarter, following, quarters_from


@dataclass(frozen=True)
class QuarterChoice:
    label: str  # 2026-Q4
    days: str
    note: str  # "now", "closed", "next"
    url: str
    active: bool


@dataclass(frozen=True)
class Quarters:
    """The known quarters, earliest first, including the current one and a future one that is open."""

    known: Sequence[Quarter]
    today: date

    @property
    def current(self) -> Quarter:
        return next(quarter for quarter in self.known if quarter.start <= self.today < quarter.end)

    def starting(self, word: str) -> Quarter:
        """The quarter with that first day; by default the current one.  Raises QueryError."""
        if not word:
            return self.current
        quarter = next((other for other in self.known if other.start.isoformat() == word), None)
        if quarter is None:
            raise QueryError("quarter", f"quarter= is the first day of a quarter, like {self.current.start}.")
        return quarter

    def before(self, quarter: Quarter) -> Quarter | None:
        return next((other for other in reversed(self.known) if other.end <= quarter.start), None)

    def after(self, quarter: Quarter) -> Quarter | None:
        return next((other for other in self.known if other.start >= quarter.end), None)

    def open(self) -> list[Quarter]:
        """Quarters open for planning: the current one and the next four.

        A future quarter is stored when something is first planned for it: a stored one keeps its days when the fiscal
        calendar changes.
        """
        ahead = quarters_from(self.known, self.today, QUARTERS_AHEAD + 1)
        known = [quarter for quarter in self.known if quarter not in ahead]
        to_plan = (quarter for quarter in [*known, *ahead] if not quarter.is_closed and quarter.end > self.today)
        return sorted(to_plan, key=lambda quarter: quarter.start)


def quarters(today: date) -> Quarters:
    """The known quarters; one query once the current and the next one are stored."""
    known = list(Quarter.objects.all())
    has_current = any(quarter.start <= today < quarter.end for quarter in known)
    if not has_current or not any(quarter.start > today and not quarter.is_closed for quarter in known):
        upcoming = following(current_quarter())
        while upcoming.is_closed:
            upcoming = following(upcoming)
        known = list(Quarter.objects.all())
    return Quarters(known, today)


def choices(choice: Quarters, chosen: Quarter, url_of: Callable[[Quarter], str]) -> list[QuarterChoice]:
    """The choices, latest first."""
    return [
        QuarterChoice(
            str(quarter), wording.days(quarter.window), _note(choice, quarter), url_of(quarter), quarter == chosen
        )
        for quarter in reversed(choice.known)
    ]


def elapsed_text(quarter: Quarter, today: date) -> str:
    """The elapsed share of the quarter, including today: 57% passed, 40 days left."""
    if today < quarter.start:
        return f"begins in {wording.count((quarter.start - today).days, 'day')}"
    if today >= quarter.end:
        return f"over since {wording.day(quarter.window.last_day)}"
    days, passed = quarter.window.days, windows.passed(quarter.window, today=today).days
    return f"{wording.percent_of(passed, days)} passed, {wording.count(days - passed, 'day')} left"


def quarter_url(quarter: Quarter) -> str:
    return reverse("quarter", args=[quarter.start])


def _note(choice: Quarters, quarter: Quarter) -> str:
    if quarter.is_closed:
        return "closed"
    if quarter == choice.current:
        return "now"
    return "to be closed" if quarter.end <= choice.today else "to come"
