"""Worked examples can fail: what differs from a value, and what nobody understands, is noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from insights.query.query import MetricValue, Window
from tests.worked import tell_pull_requests  # noqa: F401  # so that its sentences are understood
from tests.worked.reader import example_of
from tests.worked.sentences import tell
from tests.worked.story import Story
from tests.worked.values import Value

FIGURE = MetricValue(Window(date(2026, 3, 2), date(2026, 3, 9)), {}, 40.0, 2, 5, 5, 3, None, left_out=1)


@pytest.mark.parametrize(
    ("words", "is_that"),
    [
        ("40 % (2 of 5; 1 left out)", True),
        ("40 % (1 left out)", True),
        ("≈ 40.0 % (1 left out)", True),
        ("40 %", False),
        ("41 % (1 left out)", False),
        ("40 % (4 of 10; 1 left out)", False),
        ("– (1 left out)", False),
    ],
)
def test_a_value_is_that_of_the_figure_or_not(words: str, is_that: bool) -> None:
    assert Value.read(words).is_that_of(FIGURE) is is_that


def test_a_rounded_value_has_to_be_right_to_its_last_digit() -> None:
    third = replace(FIGURE, value=100 / 3)
    assert Value.read("≈ 33.33 % (1 left out)").is_that_of(third)
    assert not Value.read("33.33 % (1 left out)").is_that_of(third)
    assert not Value.read("≈ 33.34 % (1 left out)").is_that_of(third)


def test_hours_and_days_are_seconds() -> None:
    assert Value.read("1.5 days (1 left out)").is_that_of(replace(FIGURE, value=129600.0))
    assert Value.read("1,705 h (1 left out)").is_that_of(replace(FIGURE, value=1705 * 3600.0))


@pytest.mark.parametrize("words", ["ada dreams of #1", "ada opens #1, on a whim"])
def test_what_nobody_understands_is_refused(words: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not understood"):
        tell(Story(tmp_path), None if "dreams" in words else example_of("", "", STORY).events[0].at, words)


STORY = """
| when | what happens |
|---|---|
| Mon 2 Mar 2026, 10:00 | ada opens #1 |

In the week of Mon 2 Mar 2026:

| metric | value | because |
|---|---|---|
| pr.throughput | 0 | it is open |
"""


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("Mon 2 Mar 2026, 10:00", "Tue 2 Mar 2026, 10:00", "is a Monday"),
        ("Mon 2 Mar 2026, 10:00", "10:00", "no day is known"),
        ("In the week of Mon 2", "In the week of Tue 3", "no Monday"),
        ("In the week of Mon 2 Mar 2026:", "That week:", "no window"),
        ("it is open", "", "nothing says how"),
    ],
)
def test_a_story_that_is_written_wrong_is_refused(written: str, instead: str, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        example_of("", "", STORY.replace(written, instead))
