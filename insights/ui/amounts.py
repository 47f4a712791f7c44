"""Parses and formats amounts as people write them: 40 h, 3 days, 80%, $120, 12 points.

What is stored stands in the metric's unit of measure: seconds, percent from 0 to 100, US dollars, plain counts.
"""

from __future__ import annotations

import math
import re

from core.seconds import DAY, HOUR, MINUTE, WEEK
from insights.query.enums import UnitOfMeasure
from insights.ui import wording

SECONDS_IN = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("min", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("h", "hour", "hours"), HOUR),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "week", "weeks"), WEEK),
}
TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
MEANT_DIGITS = 4
GREATEST = 1e15  # beyond that a float no longer holds whole numbers
NUMBER = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?P<rest>.*)", re.ASCII
)
EXAMPLES = {
    UnitOfMeasure.SECONDS: "a duration with its unit, like 40 h, 3 days or 20 min",
    UnitOfMeasure.PERCENT: "a percentage, like 80%",
    UnitOfMeasure.CURRENCY: "an amount in US dollars, like $120 or 1.5k",
    UnitOfMeasure.PER_DAY: "a number a day, like 1.5",
}


class AmountError(ValueError):
    """The text is not a valid value; the message gives an example."""


def amount_text(value: float, unit: str) -> str:
    if unit in set(UnitOfMeasure):
        return str(wording.reading(value, unit))
    return f"{wording.exact(value)} {unit}".rstrip()


def written(value: float | None, unit: str) -> str:
    """As a field shows it, in the unit in which people would say it; rounded as people do."""
    if value is None:
        return ""
    if unit == UnitOfMeasure.SECONDS:
        size = abs(value)
        word, seconds = ("min", MINUTE) if size < 2 * HOUR else ("h", HOUR)
        if size < MINUTE:
            word, seconds = "s", 1
        elif size >= wording.HOURS_UNTIL_DAYS * HOUR:
            word, seconds = "days", DAY
        return f"{_digits(value / seconds)} {word}"
    return f"{_digits(value)}%" if unit == UnitOfMeasure.PERCENT else _digits(value)


def read_amount(text: str, unit: str) -> float:
    """The value that was written, in that unit of measure.  Raises AmountError."""
    cleaned = " ".join(text.replace("−", "-").replace("\u202f", " ").replace("\u00a0", " ").split())
    if unit == UnitOfMeasure.CURRENCY:
        cleaned = cleaned.replace("$", "", 1)
    match = NUMBER.fullmatch(cleaned.strip())
    if match is None:
        raise AmountError(f"“{text}” is not {_example(unit)}.")
    number = float(f"{match['sign']}{match['digits'].replace(',', '')}")
    value = number * _factor(match["rest"].strip().casefold(), unit, text)
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise AmountError("The number is too large.")
    return value


def _factor(rest: str, unit: str, text: str) -> float:
    if unit == UnitOfMeasure.SECONDS:
        if rest in SECONDS_IN:
            return SECONDS_IN[rest]
        raise AmountError(f"“{text}” is not {_example(unit)}.")
    words = {"percent": ("%", "percent"), "per_day": ("/ day", "/day", "a day", "per day")}.get(
        unit, (unit.casefold(),)
    )
    for word in filter(None, words):
        if rest == word or rest.endswith(f" {word}"):
            rest = rest[: -len(word)].strip()
            break
    if rest in TIMES:
        return TIMES[rest]
    raise AmountError(f"“{text}” is not {_example(unit)}.")


def _example(unit: str) -> str:
    known = {example_unit.value: words for example_unit, words in EXAMPLES.items()}
    return known.get(unit, "a number, like 12, 3.5 or 20k")


def _digits(value: float) -> str:
    """Four that count, and all before the point: 0.4413, 12.5, 12346."""
    if not value:
        return "0"
    before = math.floor(math.log10(abs(value))) + 1
    text = f"{value:.{max(0, MEANT_DIGITS - before)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
