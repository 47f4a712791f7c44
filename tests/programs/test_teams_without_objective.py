"""Which units are asked for a mandatory objective: those that people work for, wherever they sit."""

from __future__ import annotations

from datetime import date

import pytest

from insights.query.windows import local_today
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from orgtree.trees.units import set_leader
from programs.models import Objective
from programs.quarters.fiscal_quarters import current_quarter
from programs.teams.queries import teams_without_objective
from tests.org import Org

EVERYTHING = Visibility(whole=True, unit_ids=None, leads_whole=True)
SINCE = date(2025, 1, 1)


@pytest.fixture
def departments(org: Org) -> Org:
    """Payments has two sites and a manager who sits in one of them; its department has a director of its own."""
    org.tree("departments")
    org.unit("storefront", below="departments")
    org.unit("payments", below="storefront")
    org.unit("berlin", below="payments")
    org.unit("lisbon", below="payments")
    org.unit("research", below="departments")
    for person, unit in (
        *(("ada", "berlin"), ("maya", "berlin"), ("grace", "lisbon")),
        *(("dale", "storefront"), ("hedy", "research")),
    ):
        org.join(person, unit, on=SINCE)
    lead("maya", "payments")
    lead("dale", "storefront")
    return org


def lead(person: str, unit: str) -> None:
    set_leader(Unit.objects.get(slug=unit), Person.objects.get(email=f"{person}@example.com"))


def gap(visibility: Visibility = EVERYTHING) -> list[str]:
    return [unit.slug for unit in teams_without_objective(current_quarter(), visibility, today=local_today())]


def test_sites_of_a_team_and_its_directors_are_no_teams(departments: Org) -> None:
    assert gap() == ["payments", "research"], "research is led by nobody, and somebody works in it"


def test_whoever_works_for_a_director_makes_a_team_of_it(departments: Org) -> None:
    departments.join("lise", "storefront", on=SINCE)
    assert gap() == ["payments", "research", "storefront"]


def test_a_unit_is_seen_by_whoever_may_see_it(departments: Org) -> None:
    payments = Unit.objects.get(slug="payments")
    assert gap(Visibility(unit_ids=frozenset({payments.pk}))) == ["payments"]
    assert gap(Visibility()) == []


def test_teams_are_those_of_the_tree_in_which_objectives_are_written(departments: Org) -> None:
    departments.tree("streams")
    departments.unit("buying", below="streams")
    departments.unit("selling", below="streams")
    for person, unit in (("ada", "buying"), ("grace", "selling")):
        departments.join(person, unit, on=SINCE)
    assert gap() == ["payments", "research"], "the first, while nothing is written"
    buying = Unit.objects.get(slug="buying")
    Objective.objects.create(quarter=current_quarter(), unit=buying, title="Sooner", is_mandatory=True)
    assert gap() == ["buying", "selling"], "a draft is no agreement"
