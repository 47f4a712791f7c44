"""Figures of units: one by one and side by side they are the same, and people count where they were on the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine

from insights.engine.read import UnitQueries, read_series, read_together
from insights.query.query import Granularity, Query, Scope, Window
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import ReviewState
from orgtree.models import Person, Unit
from orgtree.trees.units import move_person
from tests.delivery.pull_requests.conftest import TellOf
from tests.delivery.pull_requests.histories import History, Review
from tests.org import Org

MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
# Day of the review → who gave it; ben moves from tea to milk on the 16th.
REVIEWS = {3: "ada", 4: "ben", 5: "ben", 6: "ben", 10: "cy", 17: "ben", 18: "ben", 19: "cy", 20: "cy", 21: "dee"}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 4, 10, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def units(org: Org, tell_of: TellOf) -> dict[str, int]:
    """Ids of the tree's root and of the units tea (ada, ben until the 15th) and milk (cy, dee, ben since)."""
    histories = [
        History(
            day,
            "author",
            datetime(2026, 3, day, 9, tzinfo=UTC),
            reviews=[Review(datetime(2026, 3, day, 10, tzinfo=UTC), name, ReviewState.APPROVED)],
            merged_at=datetime(2026, 3, day, 9 + day % 12, tzinfo=UTC),
        )
        for day, name in REVIEWS.items()
    ]
    tell_of(*histories)
    org.tree("Shop")
    for name in ("tea", "milk"):
        org.unit(name, below="shop")
    ids = dict(Unit.objects.values_list("slug", "pk"))
    for name, unit, since in (
        ("ada", "tea", None),
        ("ben", "tea", None),
        ("ben", "milk", date(2026, 3, 16)),
        ("cy", "milk", None),
        ("dee", "milk", None),
        ("author", "tea", None),
    ):
        person = Person.objects.get(identities__kind="login", identities__value=name)
        move_person(person, Unit.objects.get(slug=unit), since)
    recompute_waiting_pull_requests()
    return ids


def test_reviews_are_as_concentrated_as_people_gave_them_while_in_the_unit(units: dict[str, int]) -> None:
    def concentration(unit: str) -> float | None:
        [answer] = read_series([Query("review.load_concentration", MARCH, scope=Scope(unit=unit))])
        return answer.total[0].value

    assert concentration("tea") == pytest.approx(100 * (3 - 1) / (2 * 4))  # ada 1, ben 3
    assert concentration("milk") == pytest.approx(100 * (3 - 1) * 2 / (3 * 6))  # dee 1, ben 2, cy 3
    assert concentration("shop") == pytest.approx(100 * (-3 - 1 + 3 + 15) / (4 * 10))  # ada 1, dee 1, cy 3, ben 5


@pytest.mark.parametrize(
    "key",
    [
        *("review.load_concentration", "review.given_per_developer", "commit.frequency"),
        *("pr.cycle_time", "pr.throughput", "pr.stale_count", "pr.unreviewed_rate"),
    ],
)
def test_side_by_side_and_one_by_one_are_the_same(key: str, units: dict[str, int]) -> None:
    query = Query(key, MARCH, Granularity.MONTH)
    together = read_together(units=[UnitQueries([query], list(units.values()))]).units[0]
    for slug, unit_id in units.items():
        [alone] = read_series([Query(key, MARCH, Granularity.MONTH, scope=Scope(unit=slug))])
        beside, own = together[unit_id][0].total[0], alone.total[0]
        assert (beside.value, beside.sample_size, beside.people, beside.left_out) == (
            own.value,
            own.sample_size,
            own.people,
            own.left_out,
        ), (key, slug)
