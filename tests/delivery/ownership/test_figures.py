"""Figures of units follow who owned what when: read from facts at once, and in kept cells as a full fill would."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from insights.columns.refresh import refresh
from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import remove_owner
from orgtree.models import OrgTree, Unit
from orgtree.trees.units import remove_unit
from tests.columns.forgotten import forgotten_by_refresh
from tests.org import Org

pytestmark = pytest.mark.django_db
FREQUENCY = "dora.deployment_frequency"
DAYS = 10


@pytest.fixture
def shop(org: Org) -> Org:
    """Engineering ─┬─ Product ─── Payments, ─── Search; and Platform.

    acme/shop was deployed once on each of the last ten days, twice with its service checkout; nobody is a member of
    any unit.
    """
    org.tree("Engineering")
    for unit, above in (("Product", "engineering"), ("Platform", "engineering"), ("Payments", "product")):
        org.unit(unit, below=above)
    org.unit("Search", below="product")
    org.push("deployments", *(deployment(days, service="checkout" if days <= 2 else "") for days in range(1, DAYS + 1)))
    return org


def deployment(days_ago: int, **more: str) -> dict[str, object]:
    at = timezone.now() - timedelta(days=days_ago)
    return {
        "id": f"d{days_ago}",
        "repository": "acme/shop",
        "environment": "production",
        "status": "success",
        "finished_at": at.isoformat(),
        **more,
    }


def deployments(org: Org, *units: str | None) -> list[int]:
    """The number of deployments of each unit in the ten days; None: the whole organisation."""
    window = {"from_": timezone.localdate() - timedelta(days=DAYS), "to": timezone.localdate()}
    counts: list[int] = []
    for unit in units:
        figure = org.metric(FREQUENCY, unit=unit, **window)  # type: ignore[arg-type]
        counts.append(round((figure.value or 0) * DAYS))
    return counts


def test_deployments_count_for_the_owner_of_that_day_and_for_those_above(shop: Org) -> None:
    assert deployments(shop, None, "engineering", "payments") == [10, 0, 0]
    shop.own("acme/shop", "payments")
    assert deployments(shop, None, "engineering", "product", "payments", "search", "platform") == [10, 10, 10, 10, 0, 0]
    shop.own("acme/shop", "platform", from_=timezone.localdate() - timedelta(days=4))
    assert deployments(shop, None, "engineering", "product", "payments", "platform") == [10, 10, 6, 6, 4]
    shop.own("checkout", "search")
    assert deployments(shop, None, "engineering", "product", "payments", "search", "platform") == [10, 10, 8, 6, 2, 2]


def test_a_unit_takes_along_what_it_owns_from_the_day_of_its_move(shop: Org) -> None:
    shop.own("acme/shop", "payments")
    shop.move_unit("payments", to="platform", on=timezone.localdate() - timedelta(days=3))
    assert deployments(shop, "engineering", "product", "platform", "payments") == [10, 7, 3, 10]
    remove_unit(Unit.objects.get(slug="payments"), timezone.localdate() - timedelta(days=1))
    assert deployments(shop, None, "engineering", "platform", "payments") == [10, 9, 2, 9]


def test_columns_reflect_every_change(shop: Org) -> None:
    def give() -> None:
        shop.own("acme/shop", "payments")

    def hand_over() -> None:
        shop.own("acme/shop", "search", from_=timezone.localdate() - timedelta(days=4))

    def part() -> None:
        shop.own("checkout", "platform")

    def move() -> None:
        shop.move_unit("payments", to="platform", on=timezone.localdate() - timedelta(days=6))

    def leave() -> None:
        remove_owner(find_owned("acme/shop"), OrgTree.objects.get(), start=timezone.localdate() - timedelta(days=2))

    def deploy() -> None:
        shop.push("deployments", {**deployment(5), "id": "late", "service": "new"})

    refresh()
    for change in (give, hand_over, part, move, leave, deploy):
        change()
        assert forgotten_by_refresh() == [], change.__name__
    assert deployments(shop, None) == [11]
