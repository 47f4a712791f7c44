"""What people write into a form, and what it means in the metric's unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.query.enums import UnitOfMeasure
from programs.benchmarks.services.written_values import EXAMPLES, UnreadableValueError, read_value, rounded, written

U = UnitOfMeasure


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("26 h", U.SECONDS, 93_600),
        ("26", U.SECONDS, 93_600),
        ("1.5 days", U.SECONDS, 129_600),
        ("45min", U.SECONDS, 2_700),
        ("2 w", U.SECONDS, 1_209_600),
        ("0 s", U.SECONDS, 0),
        ("85 %", U.PERCENT, 85),
        ("85", U.PERCENT, 85),
        ("0.5%", U.PERCENT, 0.5),
        ("$1,250.50", U.CURRENCY, 1250.5),
        ("40 USD", U.CURRENCY, 40),
        ("1.5", U.PER_DAY, 1.5),
        ("3 a week", U.PER_DAY, 3 / 7),
        ("3 per week", U.PER_DAY, 3 / 7),
        ("2 / day", U.PER_DAY, 2),
        ("2 a month", U.PER_DAY, 24 / 365.25),
        ("1.2k lines", U.LINES, 1200),
        ("40k", U.TOKENS, 40_000),
        ("3.5", U.COUNT, 3.5),
        ("  ", U.COUNT, None),
    ],
)
def test_what_is_written_is_read(text: str, unit: UnitOfMeasure, value: float | None) -> None:
    assert read_value(text, unit) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("soon", U.SECONDS, "26 h"),
        ("3 fortnights", U.SECONDS, "26 h"),
        ("110 %", U.PERCENT, "at most 100"),
        ("-3", U.COUNT, "cannot be negative"),
        ("1e400", U.COUNT, "12"),
        ("9" * 30, U.COUNT, "too large"),
        ("1,5 h", U.SECONDS, "26 h"),
        ("nan", U.PERCENT, "85"),
        ("2 a year", U.PER_DAY, "a week"),
    ],
)
def test_unreadable_values_are_reported(text: str, unit: UnitOfMeasure, words: str) -> None:
    with pytest.raises(UnreadableValueError, match=words):
        read_value(text, unit)


@pytest.mark.parametrize("unit", list(UnitOfMeasure))
def test_the_examples_can_be_read(unit: UnitOfMeasure) -> None:
    for example in EXAMPLES[unit].replace(" or ", ", ").split(", "):
        assert read_value(example, unit) is not None


@given(st.floats(min_value=0.001, max_value=1e9), st.sampled_from(list(UnitOfMeasure)))
def test_what_a_form_shows_is_read_as_the_same(value: float, unit: UnitOfMeasure) -> None:
    value = min(value, 100.0) if unit is U.PERCENT else value
    read = read_value(written(value, unit), unit)
    assert read == pytest.approx(value, rel=1e-5)


@given(st.floats(min_value=0.01, max_value=1e8), st.sampled_from(list(UnitOfMeasure)))
def test_suggestions_have_three_digits(value: float, unit: UnitOfMeasure) -> None:
    assert rounded(value, unit) == pytest.approx(value, rel=0.006)
    text = written(rounded(value, unit), unit)
    digits = [character for character in text.split()[0].replace(".", "").lstrip("$0") if character.isdigit()]
    assert len("".join(digits).rstrip("0")) <= 3, text
