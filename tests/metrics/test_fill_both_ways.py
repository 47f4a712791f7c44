"""Of deliveries whose people and owners change units, a fill in memory tells what the database does.

Telemetry, commits and attributes of people: test_scopes.py.  What a refresh leaves: test_refresh_against_fill.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.metrics.kept import filled_both_ways
from tests.metrics.moving_deliveries import deliver
from tests.org import Org

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)  # a new quarter, in which what is open has become stale
# Facts, sums, percentiles, concentration and who was on a line; in rows and by several; in stocks; of people, of owners
# and of both.
RELATIONS = {
    *("merged_pull_requests", "merged_pull_requests_by_agent", "lead_times", "lead_times_by_agent", "reviewers"),
    *("developers_on_lines", "work_in_progress", "stale_pull_requests", "done_work_items", "done_work_items_by_agent"),
    *("commits", "deployment_days", "production_deployments", "incidents_started", "pipeline_runs"),
}
# What a random history must tell of: those of `make test` have something of everything.
SEEDS = [(1, RELATIONS), *(pytest.param(seed, set(), marks=pytest.mark.soak) for seed in range(2, 12))]

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
    deliver(org, seed)

    by_database, in_memory = filled_both_ways()
    assert in_memory == by_database
    assert relations <= {relation for relation, _, unit, *_ in by_database if unit}
