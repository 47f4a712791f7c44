"""Whatever is told of deliveries, in whichever pieces: after each, kept cells are those that a full fill computes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
import time_machine

from insights.snapshots.refresh import refresh
from insights.snapshots.storing_from_memory import store_from_memory
from integrations.attribution.tasks import attribute_what_waits
from integrations.intake.figures_work import settle_what_waits
from orgtree.models import Identity, Person
from orgtree.services.identities import point_to
from tests.metrics.kept import forgotten_by_refresh, keep_weeks
from tests.metrics.told_in_pieces import PEOPLE, Pieces
from tests.org import Org

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
# How many records come at once, and how many decisions there are: what one piece forgets, another may make up for.
FEW, ALL = (100, 2), (4, 10)
SEEDS = [(1, *FEW), *(pytest.param(seed, *ALL, marks=pytest.mark.soak) for seed in range(2, 12))]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


@pytest.fixture
def teams(org: Org) -> Org:
    """Teams ─┬─ Red: ada, ben; owner of acme/shop; and Blue.  Cy is in none of them."""
    org.tree("Teams")
    for unit in ("Red", "Blue"):
        org.unit(unit, below="teams")
    for person in ("ada", "ben"):
        org.join(person, "red")
    org.people(
        {"full_name": "Cy", "email": "cy@example.com"}, {"full_name": "At Home", "email": "ada-at-home@example.com"}
    )
    org.push("pull-requests", *(_opened_by(person, number) for number, person in enumerate(PEOPLE)))
    org.own("acme/shop", "red")
    return org


def _opened_by(person: str, number: int) -> dict[str, object]:
    return {
        "id": f"by {person}",
        "repository": "acme/shop",
        "number": 100 + number,
        "author": person,
        "created_at": "2026-02-25T12:00:00Z",
        "state": "open",
    }


BOTH_WAYS = (pytest.param(sys.maxsize, id="few rows"), pytest.param(0, id="many rows"))
ONE_OF_THEM = (BOTH_WAYS[0], pytest.param(0, id="many rows", marks=pytest.mark.soak))


@pytest.fixture(params=BOTH_WAYS)
def is_in_memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a refresh computes in memory what it computes of everybody, and of the units beside."""
    many_rows: int = request.param
    monkeypatch.setattr("insights.snapshots.cells.MANY_ROWS", many_rows)
    return many_rows == 0


@pytest.mark.parametrize("is_in_memory", ONE_OF_THEM, indirect=True)  # the last test of this file tells of the other
@pytest.mark.parametrize(("seed", "largest", "decisions"), SEEDS)
def test_cells_are_those_of_a_fill_after_each_piece(
    seed: int, largest: int, decisions: int, *, is_in_memory: bool, teams: Org, clock: time_machine.Traveller
) -> None:
    forgotten_by_refresh()
    told: list[str] = []
    kept = 0
    for name, tell in Pieces(seed, teams, largest=largest, decisions=decisions):
        clock.shift(timedelta(minutes=1))
        tell()
        attribute_what_waits()
        settle_what_waits()
        told.append(name)
        assert forgotten_by_refresh(filled_by_database=is_in_memory) == {}, (
            f"after {len(told)} pieces, the last of them: {name}"
        )
        if is_in_memory and len(told) % 3 == 0:
            kept += keep_weeks()  # what the next refreshes read of them has to be what facts say
    assert (kept > 0) == is_in_memory


def test_an_address_that_becomes_somebody_elses_changes_the_units_of_both(teams: Org) -> None:
    teams.join("dee", "blue")
    teams.session(by="dee", on="2026-03-17")
    teams.fold()
    assert forgotten_by_refresh() == {}
    point_to(Identity.objects.filter(value="dee@example.com"), Person.objects.get(email="ada@example.com"))
    assert forgotten_by_refresh() == {}


def test_a_refresh_reads_many_rows_once_for_everybody_and_their_units(is_in_memory: bool, teams: Org) -> None:
    forgotten_by_refresh()
    teams.session(by="ada", on="2026-03-17")
    teams.fold()
    with mock.patch("insights.snapshots.cells.store_from_memory", wraps=store_from_memory) as stored:
        refresh()
    assert stored.called == is_in_memory
    assert forgotten_by_refresh(filled_by_database=is_in_memory) == {}
