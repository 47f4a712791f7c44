"""Derived trees agree with a brute-force model of each day, on random small organisations."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from orgtree.trees.derivation.by_attributes import tree_by_attributes
from orgtree.trees.derivation.by_manager import tree_by_manager
from orgtree.trees.derivation.structure import ROOT, Structure
from tests.orgtree.trees.made_up import DAYS, LEVELS, MadeUp, made_up_organisation

SEEDS = [*range(60), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(60, 1500))]
Shape = tuple[tuple[int, ...], tuple["Shape", ...]]  # the members of a unit, and the units below it


@pytest.mark.parametrize("seed", SEEDS)
def test_managers_lead_those_who_report_to_them_on_every_day(seed: int) -> None:
    made = made_up_organisation(random.Random(seed))
    structure = tree_by_manager(made.lines(), made.presence(), today=DAYS[-1])
    teams = teams_by_day(made)
    several_tops = any(len(tops(*teams[day])) > 1 for day in DAYS) or not any(teams[day][0] for day in DAYS)
    assert (ROOT in {unit.number for unit in structure.units}) == several_tops
    for day in DAYS:
        reports, manager = teams[day]
        expected = [shape_below(one, reports, manager, made.there[day]) for one in tops(reports, manager)]
        below_root = (((), tuple(sorted(expected))),)
        assert shapes(structure, day) == (below_root if several_tops else tuple(sorted(expected))), day


@pytest.mark.parametrize("seed", SEEDS)
def test_a_unit_stays_with_its_manager_and_goes_to_a_successor(seed: int) -> None:
    made = made_up_organisation(random.Random(seed))
    structure = tree_by_manager(made.lines(), made.presence(), today=DAYS[-1])
    teams = teams_by_day(made)
    for yesterday, today in pairwise(DAYS):
        (before, _), (after, manager) = teams[yesterday], teams[today]
        there = made.there[today]
        old, new = members(structure, yesterday), members(structure, today)
        successor = {
            leader: successor_of(leader, before, after, manager, there) for leader in before if leader not in after
        }
        for leader in before.keys() & after.keys() & made.there[yesterday] & there:
            if leader not in successor.values():
                assert old[leader] == new[leader], f"{leader} led two units from {yesterday} to {today}"
        for leader, taken_by in successor.items():
            rivals = [one for one in successor.values() if one == taken_by]
            if taken_by in there and taken_by not in before and len(rivals) == 1 and leader in old:
                assert old[leader] == new[taken_by], f"{taken_by} succeeded {leader} on {today}"


@pytest.mark.parametrize("seed", SEEDS)
def test_people_are_where_their_attributes_put_them_on_every_day(seed: int) -> None:
    made = made_up_organisation(random.Random(seed))
    structure = tree_by_attributes(LEVELS, made.attribute_values(), made.presence())
    for day in DAYS:
        named = paths(structure, day)
        assert len(set(named.values())) == len(named), "two units at one path"
        expected = paths_by_person(made, day)
        assert {person: named[unit] for person, unit in members(structure, day).items()} == expected
        assert set(named.values()) == {
            path[:length] for path in expected.values() for length in range(len(path) + 1)
        } | {()}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_team_that_moves_as_a_whole_keeps_its_unit(seed: int) -> None:
    made = made_up_organisation(random.Random(seed))
    structure = tree_by_attributes(LEVELS, made.attribute_values(), made.presence())
    for yesterday, today in pairwise(DAYS):
        before, after = paths_by_person(made, yesterday), paths_by_person(made, today)
        old = {path: unit for unit, path in paths(structure, yesterday).items()}
        new = {path: unit for unit, path in paths(structure, today).items()}
        ended, started = old.keys() - new.keys(), new.keys() - old.keys()
        assert all(old[path] == new[path] for path in old.keys() & new.keys())
        moves = {}
        for path in ended:
            team = [after[one] for one in before if before[one][: len(path)] == path and one in after]
            for target in started:
                share = sum(member_path[: len(path)] == target for member_path in team)
                if len(target) == len(path) and target[-1] == path[-1] and 2 * share > len(team):
                    moves[path] = target
        for path, target in moves.items():
            if Counter(moves.values())[target] == 1:
                assert old[path] == new[target], f"{path} moved to {target} on {today}"


def teams_by_day(made: MadeUp) -> dict[date, tuple[dict[int, set[int]], dict[int, int]]]:
    """For each day: who leads whom, and the manager of everybody who counts."""
    managers = {}
    carried_managers: dict[int, int] = {}
    for day in DAYS:
        there = made.there[day]
        carried = {person: manager for person, manager in carried_managers.items() if person not in there}
        carried_managers = carried | made.manager[day]
        counting = set(there)
        while more := {carried_managers[person] for person in counting if person in carried_managers} - counting:
            counting |= more
        manager = {person: carried_managers[person] for person in counting if person in carried_managers}
        reports: dict[int, set[int]] = {}
        for person, above in manager.items():
            reports.setdefault(above, set()).add(person)
        managers[day] = (reports, manager)
    return managers


def tops(reports: dict[int, set[int]], manager: dict[int, int]) -> list[int]:
    return [leader for leader in reports if leader not in manager]


def shape_below(leader: int, reports: dict[int, set[int]], manager: dict[int, int], there: set[int]) -> Shape:
    people = {leader, *(person for person in reports[leader] if person not in reports)} & there
    below = [shape_below(person, reports, manager, there) for person in reports[leader] if person in reports]
    return tuple(sorted(people)), tuple(sorted(below))


def successor_of(
    leader: int, before: dict[int, set[int]], after: dict[int, set[int]], manager: dict[int, int], there: set[int]
) -> int | None:
    team = before[leader]
    voters = [
        person for person in team if (person in there or person in manager) and not after.get(person, set()) & team
    ]
    votes = Counter(manager[person] for person in voters if person in manager)
    for taken_by, strength in votes.items():
        if 2 * strength > len(voters) and (strength > 1 or leader not in there):
            return taken_by
    return None


def members(structure: Structure, day: date) -> dict[int, int]:
    return {one.person_id: one.number for one in structure.members if one.during.holds(day)}


def shapes(structure: Structure, day: date) -> tuple[Shape, ...]:
    """The shapes of the units at the top on that day."""
    parent = {place.number: place.parent for place in structure.places if place.during.holds(day)}
    people = members(structure, day)

    def shape(unit: int) -> Shape:
        below = [shape(other) for other, above in parent.items() if above == unit]
        return tuple(sorted(person for person in people if people[person] == unit)), tuple(sorted(below))

    return tuple(sorted(shape(unit) for unit, above in parent.items() if above is None))


def paths(structure: Structure, day: date) -> dict[int, tuple[str, ...]]:
    """The names on the way from the root to each unit that stands on that day."""
    parent = {place.number: place.parent for place in structure.places if place.during.holds(day)}
    names = {unit.number: unit.name for unit in structure.units}

    def path(unit: int) -> tuple[str, ...]:
        above = parent[unit]
        return () if above is None else (*path(above), names[unit])

    return {unit: path(unit) for unit in parent}


def paths_by_person(made: MadeUp, day: date) -> dict[int, tuple[str, ...]]:
    units = {}
    for person in made.there[day]:
        known = []
        for value in made.values[day][person]:
            if value is None:
                break
            known.append(value)
        if known:
            units[person] = tuple(known)
    return units
