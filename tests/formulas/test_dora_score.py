"""The DORA score by the rule of the Quick Check, by hand."""

from __future__ import annotations

import pytest

from core.seconds import DAY, HOUR, MONTH, WEEK
from insights.formulas.dora_score import SCORED, dora_score, worth_of_duration
from insights.formulas.dora_score import worth_of_frequency as of_frequency

VALUES = {
    "dora.lead_time": 2 * DAY,  # a day to a week: 6
    "dora.deployment_frequency": 1.5,  # once an hour to once a day: 8
    "dora.recovery_time": 3 * HOUR,  # less than a day: 8
    "dora.change_failure_rate": 20.0,  # 10 − 2 = 8
    "dora.rework_rate": 5.0,  # 10 − 0.5 = 9.5
}


def test_the_score_is_the_plain_mean_of_what_the_metrics_are_worth() -> None:
    score = dora_score(VALUES)
    assert score is not None
    assert score.value == pytest.approx((6 + 8 + 8 + 8 + 9.5) / 5)
    assert sum(contribution.points for contribution in score.contributions) == pytest.approx(score.value)
    assert [contribution.worth for contribution in score.contributions] == [6, 8, 8, 8, 9.5]


@pytest.mark.parametrize("key", SCORED)
def test_there_is_none_where_a_metric_is_missing(key: str) -> None:
    assert dora_score(VALUES | {key: None}) is None
    assert dora_score({other: value for other, value in VALUES.items() if other != key}) is None


def test_the_change_says_which_metric_moved_the_score() -> None:
    before, now = dora_score(VALUES), dora_score(VALUES | {"dora.lead_time": 2 * WEEK})
    assert before is not None
    assert now is not None
    change = now.change_since(before)
    assert change["dora.lead_time"] == pytest.approx(-0.4)
    assert sum(change.values()) == pytest.approx(now.value - before.value)


@pytest.mark.parametrize(
    ("seconds", "worth"),
    [(0, 10), (HOUR, 8), (DAY, 6), (WEEK, 4), (MONTH, 2), (6 * MONTH, 0), (10 * MONTH, 0)],
)
def test_durations_are_worth_less_the_longer_they_are(seconds: float, worth: float) -> None:
    assert worth_of_duration(seconds) == worth


@pytest.mark.parametrize(
    ("per_day", "worth"),
    [(25, 10), (24, 8), (1, 8), (0.99, 6), (1 / 7, 6), (0.1, 4), (0.03, 2), (0.001, 0), (0, 0)],
)
def test_frequencies_are_worth_more_the_higher_they_are(per_day: float, worth: float) -> None:
    assert of_frequency(per_day) == worth
