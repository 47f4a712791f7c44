"""Teams that still lack the objective of the quarter that each of them owes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from programs.models import Objective
from programs.quarters.fiscal_quarters import current_quarter
from programs.teams.queries import teams_without_objective
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, OTHER_MEMBER
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.teams import create_teams

TODAY = date(2026, 8, 20)


@pytest.fixture(autouse=True)
def teams_in_august(org: Org) -> Iterator[None]:
    with time_machine.travel("2026-08-20 12:00Z", tick=False):
        create_teams()
        yield


def test_teams_without_their_objective() -> None:
    quarter = current_quarter()

    def gap(persona: Any = EXECUTIVE) -> list[str]:
        return [unit.slug for unit in teams_without_objective(quarter, as_(persona).visibility, today=TODAY)]

    assert gap() == ["platform", "search"], "engineering has nobody of its own"
    objective(is_mandatory=False)
    draft_only = objective(is_mandatory=True, publish=False)
    assert gap() == ["platform", "search"], "a draft is no agreement"
    Objective.objects.filter(pk=draft_only.pk).update(published_at=timezone.now())
    assert gap() == ["search"]
    assert gap(MANAGER) == []
    assert gap(OTHER_MEMBER) == ["search"]
