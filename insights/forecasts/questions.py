"""Questions about a forecast: changes, *when* for a number of items, and *how many* by a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from insights.forecasts.forecasting import Dates, InitiativeForecast
from insights.formulas.forecast import EVEN, LIKELY, SAFE, Changes, TooLittleHistory
from insights.query.errors import QueryError
from insights.query.parameters import read_day

MOST_PEOPLE, MOST_ITEMS = 50, 9999
AHEAD = timedelta(weeks=4)  # default for *how many*
FARTHEST = timedelta(days=730)
PARAMETERS = frozenset({"people", "scope", "wip", "count", "by"})


@dataclass(frozen=True)
class Question:
    """Changes to the future, a number of items, and a day."""

    changes: Changes
    items: int
    by: date

    @property
    def is_changed(self) -> bool:
        return bool(self.changes.people or self.changes.scope or self.changes.wip_limit)


@dataclass(frozen=True)
class Replies:
    """Dates with the changes, dates for that many more items, and the number of items finished by the day, by odds."""

    changed: Dates
    odds_of_planned: float | None
    when: Dates
    many: tuple[int, int, int]


def read_question(given: Mapping[str, str], made: InitiativeForecast) -> Question:
    """Parses the parameters as a question.  Raises QueryError for an invalid number or day."""
    by = read_day("by", given["by"]) if given.get("by") else made.today + AHEAD
    if not made.today <= by <= made.today + FARTHEST:
        raise QueryError("by", "It must be a day within the next two years.")
    return Question(
        Changes(
            people=_number(given, "people", -MOST_PEOPLE, MOST_PEOPLE) or 0,
            scope=_number(given, "scope", -MOST_ITEMS, MOST_ITEMS) or 0,
            wip_limit=_number(given, "wip", 1, MOST_ITEMS),
        ),
        items=_number(given, "count", 1, MOST_ITEMS) or max(1, made.initiative.remaining),
        by=by,
    )


def reply(made: InitiativeForecast, question: Question) -> Replies | None:
    """The answers to the question; None if there is too little history."""
    changed = made.with_changes(question.changes)
    when = made.when_so_many(question.items, question.changes)
    many = made.how_many(question.by, question.changes)
    if isinstance(changed, TooLittleHistory) or isinstance(when, TooLittleHistory):
        return None
    if isinstance(many, TooLittleHistory):
        return None
    return Replies(
        made.dates_of(changed),
        made.odds_by(made.planned_on, changed) if made.planned_on else None,
        made.dates_of(when),
        (many.at_least(EVEN), many.at_least(LIKELY), many.at_least(SAFE)),
    )


def _number(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    written = (given.get(name) or "").strip().replace("−", "-")
    if not written:
        return None
    digits = written.removeprefix("-").removeprefix("+")
    number = int(written) if digits.isascii() and digits.isdecimal() and len(digits) <= 5 else least - 1
    if not least <= number <= most:
        raise QueryError(name, f"It must be a whole number from {least:,} to {most:,}.")
    return number
