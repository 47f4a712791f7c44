"""A unit that is reorganised in mid-quarter: its key results count what was its own when it happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine

from orgtree.models import Person
from orgtree.trees.units import move_person, move_unit
from programs.key_results.services.measuring import measure_objectives
from programs.models import KeyResult, Objective
from tests.org import Org
from tests.pages.delivering import merged
from tests.personas import EXECUTIVE
from tests.programs.objectives import objective
from tests.teams import Teams, create_teams

MERGED = {"title": "Merged", "metric": "pr.throughput", "better": "higher", "target_kind": "absolute", "target": 10.0}


@pytest.fixture(autouse=True)
def in_august() -> Iterator[None]:
    """The 51st of the 92 days of July to September."""
    with time_machine.travel(datetime(2026, 8, 20, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def teams(org: Org) -> Teams:
    """Hedy merged in Platform on the 10th of July, and on the 10th of August."""
    made = create_teams()
    org.push("pull-requests", merged(1, date(2026, 7, 10), author="hedy"), merged(2, date(2026, 8, 10), author="hedy"))
    return made


def measured(slug: str) -> float | None:
    measure_objectives()
    return KeyResult.objects.get(objective__unit__slug=slug).measure.value


def test_what_somebody_did_stays_with_the_unit_that_they_were_in(teams: Teams) -> None:
    for slug in ("platform", "search"):
        objective(EXECUTIVE, title=f"Of {slug}", unit=slug, key_results=(MERGED,))
    assert (measured("platform"), measured("search")) == (2, 0)
    move_person(Person.objects.get(email="hedy@example.com"), teams.search, date(2026, 8, 1))
    assert (measured("platform"), measured("search")) == (1, 1)


def test_a_unit_that_moves_takes_what_is_done_from_then_on_along(teams: Teams) -> None:
    for slug in ("search", "platform"):
        objective(EXECUTIVE, title=f"Of {slug}", unit=slug, key_results=(MERGED,))
    move_unit(teams.platform, teams.search, date(2026, 8, 1))
    assert measured("search") == 1, "with all below it on the day on which it was done"
    assert measured("platform") == 2
    assert Objective.objects.filter(unit=teams.platform, dropped_at=None).exists()
