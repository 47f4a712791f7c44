"""Parses and formats amounts as people write them: 40 h, 3 days, 80%, $120, 3 a week, 12 points.

Values are stored in the metric's unit of measure: seconds, percent from 0 to 100, US dollars, plain counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from core.seconds import DAY, HOUR, MINUTE, MONTH, WEEK
from insights.query.enums import UnitOfMeasure
from insights.ui import wording

SECONDS_IN: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "wk", "week", "weeks"), WEEK),
}
PER_DAY: Mapping[str, float] = {
    **dict.fromkeys(("", "d", "day"), 1),
    **dict.fromkeys(("w", "wk", "week"), DAY / WEEK),
    "month": DAY / MONTH,
}
TIMES: Mapping[str, float] = {"": 1, "k": 1e3, "m": 1e6, "b": 1e9}
WORDS: Mapping[str, tuple[str, ...]] = {UnitOfMeasure.PERCENT: ("%", "percent"), UnitOfMeasure.CURRENCY: ("usd",)}
MEANT_DIGITS = 6
GREATEST = 1e15  # beyond that a float no longer holds whole numbers
NUMBER = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<digits>\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?P<rest>.*)", re.ASCII
)
EXAMPLES: Mapping[str, str] = {
    UnitOfMeasure.SECONDS: "a duration with its unit, like 40 h, 3 days or 20 min",
    UnitOfMeasure.PERCENT: "a percentage, like 80%",
    UnitOfMeasure.CURRENCY: "an amount in US dollars, like $120 or 1.5k",
    UnitOfMeasure.PER_DAY: "a rate, like 1.5 a day, 3 a week or 2 a month",
}


class AmountError(ValueError):
    """The text is not a valid value; the message gives an example."""


def amount_text(value: float, unit: str) -> str:
    if unit in set(UnitOfMeasure):
        return str(wording.reading(value, unit))
    return f"{wording.exact(value)} {unit}".rstrip()


def example(unit: str) -> str:
    """An example of an amount in that unit."""
    return EXAMPLES.get(unit, "a number, like 12, 3.5 or 20k")


def written(value: float | None, unit: str) -> str:
    """The amount as a field shows it, in the unit that people would use, rounded as people would round it."""
    if value is None:
        return ""
    scale, word = _scale(value, unit)
    sign = "$" if unit == UnitOfMeasure.CURRENCY and value >= 0 else ""
    return f"{sign}{_digits(value / scale)}{word}"


def unit_scale(value: float, unit: str) -> float:
    """The divisor that turns a value into the unit in which it is written."""
    return _scale(value, unit)[0]


def rounded(value: float, unit: str) -> float:
    """The value rounded to a precision that people would agree on: three digits in the unit in which it is written."""
    scale, _ = _scale(value, unit)
    return float(f"{value / scale:.3g}") * scale


def read_amount(text: str, unit: str) -> float:
    """Parses the value in that unit of measure.  Raises AmountError."""
    cleaned = " ".join(text.replace("−", "-").split())
    if unit == UnitOfMeasure.CURRENCY:
        cleaned = cleaned.replace("$", "", 1)
    match = NUMBER.fullmatch(cleaned.strip())
    factor = _factor(match["rest"].strip().casefold(), unit) if match else None
    if match is None or factor is None:
        raise AmountError(f"“{text}” is not {example(unit)}.")
    value = float(re.sub("[, ]", "", match["sign"] + match["digits"])) * factor
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise AmountError("The number is too large.")
    return value


def _factor(rest: str, unit: str) -> float | None:
    """The factor that the words after a number stand for; None if they mean nothing."""
    if unit == UnitOfMeasure.SECONDS:
        return SECONDS_IN.get(rest)
    if unit == UnitOfMeasure.PER_DAY:
        return PER_DAY.get(re.sub(r"^(?:/|an?\b|per\b)\s*", "", rest))
    for word in filter(None, WORDS.get(unit, (unit.casefold(),))):
        if rest == word or rest.endswith(f" {word}"):
            return TIMES.get(rest.removesuffix(word).strip())
    return TIMES.get(rest)


def _scale(value: float, unit: str) -> tuple[float, str]:
    """The divisor for printing a value, and the suffix of the number."""
    size = abs(value)
    if unit == UnitOfMeasure.SECONDS:
        if size < MINUTE:
            return 1, " s"
        if size < 2 * HOUR:
            return MINUTE, " min"
        return (HOUR, " h") if size < wording.HOURS_UNTIL_DAYS * HOUR else (DAY, " days")
    if unit == UnitOfMeasure.PER_DAY:
        return (DAY / WEEK, " a week") if 0 < size < 1 else (1, " a day")
    return 1, "%" if unit == UnitOfMeasure.PERCENT else ""


def _digits(value: float) -> str:
    """The number with six significant digits, and all digits before the point: 0.441304, 12.5, 1234567."""
    if not value:
        return "0"
    before = math.floor(math.log10(abs(value))) + 1
    text = f"{value:.{max(0, MEANT_DIGITS - before)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
