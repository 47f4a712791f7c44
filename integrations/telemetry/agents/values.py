"""Validation and coercion of attribute values.

Invalid values raise a BadRecordError that names the attribute, never its value, which may be sensitive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

ABSENT = ("", "undefined", "null")  # JavaScript's texts for a missing value
LARGEST_COUNT = 10**12  # per record; larger counts are implausible, and their sums would overflow
LARGEST_AMOUNT = 10**9  # US dollars per record
_LAST_DIGIT = Decimal("1e-10")
MOST_LEVELS = 16  # for nested lists
NANOSECONDS_PER_MICROSECOND = 1000
MICROSECONDS_TO_2000 = 946_684_800_000_000  # from 1970, where OTLP counts from, to 2000, where PostgreSQL does
MICROSECONDS_AHEAD = 24 * 3600 * 1_000_000  # a clock may be wrong by a time zone, not by more

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
# A record's attributes by name, including those of its resource, which its own override.
Attributes = Mapping[str, Value]


class BadRecordError(ValueError):
    """A record that cannot be stored; the message says why."""


class BadSumError(BadRecordError):
    """The parts exceed their total; the missing part may have an unknown name."""


def time_of(nanoseconds: int, now: int) -> int:
    """Microseconds since 2000 of a time in nanoseconds since 1970; `now` in the same unit as the result.

    Raises BadRecordError without a time, before 2000, or more than a day ahead: times are never corrected.
    """
    if not nanoseconds:
        raise BadRecordError("It has no time.")
    at = nanoseconds // NANOSECONDS_PER_MICROSECOND - MICROSECONDS_TO_2000
    if at < 0:
        raise BadRecordError("Its time lies before the year 2000.")
    if at > now + MICROSECONDS_AHEAD:
        raise BadRecordError("Its time lies more than a day in the future.")
    return at


def text_of(value: Value, name: str, longest: int) -> str:
    """The text of an attribute; numbers and booleans are converted, long texts truncated."""
    if value is None:
        return ""
    if not isinstance(value, str):
        if not isinstance(value, bool | int | float):
            raise BadRecordError(f"{name} is neither text nor a number.")
        value = str(value).lower()
    if "\x00" in value:
        raise BadRecordError(f"{name} contains a NUL character.")
    return value if len(value) <= longest else value[:longest]


def first_text_of(attributes: Attributes, names: str | tuple[str, ...] | None, longest: int) -> str:
    """The text of the first of these attributes that is present; else empty."""
    for name in (names,) if isinstance(names, str) else names or ():
        if text := text_of(attributes.get(name), name, longest):
            return text
    return ""


def key_of(value: Value, name: str, longest: int) -> str:
    """The text of an identifier, which must not be truncated."""
    text = text_of(value, name, longest + 1)
    if len(text) > longest:
        raise BadRecordError(f"{name} is longer than {longest} characters.")
    return text


def count_of(value: Value, name: str) -> int | None:
    """A count, sent as an integer, a number or digits; None if absent or null."""
    if value.__class__ is int and 0 <= value <= LARGEST_COUNT:  # fast path: saves a tenth of the time of a record
        return value
    number = number_of(value, name)
    if number is None:
        return None
    if 0 <= number <= LARGEST_COUNT:
        return round(number)
    raise BadRecordError(f"{name} is negative." if number < 0 else f"{name} is larger than {LARGEST_COUNT:,}.")


def amount_of(value: Value, name: str) -> Decimal | None:
    """A sum of money in US dollars; None if absent or null."""
    amount = number_of(value, name)
    return None if amount is None else dollars_of(Decimal(repr(amount)), name)


def dollars_of(amount: Decimal, name: str) -> Decimal:
    """The amount rounded to ten decimals, as in the columns."""
    if 0 <= amount < LARGEST_AMOUNT:
        return amount.quantize(_LAST_DIGIT)
    raise BadRecordError(f"{name} is negative." if amount < 0 else f"{name} is larger than {LARGEST_AMOUNT:,} dollars.")


def number_of(value: Value, name: str) -> float | None:
    """A finite number, sent as a number or digits; None if absent, null or empty, or one of these as text."""
    if value is None or value in ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRecordError(f"{name} is not a number.")
    try:
        number = float(value)
    except ValueError:
        raise BadRecordError(f"{name} is not a number.") from None
    except OverflowError:  # an integer of hundreds of digits
        raise BadRecordError(f"{name} is larger than {LARGEST_COUNT:,}.") from None
    if not math.isfinite(number):
        raise BadRecordError(f"{name} is not a finite number.")
    return number
