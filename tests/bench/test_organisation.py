"""The bench's organisation is stored as it was planned, and the services derive from it what the plan says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random

import pytest

from bench.organisation import (
    UNITS_LEVELS,
    OrganisationSize,
    PlannedOrganisation,
    PlannedPerson,
    held_on,
    level_widths,
    plan_organisation,
)
from bench.organisation_rows import HAND_BUILT_TREE, LEVELS, MANAGER_TREE, TEAM_TREE, write_organisation
from orgtree.models import OrgTree, Person, Placement, Unit, UnitPlace
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import sync_trees

TODAY = date(2026, 11, 20)
SIZE = OrganisationSize(people=300, units=60, weeks=104)
DAYS = [TODAY - timedelta(days=days) for days in Random(4).sample(range(104 * 7), 12)]

Path = tuple[str, ...]


@pytest.fixture
def organisation(db: None) -> PlannedOrganisation:
    planned = plan_organisation(SIZE, today=TODAY)
    write_organisation(planned)
    return planned


def test_the_plan_has_what_it_says() -> None:
    planned = plan_organisation(SIZE, today=TODAY)
    assert len({person.email for person in planned.people}) == len(planned.people) == SIZE.people
    assert len(planned.units) == SIZE.units
    assert {unit.level for unit in planned.units} == set(range(len(UNITS_LEVELS)))
    assert sum(len(unit.parents) > 1 for unit in planned.units) >= 1, "whole units move"
    assert sum(len(person.employments) > 1 for person in planned.people) >= 1, "some return"
    assert sum(person.employments[-1].until is not None for person in planned.people) >= 5, "some leave"
    for moved in ("team", "site", "role"):
        assert sum(len(person.attributes[moved]) > 1 for person in planned.people) >= 5, moved
    assert sum(len(person.managers) > 1 for person in planned.people) >= 5
    assert sum(len(person.units) > 1 for person in planned.people) >= 5
    assert planned == plan_organisation(SIZE, today=TODAY)


def test_a_thousand_units_stand_in_seven_levels() -> None:
    widths = level_widths(1000)
    assert sum(widths) == 1000
    assert len(widths) == 7
    assert widths == sorted(widths)
    with pytest.raises(ValueError, match="too few"):
        level_widths(6)


def test_everybody_counts_where_the_plan_has_them(organisation: PlannedOrganisation) -> None:
    units = {unit.number: unit for unit in organisation.units}

    def by_hand(person: PlannedPerson, day: date) -> Path:
        path, number = [], held_on(person.units, day)
        while number is not None:
            unit = units[int(number)]
            path.append(f"bench-{unit.number}")
            number = held_on(unit.parents, day)
        return tuple(reversed(path))

    assert_placed(organisation, HAND_BUILT_TREE, by_hand, named_by="slug")


def test_the_tree_by_attributes_follows_what_was_said(organisation: PlannedOrganisation) -> None:
    def path(person: PlannedPerson, day: date) -> Path:
        return ("Sites and teams", *(str(held_on(person.attributes[level], day)) for level in LEVELS))

    assert_placed(organisation, TEAM_TREE, path, named_by="name")


def test_the_tree_by_managers_follows_who_reports_to_whom(organisation: PlannedOrganisation) -> None:
    people = organisation.people

    def path(person: PlannedPerson, day: date) -> Path:
        reports = {held_on(member.managers, day) for member in people if member.is_there_on(day)}
        chain = [person.number] if person.number in reports else []
        manager = held_on(person.managers, day)
        while manager is not None:
            chain.append(int(manager))
            manager = held_on(people[int(manager)].managers, day)
        return tuple(f"{people[number].full_name}’s team" for number in chain)

    assert_placed(organisation, MANAGER_TREE, path, named_by="name")


def test_nothing_is_left_to_derive(organisation: PlannedOrganisation) -> None:
    assert sync_trees() == ()
    rebuild_placements()
    assert Unit.objects.filter(tree=OrgTree.objects.get(slug=HAND_BUILT_TREE)).count() == SIZE.units
    assert UnitPlace.objects.filter(parent=None, unit__tree__slug=HAND_BUILT_TREE).count() == 1
    assert Person.objects.count() == SIZE.people


def assert_placed(
    organisation: PlannedOrganisation, tree: str, path_on: Callable[[PlannedPerson, date], Path], *, named_by: str
) -> None:
    """On each of some days everybody who is there counts for exactly the units on their planned path."""
    placed: dict[str, list[tuple[str, date | None, date | None]]] = defaultdict(list)
    for email, name, during in Placement.objects.filter(tree__slug=tree).values_list(
        "person__email", f"ancestor__{named_by}", "during"
    ):
        placed[email].append((name, during.lower, during.upper))
    assert placed
    for day in DAYS:
        for person in organisation.people:
            expected = path_on(person, day) if person.is_there_on(day) else ()
            unit = _on(placed[person.email], day)
            assert sorted(unit) == sorted(expected), f"{person.full_name} on {day} in {tree}"


def _on(rows: Iterable[tuple[str, date | None, date | None]], day: date) -> list[str]:
    return [name for name, since, until in rows if (since is None or since <= day) and (until is None or day < until)]
