"""The bench of delivery measures the product's own work, and leaves no trace."""

from __future__ import annotations

import pytest

from bench.delivery_facts import DeliverySize, generate_delivery_once
from bench.linking import relink
from integrations.models import CommitPlace, DeployedPullRequest, FailedDeployment

pytestmark = pytest.mark.soak  # benches are run there, too

SIZE = DeliverySize(people=40, units=12, weeks=6)


@pytest.mark.django_db
def test_measuring_changes_nothing() -> None:
    generate_delivery_once(SIZE)
    tables = (CommitPlace, DeployedPullRequest, FailedDeployment)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    measured = relink(SIZE)
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
    assert all(figure.value > 0 for figure in measured)
    assert measured[0].limit
