"""What people write and read of key results: amounts, and objectives below those that they serve."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from insights.ui.amounts import AmountError, amount_text, read_amount, written
from programs.alignment.offers import branches, with_those_above
from programs.models import KeyResult

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("40 h", "seconds", 40 * HOUR),
        ("40h", "seconds", 40 * HOUR),
        ("2.5 days", "seconds", 2.5 * DAY),
        ("1 week", "seconds", 7 * DAY),
        ("90 MIN", "seconds", 5400),
        ("80%", "percent", 80),
        ("80", "percent", 80),
        ("−20 %", "percent", -20),
        ("-20%", "percent", -20),
        ("$1,200.50", "currency", 1200.5),
        ("1.5k", "currency", 1500),
        ("3", "count", 3),
        ("20k lines", "lines", 20_000),
        ("2M", "tokens", 2_000_000),
        ("1.2 / day", "per_day", 1.2),
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
        ("fast", "seconds"),
        ("2,5", "count"),  # a decimal comma, or a slip
        ("1,2345", "count"),
        ("80 h", "percent"),
        ("nan", "count"),
        ("inf", "count"),
        ("1e400", "count"),
        ("9" * 30, "count"),
        ("12 apples", "points"),
        ("--3", "count"),
        ("٣", "count"),
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(text: str, unit: str) -> None:
    with pytest.raises(AmountError) as refusal:
        read_amount(text, unit)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("unit", ["seconds", "percent", "currency", "count", "per_day", "lines", "points", ""])
@pytest.mark.parametrize("value", [0.0, 1.0, 59.0, 3600.0, 5400.0, 144_000.0, 777_600.0, 12.25, 0.012345, 1_500_000.0])
def test_what_a_field_shows_is_read_back_as_the_same_value(unit: str, value: float) -> None:
    assert math.isclose(read_amount(written(value, unit), unit), value, rel_tol=1e-3)


def test_fields_round_as_people_do() -> None:
    assert [written(value, "count") for value in (0.441304, 12.5, 12345.67, 99999.96, 0.0, -3.14159)] == [
        *("0.4413", "12.5", "12346", "100000", "0", "-3.142")
    ]
    assert written(35_999.7, "seconds") == "10 h"


def test_amounts_are_printed_with_their_unit() -> None:
    assert amount_text(144_000, "seconds") == "40.0 h"
    assert amount_text(12, "points") == "12 points"
    assert amount_text(1200, "") == "1,200"
    assert KeyResult._meta.get_field("target").get_internal_type() == "FloatField"


def test_objectives_stand_below_those_that_they_serve() -> None:
    tree = branches([(1, None), (2, 1), (3, None), (4, 2), (5, 1), (6, 99)])
    assert [(branch.pk, branch.depth) for branch in tree] == [(1, 0), (2, 1), (4, 2), (5, 1), (3, 0), (6, 0)]


def test_a_ring_of_objectives_is_listed_whole() -> None:
    ring = branches([(1, 3), (2, 1), (3, 2), (4, 3)])
    assert sorted(branch.pk for branch in ring) == [1, 2, 3, 4]
    assert len(ring) == 4


def test_a_page_that_begins_in_the_middle_says_below_what() -> None:
    tree = branches([(1, None), (2, 1), (3, 2), (4, 2), (5, None)])
    assert [branch.pk for branch in with_those_above(tree, 3, 5)] == [1, 2, 4, 5]
    assert with_those_above([], 0, 0) == []
    for first in range(len(tree)):
        branches_shown = with_those_above(tree, first, len(tree))
        assert branches_shown[0].depth == 0
        assert all(after.depth - before.depth <= 1 for before, after in pairwise(branches_shown))
