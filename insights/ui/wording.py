"""Formatting of figures, days and durations for people.

No database, no request.  Values are in the units of the metric core (seconds, percent 0–100,
US dollars, plain counts); the output is for display and never parsed again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.utils import timezone
from django.utils.text import get_text_list

from core.seconds import DAY, HOUR, MINUTE
from insights.query.query import Granularity, Window

LONGEST = 1000  # digits of a duration: from here on the next unit is easier to read
READ_TO_THE_LAST_DIGIT = 100_000
FEWEST_BESIDE, MOST_BESIDE = 0.5, 200  # of a duration in the unit of another one
DURATIONS: Mapping[str, float] = {"s": 1.0, "min": MINUTE, "h": HOUR, "days": DAY}  # by unit, in seconds
HOURS_UNTIL_DAYS = 48  # "43.9 h" reads better than "1.8 days", "3.2 days" better than "77 h"
THIN_SPACE_UNITS = frozenset({"%"})  # set directly behind the number by the components


@dataclass(frozen=True)
class Reading:
    """A formatted number: the value in large type, followed by its unit in small type."""

    value: str
    unit: str = ""

    def __str__(self) -> str:
        if not self.unit:
            return self.value
        return f"{self.value}{self.unit}" if self.unit in THIN_SPACE_UNITS else f"{self.value} {self.unit}"


def reading(value: float, unit: str) -> Reading:
    """A metric's value in human units.  `unit` is one of the API's `unit_of_measure` values."""
    match unit:
        case "percent":
            return Reading(_decimals(value, 1), "%")
        case "currency":
            return Reading(money(value))
        case "seconds":
            return duration(value)
        case "per_day":
            return Reading(_decimals(value, 2), "/ day")
        case "lines" | "tokens":
            return Reading(compact(value), unit)
        case _:
            return Reading(compact(value))


def in_column(value: float, unit: str) -> str:
    """A value in a table whose heading names the lines or tokens that it counts."""
    return compact(value) if unit in ("lines", "tokens") else str(reading(value, unit))


def compact(value: float) -> str:
    """The number with three significant digits from a thousand up: 12, 3.4, 1.2k, 262k, 1.73M, 2.1B."""
    size = abs(value)
    if size < 1000 and round(size, 1) < 1000:
        return _decimals(value, 0) if float(value).is_integer() else _trim(_decimals(value, 1 if size >= 0.1 else 3))
    for limit, divisor, character in ((1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "B"), (math.inf, 1e12, "T")):
        if float(f"{size:.3g}") < limit:
            return f"{'−' if value < 0 else ''}{_significant(size / divisor)}{character}"
    raise AssertionError("every number is below infinity")


def exact(value: float, unit: str = "") -> str:
    """The number for a formula or a table: grouped digits, at most two decimals, cents for money."""
    if unit == "currency":
        return f"{'−' if value < 0 else ''}${abs(value):,.2f}"
    return f"{value:,.0f}" if round(value, 2) == round(value) else f"{value:,.2f}"


def money(value: float) -> str:
    """US dollars: cents below a hundred, whole dollars below a hundred thousand, then 123k and 1.2M."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    if 0 < size < 0.01:
        return f"{sign}<$0.01"
    if round(size, 2) < 100:
        return f"{sign}${size:.2f}"
    return f"{sign}${size:,.0f}" if round(size) < 100_000 else f"{sign}${compact(size)}"


def duration(seconds: float) -> Reading:
    size = abs(seconds)
    if size < MINUTE:
        return Reading(_decimals(seconds, 0), "s")
    if size < HOUR:
        return Reading(_decimals(seconds / MINUTE, 1 if size < 10 * MINUTE else 0), "min")
    if size < HOURS_UNTIL_DAYS * HOUR:
        return Reading(_decimals(seconds / HOUR, 1), "h")
    return Reading(_decimals(seconds / DAY, 1), "days")


def alike(values: Sequence[float], unit: str) -> list[Reading]:
    """Readings of values shown next to each other: durations in one unit, the smallest that shows them all."""
    known = [abs(value) for value in values if value]
    if unit != "seconds" or not known:
        return [reading(value, unit) for value in values]
    names = list(DURATIONS)
    larger = names[names.index(duration(min(known)).unit) :]
    name = next(name for name in larger if max(known) / DURATIONS[name] < LONGEST or name == "days")
    return [_duration_in(name, value) for value in values]


def signed(values: Sequence[float], unit: str = "") -> list[str]:
    """Differences with their signs, durations in the unit of the greatest: −0.9 h next to +8.2 h.

    Without a unit they have two decimals.
    """
    greatest = max(map(abs, values), default=0.0)
    if not unit:
        printed = [f"{abs(value):,.2f}" for value in values]
    elif unit == "seconds":
        printed = [str(_duration_in(duration(greatest).unit, abs(value))) for value in values]
    else:
        printed = [str(reading(abs(value), unit)) for value in values]
    return [f"{'−' if value < 0 else '+'}{text}" for value, text in zip(values, printed, strict=True)]


def _duration_in(name: str, seconds: float) -> Reading:
    return Reading(_decimals(seconds / DURATIONS[name], 0 if name == "s" else 1), name)


def beside(value: float, shown: float, unit: str) -> Reading:
    """A target in the unit of the value next to it, such as 1.0 days next to 2.1 days.

    It has its own unit if the other one would leave too few or too many digits.
    """
    if unit == "seconds":
        name = duration(shown).unit
        if FEWEST_BESIDE <= abs(value) / DURATIONS[name] < MOST_BESIDE:
            return _duration_in(name, value)
    return reading(value, unit)


def between(low: float, high: float, unit: str) -> str:
    """A range in one unit: 12.1–31.4 %, 240k–310k lines."""
    first, last = reading(low, unit), reading(high, unit)
    return f"{first.value}–{last}" if first.unit == last.unit else f"{first} – {last}"


UNITS: Mapping[str, str] = {
    "seconds": "duration",
    "percent": "percent",
    "count": "count",
    "per_day": "per day",
    "lines": "lines of code",
    "tokens": "tokens",
    "currency": "US dollars",
}


def difference(delta: float, unit: str) -> str:
    """The size of a change, without its sign: 6.1 pts, $31.00, 12 min, 1.2k."""
    size = abs(delta)
    if unit == "percent":
        return f"{_decimals(size, 1)} pts"
    return in_column(size, unit)


def percent_of(part: float, whole: float) -> str:
    """A share as a whole percentage; <1% and >99% keep small parts from looking like 0% or 100%."""
    if not whole:
        return "0%"
    share = part / whole * 100
    if 0 < share < 0.5:
        return "<1%"
    return ">99%" if 99.5 <= share < 100 else f"{share:.0f}%"


def still_to_come(days: int) -> str:
    """A sentence on how many days of stored facts are not counted yet; empty for none."""
    return f"{count(days, 'day')} still to come" if days else ""


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def period(start: datetime, end: datetime, zone: tzinfo) -> str:
    """The period by the clock of that zone: Tue 7 Jul 2026, 10:00–11:00."""
    begins, ends = start.astimezone(zone), end.astimezone(zone)
    last = f"{ends:%H:%M}" if begins.date() == ends.date() else f"{ends:%a} {day(ends.date())}, {ends:%H:%M}"
    return f"{begins:%a} {day(begins.date())}, {begins:%H:%M}–{last}"


def moment(at: datetime | None) -> str:
    """The time by the organisation's clock: 7 Jul 2026, 10:00; empty if it is unknown."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{day(local.date())}, {local:%H:%M}"


def days(window: Window) -> str:
    """The days of a window, its last day included: 3 Jul – 1 Oct 2026."""
    first, last = window.start, window.last_day
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%b} – {day(last)}"
    return f"{first.day} – {day(last)}"


def bucket(window: Window, granularity: Granularity) -> str:
    """The label of a bucket on an axis: the first day of a week or its clipped part, the month, the quarter."""
    first = window.start
    match granularity:
        case Granularity.MONTH:
            return f"{first:%b %Y}"
        case Granularity.QUARTER:
            return f"{first:%b} – {window.last_day:%b %Y}"
        case _:
            return f"{first.day} {first:%b}"


def span(window: Window) -> str:
    """The length of a window: 26 weeks, 92 days, 1 day."""
    if window.days % 7 == 0:
        return count(window.days // 7, "week")
    return count(window.days, "day")


def ago(at: datetime, now: datetime) -> str:
    seconds = max(0, (now - at).total_seconds())
    if seconds < 2:
        return "just now"
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            return f"{count(int(seconds // size), name)} ago"
    raise AssertionError("two seconds are more than one")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """1 session, 12 sessions, 1,204 people."""
    return f"{number:,} {noun if number == 1 else plural or plural_of(noun)}"


def plural_of(noun: str) -> str:
    """The plural of a noun: sessions, repositories, branches, days"""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("ch", "sh", "s")) else f"{noun}s"


def amount(value: float) -> str:
    """A number of facts: 1,116 in full, 1.73M shortened because nobody reads its last digits."""
    return f"{value:,.0f}" if value < READ_TO_THE_LAST_DIGIT else compact(value)


def counted(value: float, noun: str) -> str:
    """1 session, 1,116 sessions, 1.73M prompt tokens"""
    return f"{amount(value)} {noun if value == 1 else plural_of(noun)}"


def listed(words: list[str]) -> str:
    """a; a and b; a, b and c."""
    return get_text_list(words, "and")


def _decimals(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def _significant(value: float) -> str:
    size = abs(float(f"{value:.3g}"))
    return f"{value:.0f}" if size >= 100 else _trim(f"{value:.1f}" if size >= 10 else f"{value:.2f}")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
