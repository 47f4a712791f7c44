"""The DORA metrics beside their values, which the stories of tests/worked have: units, segments and weeks."""

from __future__ import annotations

from datetime import date

import pytest

from insights.columns.refresh import refresh
from insights.query.query import Answer, Dimension, Granularity, Statistic, Window
from integrations.delivery.ownership.give import own
from integrations.models import Owned
from orgtree.models import Unit
from tests.delivery.linking.delivery import Delivery
from tests.org import Org

pytestmark = pytest.mark.django_db
HOUR = 3600.0
WEEK = "2026-W10"


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


def test_a_unit_covers_what_it_owns_and_people_their_lead_times(org: Org, shop: Delivery) -> None:
    """Ada is in payments, which owns nothing; search owns the service cart, and engineering is above both."""
    org.tree("Engineering")
    for unit in ("Payments", "Search"):
        org.unit(unit, below="engineering")
    org.join("ada", "payments")
    shop.merges(1, first_commit="Mon 08:00", at="Mon 12:00")
    shop.deploys("d1", at="Mon 14:00", service="cart")
    own(Owned.objects.get(name="cart"), Unit.objects.get(slug="search"), by=None)

    def value(key: str, unit: str) -> float | None:
        return org.metric(key, unit=unit, week=WEEK).value

    assert value("dora.lead_time", "payments") == 6 * HOUR
    assert value("dora.lead_time", "search") is None
    assert value("dora.deployment_frequency", "search") == pytest.approx(1 / 7)
    assert value("dora.deployment_frequency", "payments") is None, "it owns nothing"
    assert value("dora.lead_time", "engineering") == 6 * HOUR
    assert value("dora.deployment_frequency", "engineering") == pytest.approx(1 / 7)


def test_a_day_on_which_several_are_deployed_is_one_day(org: Org, shop: Delivery) -> None:
    """
    | Mon | acme/shop, and acme/search |
    | Tue | acme/search twice          |
    | Wed | acme/shop                  |

    Red owns the shop, blue the search, and engineering is above both: 2, 2 and 3 days.
    """
    search = Delivery("acme/search")
    org.tree("Engineering")
    for unit in ("Red", "Blue"):
        org.unit(unit, below="engineering")
    shop.deploys("d1", at="Mon 10:00")
    search.deploys("d2", at="Mon 12:00")
    search.deploys("d3", at="Tue 10:00")
    search.deploys("d4", at="Tue 12:00")
    shop.deploys("d5", at="Wed 10:00")
    org.own("acme/shop", "red")
    org.own("acme/search", "blue")

    def days(unit: str | None) -> tuple[float | None, int]:
        figure = org.metric("dora.deployment_days", unit=unit, week=WEEK)
        return figure.value, figure.sample_size

    from_facts = [days(unit) for unit in (None, "engineering", "red", "blue")]
    assert from_facts == [(3, 3), (3, 3), (2, 2), (2, 2)]
    refresh()
    assert [days(unit) for unit in (None, "engineering", "red", "blue")] == from_facts


def test_segments_and_facets(org: Org, shop: Delivery) -> None:
    shop.merges(1, first_commit="Mon 08:00", at="Mon 12:00", title="fix: tea")
    shop.deploys("d1", at="Mon 14:00", service="cart")
    shop.deploys("d2", at="Tue 14:00", service="search")
    shop.incident("i1", at="Tue 15:00", service="search")
    window = Window(date(2026, 3, 2), date(2026, 3, 9))

    def by(key: str, dimension: Dimension) -> dict[str, float | None]:
        answer: Answer = org.series(key, window=window, segments=(dimension,))
        return {value.segment[dimension.value]: value.value for value in answer.total}

    assert by("dora.change_failure_rate", Dimension.SERVICE) == {"cart": 0, "search": 100}
    assert by("dora.lead_time", Dimension.METHOD) == {"time": 6 * HOUR}
    assert by("dora.lead_time", Dimension.WORK_TYPE) == {"bug": 6 * HOUR}
    assert by("dora.lead_time", Dimension.AGENT) == {"Non-AI": 6 * HOUR}
    assert org.metric("dora.change_failure_rate", service="cart", week=WEEK).value == 0


def test_the_weeks_of_a_window_add_up_to_it(org: Org, shop: Delivery) -> None:
    """Medians are computed anew; counts and the parts of rates add up."""
    for number, day in enumerate(("Mon", "Wed+1", "Sun+2", "Mon+3", "Tue+3", "Fri+4")):
        shop.merges(number, first_commit=f"{day} 01:00", at=f"{day} {2 + number:02}:00")
        shop.deploys(f"d{number}", at=f"{day} {10 + number}:00", unplanned=number % 2 == 0)
    window = Window(date(2026, 3, 2), date(2026, 4, 6))
    answer = org.series("dora.rework_rate", window=window, granularity=Granularity.WEEK)
    assert sum(value.numerator or 0 for value in answer.series) == answer.total[0].numerator == 3
    assert sum(value.denominator or 0 for value in answer.series) == answer.total[0].denominator == 6
    lead_times = org.series("dora.lead_time", window=window, statistic=Statistic.MEDIAN)
    # 9, 10, 11, 12, 13, 14 hours
    assert lead_times.total[0].value == 11.5 * HOUR
    assert [value.sample_size for value in lead_times.series] == [1, 1, 1, 2, 1]
