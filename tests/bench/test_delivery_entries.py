"""What the bench measures of delivery is the product's own work, and what stands beside it comes to the same."""

from __future__ import annotations

import pytest

from bench.delivery_facts import DeliverySize, generate_delivery_once
from bench.linking import relink
from bench.stages import last_weeks, stages, weekly_figures
from bench.stages_in_python import stages_in_python
from integrations.models import CommitPlace, DeployedPullRequest, FailedDeployment, PullRequestFigures

pytestmark = pytest.mark.soak  # benches are run there, too

SIZE = DeliverySize(people=40, units=12, weeks=6)


@pytest.mark.django_db
def test_what_is_averaged_in_python_comes_to_the_same() -> None:
    generate_delivery_once(SIZE)
    weeks = last_weeks(200)
    figures, by_hand = weekly_figures(weeks), stages_in_python(weeks)
    assert figures.keys() == by_hand.keys()
    assert len({stage for _, _, stage in figures}) == 5
    for key, of_key in figures.items():
        assert of_key == pytest.approx(by_hand[key], abs=0.01), key


@pytest.mark.django_db
def test_measuring_changes_nothing() -> None:
    generate_delivery_once(SIZE)
    tables = (CommitPlace, DeployedPullRequest, FailedDeployment, PullRequestFigures)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    measured = [*relink(SIZE), *stages(SIZE, pull_requests=200)]
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
    assert all(figure.value > 0 for figure in measured)
    assert measured[0].limit
