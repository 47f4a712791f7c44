"""From OTLP values to ours: coerced where the sender's form is clear, refused where it is not.

Every refusal is a BadRecord whose sentence names the attribute, and never its value: that may be anything.
"""

from __future__ import annotations

import math

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

LARGEST_COUNT = 10**12  # of one record; more is no count of anything, and sums of it would not fit
NANOSECONDS_PER_MICROSECOND = 1000
MICROSECONDS_TO_2000 = 946_684_800_000_000  # from 1970, where OTLP counts from, to 2000, where PostgreSQL does
MICROSECONDS_AHEAD = 24 * 3600 * 1_000_000  # a clock may be wrong by a time zone, not by more


class BadRecord(ValueError):
    """A record that cannot be stored, with the sentence that says why."""


def time_of(record_nanoseconds: int, observed_nanoseconds: int, now: int) -> int:
    """Microseconds since 2000 of a record: when it says it happened, else when it was observed.

    `now` in the same unit.  Raises BadRecord without a time, before 2000 and more than a day ahead: a record is
    never given another time than its own.
    """
    nanoseconds = record_nanoseconds or observed_nanoseconds
    if not nanoseconds:
        raise BadRecord("It has no time: neither timeUnixNano nor observedTimeUnixNano is set.")
    at = nanoseconds // NANOSECONDS_PER_MICROSECOND - MICROSECONDS_TO_2000
    if at < 0:
        raise BadRecord("Its time lies before the year 2000.")
    if at > now + MICROSECONDS_AHEAD:
        raise BadRecord("Its time lies more than a day in the future.")
    return at


def text_of(value: AnyValue | None, name: str, longest: int) -> str:
    """The text of an attribute, numbers and truth values spelled out; longer ones are cut."""
    if value is None:
        return ""
    text = value.string_value
    if not text:
        kind = value.WhichOneof("value")
        if kind is None or kind == "string_value":
            return ""
        if kind not in ("int_value", "double_value", "bool_value"):
            raise BadRecord(f"{name} is neither text nor a number.")
        text = str(getattr(value, kind))
    if "\x00" in text:
        raise BadRecord(f"{name} contains a NUL character.")
    return text if len(text) <= longest else text[:longest]


def key_of(value: AnyValue | None, name: str, longest: int) -> str:
    """The text of an attribute that identifies something: a cut one would identify something else."""
    text = text_of(value, name, longest + 1)
    if len(text) > longest:
        raise BadRecord(f"{name} is longer than {longest} characters.")
    return text


def count_of(value: AnyValue | None, name: str) -> int | None:
    """A count of something, sent as an integer, a number or digits; None where the attribute is absent or null."""
    if value is None:
        return None
    count = value.int_value
    if not count:
        number = number_of(value, name)
        if number is None:
            return None
        count = round(number)
    if 0 <= count <= LARGEST_COUNT:
        return count
    raise BadRecord(f"{name} is negative." if count < 0 else f"{name} is larger than {LARGEST_COUNT}.")


def number_of(value: AnyValue | None, name: str) -> float | None:
    """A finite number, sent as one or as digits; None where the attribute is absent or null."""
    if value is None:
        return None
    kind = value.WhichOneof("value")
    number: float
    match kind:
        case None:
            return None
        case "double_value":
            number = value.double_value
        case "int_value":
            number = value.int_value
        case "string_value":
            if not value.string_value.strip():
                return None
            try:
                number = float(value.string_value)
            except ValueError:
                raise BadRecord(f"{name} is not a number.") from None
        case _:
            raise BadRecord(f"{name} is not a number.")
    if not math.isfinite(number):
        raise BadRecord(f"{name} is not a finite number.")
    return number


def amount_of(value: AnyValue | None, name: str) -> float | None:
    """A sum of money; None where the attribute is absent or null."""
    amount = number_of(value, name)
    if amount is None or 0 <= amount < 10**9:
        return amount
    raise BadRecord(f"{name} is negative." if amount < 0 else f"{name} is no plausible amount.")
