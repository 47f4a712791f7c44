"""Of deliveries whose people and owners change units, a fill in memory tells what the database does.

Telemetry, commits and attributes of people: test_scopes.py.  What a refresh leaves: test_refresh_against_fill.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from integrations.attribution.tasks import attribute_what_waits
from integrations.intake.figures_work import settle_what_waits
from tests.linking.delivery import MONDAY, push
from tests.linking.histories import REPOSITORIES, SERVICES
from tests.metrics.kept import filled_both_ways
from tests.metrics.told_in_pieces import PEOPLE, Pieces
from tests.org import Org

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)  # a new quarter, in which what is open has become stale
UNITS = ("red", "kettles", "blue", "cups")  # kettles below red, cups below blue
# Facts, sums, percentiles, concentration and who was on a line; in rows and by several; in stocks; of people, of owners
# and of both.
RELATIONS = {
    *("merged_pull_requests", "merged_pull_requests_by_agent", "lead_times", "lead_times_by_agent", "reviewers"),
    *("developers_on_lines", "work_in_progress", "stale_pull_requests", "done_work_items", "done_work_items_by_agent"),
    *("commits", "deployment_days", "production_deployments", "incidents_started", "pipeline_runs"),
}
# What a random history must tell of: those of `make test` have something of everything.
SEEDS = [(1, RELATIONS), (2, RELATIONS), *(pytest.param(seed, set(), marks=pytest.mark.soak) for seed in range(3, 31))]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a month of deliveries is computed in several pieces, of which rows are read once."""
    monkeypatch.setattr("insights.snapshots.cells.LONGEST_PIECE", timedelta(days=20))
    monkeypatch.setattr("insights.snapshots.cells.QUARTERS_AT_ONCE", 1)


@pytest.mark.parametrize(("seed", "relations"), SEEDS)
def test_a_fill_in_memory_tells_what_the_database_does(seed: int, relations: set[str], org: Org) -> None:
    org.tree("Teams")
    for unit, above in (("Red", "teams"), ("Kettles", "red"), ("Blue", "teams"), ("Cups", "blue")):
        org.unit(unit, below=above)
    chance = random.Random(f"moves {seed}")
    for person in PEOPLE:
        org.join(person, chance.choice(UNITS))
        for day in _days(chance):
            org.join(person, chance.choice(UNITS), on=day)
    for kind_and_records in Pieces(seed, org, largest=1, decisions=0).tellings:
        push(*kind_and_records)
    for owned in (*REPOSITORIES, *filter(None, SERVICES)):
        start, end = _days(chance)
        org.own(owned, chance.choice(UNITS), to=start)
        org.own(owned, chance.choice(UNITS), from_=start, to=end)
    attribute_what_waits()
    settle_what_waits()

    by_database, in_memory = filled_both_ways()
    assert in_memory == by_database
    assert relations <= {relation for relation, _, unit, *_ in by_database if unit}


def _days(chance: random.Random) -> list[date]:
    """Two in the weeks of the deliveries."""
    return sorted((MONDAY + timedelta(days=days)).date() for days in chance.sample(range(-8, 14), 2))
