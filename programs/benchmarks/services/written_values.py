"""Values as people write them into a form: 26 h, 2 d, 85 %, $40, 3 a week; and back into the metric's unit."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from core.seconds import DAY, HOUR, MINUTE, MONTH, WEEK
from insights.query.enums import UnitOfMeasure

NUMBER = re.compile(r"([+-]?(?:\d{1,3}(?:[ ,]\d{3})+|\d+)(?:\.\d+)?|\.\d+)\s*(.*)")
GREATEST = 1e15  # beyond it a float counts no single pieces any more
SECONDS: Mapping[str, float] = {
    **dict.fromkeys(("", "h", "hour", "hours", "hr", "hrs"), HOUR),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "m", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "wk", "week", "weeks"), WEEK),
}
PER_DAY: Mapping[str, float] = {
    **dict.fromkeys(("", "day"), 1.0),
    **dict.fromkeys(("week", "w", "wk"), DAY / WEEK),
    **dict.fromkeys(("month",), DAY / MONTH),
}
THOUSANDS: Mapping[str, float] = {"": 1.0, "k": 1e3, "m": 1e6}
EXAMPLES: Mapping[UnitOfMeasure, str] = {
    UnitOfMeasure.SECONDS: "26 h, 2 d or 45 min",
    UnitOfMeasure.PERCENT: "85 or 85 %",
    UnitOfMeasure.CURRENCY: "40 or $40",
    UnitOfMeasure.PER_DAY: "1.5 a day, 3 a week or 2 a month",
    UnitOfMeasure.TOKENS: "2500 or 40k",
    UnitOfMeasure.LINES: "250 or 1.2k",
    UnitOfMeasure.COUNT: "12 or 3.5",
}


class UnreadableValueError(ValueError):
    """It cannot be read; the message says how it may be written."""


def read_value(text: str, unit: UnitOfMeasure) -> float | None:
    """In the metric's unit; None of an empty text.  Raises UnreadableValueError."""
    words = " ".join(text.replace("\u2009", " ").replace("\u00a0", " ").split()).lower()
    if not words:
        return None
    if unit is UnitOfMeasure.CURRENCY:
        words = words.removeprefix("$").strip()
    match = NUMBER.fullmatch(words)
    factor = _factors(unit).get(_word(match[2], unit)) if match else None
    if match is None or factor is None:
        raise UnreadableValueError(f"Write it as {EXAMPLES[unit]}.")
    value = float(re.sub(r"[ ,]", "", match[1])) * factor
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise UnreadableValueError("The number is too large.")
    if value < 0:
        raise UnreadableValueError("It cannot be negative.")
    if unit is UnitOfMeasure.PERCENT and value > 100:
        raise UnreadableValueError("A share is at most 100 %.")
    return value


def written(value: float | None, unit: UnitOfMeasure) -> str:
    """As a form shows it for changing: at most six digits, which `read_value` reads back."""
    if value is None:
        return ""
    if unit is UnitOfMeasure.SECONDS:
        word = next((name for name in ("d", "h", "min") if value >= SECONDS[name] * (2 if name == "d" else 1)), "s")
        return f"{_digits(value / SECONDS[word])} {word}"
    if unit is UnitOfMeasure.PER_DAY and 0 < value < 1:
        return f"{_digits(value * 7)} a week"
    suffix = {UnitOfMeasure.PERCENT: " %", UnitOfMeasure.PER_DAY: " a day"}.get(unit, "")
    return f"{'$' if unit is UnitOfMeasure.CURRENCY else ''}{_digits(value)}{suffix}"


def rounded(value: float, unit: UnitOfMeasure) -> float:
    """To what somebody would agree on: three digits of the unit in which it is written."""
    if value == 0 or not math.isfinite(value):
        return value
    scale = 1.0
    if unit is UnitOfMeasure.SECONDS:
        scale = next(size for size in (DAY * 2, HOUR, MINUTE, 1.0) if value >= size or size == 1.0)
        scale = DAY if scale == DAY * 2 else scale
    elif unit is UnitOfMeasure.PER_DAY and value < 1:
        scale = 1 / 7
    return float(f"{value / scale:.3g}") * scale


def _factors(unit: UnitOfMeasure) -> Mapping[str, float]:
    match unit:
        case UnitOfMeasure.SECONDS:
            return SECONDS
        case UnitOfMeasure.PER_DAY:
            return PER_DAY
        case UnitOfMeasure.PERCENT:
            return {"": 1.0}
        case _:
            return THOUSANDS


def _word(behind: str, unit: UnitOfMeasure) -> str:
    """What stands behind the number, without what says nothing: "% of all" is no unit, "per day" is day."""
    word = behind.strip().rstrip(".")
    if unit is UnitOfMeasure.PERCENT:
        return word.removeprefix("%").removeprefix("percent").strip()
    if unit is UnitOfMeasure.PER_DAY:
        return re.sub(r"^(?:/|an?\b|per\b)\s*", "", word)
    if unit in (UnitOfMeasure.LINES, UnitOfMeasure.TOKENS):
        return word.removesuffix(str(unit)).strip()
    if unit is UnitOfMeasure.CURRENCY:
        return word.removesuffix("usd").removesuffix("$").strip()
    return word


def _digits(value: float) -> str:
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e" in text and value >= 1 else text if "e" not in text else f"{value:.12f}".rstrip("0")
