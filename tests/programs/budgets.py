"""The language of budget tests: the spend of a unit's people, and a budget for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from programs.budgets.services.writing import add_budget
from programs.models import Budget
from tests.org import Org
from tests.personas import EXECUTIVE
from tests.programs.tickets import as_
from tests.teams import OTHERS_IN_PLATFORM

DOLLAR = 1_000_000 / 15  # tokens that the default model writes for it
IN_PLATFORM = ("ada", *OTHERS_IN_PLATFORM)


def spends(org: Org, dollars: float, *, on: str | date, people: Iterable[str] = IN_PLATFORM) -> None:
    """Each of the people spends as much on that day."""
    for name in people:
        org.session(by=name, on=on, tokens=0, output=round(dollars * DOLLAR))
    org.fold()


def spends_weekly(org: Org, dollars: float, *, weeks: Iterable[date], people: Iterable[str] = IN_PLATFORM) -> None:
    """On the Wednesdays of these weeks, which are named by their Mondays."""
    for monday in weeks:
        for name in people:
            org.session(by=name, on=monday + timedelta(days=2), tokens=0, output=round(dollars * DOLLAR))
    org.fold()


def weeks_before(monday: date, number: int) -> list[date]:
    return [monday - timedelta(weeks=before) for before in range(number, 0, -1)]


def budget(by: Any = EXECUTIVE, **given: Any) -> Budget:
    """A budget of Platform, from November on."""
    return add_budget(
        as_(by), {"unit": "platform", "amount": 1000, "first_month": "2026-11", "owner": "ada@example.com", **given}
    )
