"""Amounts as people write them, and what they mean in the metric's unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.query.enums import UnitOfMeasure
from insights.ui.amounts import AmountError, amount_text, example, read_amount, rounded, written

HOUR, DAY = 3600, 86400
UNITS = [*map(str, UnitOfMeasure), "points", ""]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("40 h", "seconds", 40 * HOUR),
        ("40h", "seconds", 40 * HOUR),
        ("2.5 days", "seconds", 2.5 * DAY),
        ("1 week", "seconds", 7 * DAY),
        ("90 MIN", "seconds", 5400),
        ("45min", "seconds", 2700),
        ("0 s", "seconds", 0),
        ("80%", "percent", 80),
        ("80", "percent", 80),
        ("−20 %", "percent", -20),
        ("-20%", "percent", -20),
        ("$1,200.50", "currency", 1200.5),
        ("1.5k", "currency", 1500),
        ("40 USD", "currency", 40),
        ("3", "count", 3),
        ("1\u202f200\u00a0000", "count", 1_200_000),
        ("20k lines", "lines", 20_000),
        ("2M", "tokens", 2_000_000),
        ("1.5", "per_day", 1.5),
        ("1.2 / day", "per_day", 1.2),
        ("3 a week", "per_day", 3 / 7),
        ("3 per week", "per_day", 3 / 7),
        ("2 a month", "per_day", 24 / 365.25),
        ("12 points", "points", 12),
        ("12 Points", "points", 12),
        ("7", "", 7),
        (".5", "", 0.5),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, unit: str, value: float) -> None:
    assert math.isclose(read_amount(text, unit), value)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("40", "seconds"),  # hours or days? nobody guesses
        ("40 parsecs", "seconds"),
        ("3 fortnights", "seconds"),
        ("fast", "seconds"),
        ("1,5 h", "seconds"),
        ("2,5", "count"),  # a decimal comma, or a slip
        ("1,2345", "count"),
        ("12 34", "count"),
        ("80 h", "percent"),
        ("2 a year", "per_day"),
        ("nan", "count"),
        ("inf", "count"),
        ("1e400", "count"),
        ("9" * 30, "count"),
        ("12 apples", "points"),
        ("--3", "count"),
        ("٣", "count"),
        ("", "count"),
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(text: str, unit: str) -> None:
    with pytest.raises(AmountError) as refusal:
        read_amount(text, unit)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("unit", UNITS)
def test_the_examples_can_be_read(unit: str) -> None:
    for amount in example(unit).partition("like ")[2].replace(" or ", ", ").split(", "):
        assert read_amount(amount, unit) > 0


@given(st.floats(min_value=-1e9, max_value=1e9).filter(lambda value: not value or abs(value) > 0.001))
def test_what_a_field_shows_is_read_back_as_the_same_value(value: float) -> None:
    for unit in UNITS:
        assert read_amount(written(value, unit), unit) == pytest.approx(value, rel=1e-5)


def test_fields_round_as_people_do() -> None:
    assert [written(value, "count") for value in (0.44130412, 12.5, 1234567.8, 0.0, -3.14159265)] == [
        *("0.441304", "12.5", "1234568", "0", "-3.14159")
    ]
    assert [written(value, "seconds") for value in (59, 5400, 36_000, 777_600)] == ["59 s", "90 min", "10 h", "9 days"]
    assert [written(value, "per_day") for value in (2, 3 / 7)] == ["2 a day", "3 a week"]
    assert (written(80, "percent"), written(40, "currency"), written(None, "count")) == ("80%", "$40", "")


@given(st.floats(min_value=0.01, max_value=1e8), st.sampled_from(list(UnitOfMeasure)))
def test_rounded_amounts_have_three_digits(value: float, unit: UnitOfMeasure) -> None:
    assert rounded(value, unit) == pytest.approx(value, rel=0.006)
    text = written(rounded(value, unit), unit)
    digits = [character for character in text.split()[0].replace(".", "").lstrip("$0") if character.isdigit()]
    assert len("".join(digits).rstrip("0")) <= 3, text


def test_amounts_are_printed_with_their_unit() -> None:
    assert amount_text(144_000, "seconds") == "40.0 h"
    assert amount_text(12, "points") == "12 points"
    assert amount_text(1200, "") == "1,200"
