"""The mean without the slowest 5 %: of values, of pull requests, and of which metrics there is one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from insights.catalogue.registry import get, metrics
from insights.engine.measures import trimmed_mean
from insights.query.errors import QueryError
from insights.query.query import MetricValue, Statistic
from tests.org import Org
from tests.pages.delivering import day_before, merged


def pickup(org: Org, statistic: Statistic | None = None, key: str = "pr.pickup_time") -> MetricValue:
    return org.metric(key, statistic=statistic, from_=day_before(60), to=day_before(0))


def test_of_any_values_the_slowest_twentieth_is_left_out(subtests: pytest.Subtests) -> None:
    """One of 20, two of 40; of fewer than 20 none.  Which of equal values at the border is irrelevant."""
    for count in (1, 2, 5, 19, 20, 21, 39, 40, 41, 100):
        for values in (
            [float(number * number % 37) for number in range(count)],
            [7.0] * count,
            [1.0] * (count - 1) + [1000.0],
        ):
            with subtests.test(values=values):
                left, gone = list(values), 0
                while Fraction(gone + 1, count) <= Fraction(5, 100):
                    left.remove(max(left))
                    gone += 1
                assert trimmed_mean(values) == pytest.approx(sum(left) / len(left))
    assert trimmed_mean([]) is None


@pytest.mark.django_db
@pytest.mark.parametrize(("others", "hours"), [(18, 9.0), (19, 4.0), (20, 4.0)])
def test_one_slow_pull_request_of_twenty_is_left_out_and_of_nineteen_is_not(
    org: Org, others: int, hours: float
) -> None:
    """The others wait 4 hours for their review, the slow one 99: of 19 the mean is 4 + 95 ÷ 19 = 9."""
    org.push("pull-requests", *(merged(number, day_before(40), title="Usual") for number in range(2, others + 2)))
    org.push("pull-requests", merged(1, day_before(50), waits=95.0))
    figure = pickup(org, Statistic.TRIMMED_MEAN)
    assert figure.value == pytest.approx(hours * 3600)
    assert figure.sample_size == others + 1
    assert (figure.numerator, figure.denominator) == (None, None), "they would be those of the mean"
    assert pickup(org).value == 4 * 3600
    mean = pickup(org, Statistic.MEAN)
    assert mean.value == pytest.approx((4 + 95 / (others + 1)) * 3600)


@pytest.mark.django_db
def test_of_nothing_there_is_none(org: Org) -> None:
    assert pickup(org, Statistic.TRIMMED_MEAN).value is None


@pytest.mark.django_db
def test_only_durations_that_tools_show_have_one(org: Org) -> None:
    """Beside the mean it tells of the slowest alone, and that may be the session of one person."""
    having = {metric.key for metric in metrics() if Statistic.TRIMMED_MEAN in metric.statistics}
    assert {"dora.lead_time", "dora.lead_time_pickup", "pr.pickup_time", "issue.cycle_time"} <= having
    assert not {"ai.session_duration", "pr.size"} & having
    assert not [key for key in having if key.startswith("ai.")]
    assert all(get(key).unit == "seconds" for key in having)
    with pytest.raises(QueryError, match="has no trimmed_mean; use one of median, mean, p75, p85, p90 or p95"):
        pickup(org, Statistic.TRIMMED_MEAN, key="ai.session_duration")
