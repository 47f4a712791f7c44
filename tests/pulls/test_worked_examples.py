"""The stages of pull requests, told as stories with the truth computed by hand: worked_examples.md."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from insights.metrics.query import MetricQuery, Statistic, Window
from insights.metrics.read import read_series
from tests.intake.conftest import Tell
from tests.pulls.conftest import TellOf
from tests.pulls.histories import draft_of, parts_of
from tests.pulls.stories import Example, read_examples

MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
EXAMPLES = list(read_examples())


def _hours() -> dict[str, tuple[float | None, int]]:
    """By stage: its hours, and how many pull requests are left out of it."""
    stages = ("coding", "pickup", "review", "merge", "cycle")
    answers = read_series([MetricQuery(f"pr.{stage}_time", MARCH) for stage in stages])
    figures = [answer.total[0] for answer in answers]
    return {
        stage: (None if figure.value is None else figure.value / 3600, figure.left_out)
        for stage, figure in zip(stages, figures, strict=True)
    }


def _expected(example: Example) -> dict[str, tuple[float | None, int]]:
    return {stage: (hours, int(hours is None)) for stage, hours in example.hours.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_stages_are_as_computed_by_hand(example: Example, tell_of: TellOf) -> None:
    tell_of(example.history)
    assert _hours() == _expected(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_stages_are_the_same_however_they_are_told(example: Example, tell: Tell) -> None:
    for piece in reversed(parts_of(example.history)):
        tell(piece)
    assert _hours() == _expected(example)
    assert tell(draft_of(example.history)).changed == 0


def test_medians_means_and_percentiles_are_of_all_of_them(tell_of: TellOf) -> None:
    example = next(each for each in EXAMPLES if each.title == "A day like any other").history
    cycle_hours = (1, 2, 4, 8, 35)
    for number, hours in enumerate(cycle_hours, start=1):
        example.number, example.merged_at = number, example.created_at + timedelta(hours=hours)
        tell_of(example)
    query = MetricQuery("pr.cycle_time", MARCH)
    expected: dict[Statistic, float] = {
        Statistic.MEDIAN: 4,
        Statistic.MEAN: 10,
        Statistic.P75: 8,
        Statistic.P90: 8 + 0.6 * 27,
        Statistic.P95: 8 + 0.8 * 27,
    }
    for statistic, expected_hours in expected.items():
        [answer] = read_series([MetricQuery(query.key, query.window, statistic=statistic)])
        assert answer.total[0].value == pytest.approx(expected_hours * 3600)
