"""Whatever is told of deliveries, in whichever pieces: the outbox says of every row that changes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from insights.columns.refresh import refresh
from insights.columns.shape import copied_relations
from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from tests.columns.rows import assert_agreement
from tests.engine.random_deliveries import Pieces
from tests.org import Org

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
# How many records come at once, and how many decisions there are: what one piece hides, another may show.
FEW, ALL = (60, 6), (4, 10)
SEEDS = [(1, *FEW), *(pytest.param(seed, *ALL, marks=pytest.mark.soak) for seed in range(2, 12))]


@pytest.mark.django_db
@pytest.mark.parametrize(("seed", "largest", "decisions"), SEEDS)
def test_columns_reflect_every_piece(
    seed: int, largest: int, decisions: int, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than 5 s: after each piece all relations are read from both sides."""
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 20)
    chance, pieces = random.Random(seed), []
    with time_machine.travel(NOW, tick=False) as clock:
        org.tree("Teams")
        for unit, person in (("Red", "ada"), ("Red", "ben"), ("Blue", "cy")):
            if person != "ben":
                org.unit(unit, below="teams")
            org.join(person, unit.lower())
        org.people({"full_name": "At Home", "email": "ada-at-home@example.com"})
        refresh()
        for name, tell in Pieces(seed, org, largest=largest, decisions=decisions):
            clock.shift(timedelta(minutes=1))
            tell()
            pieces.append(name)
            for follow in (attribute_pending, recompute_waiting_pull_requests):
                if chance.random() < 0.7:
                    follow()
            assert_agreement(
                copied_relations().values(), context=f"after {len(pieces)} pieces, the last of them: {name}"
            )
            if chance.random() < 0.7:
                refresh()
