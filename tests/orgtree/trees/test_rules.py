"""The rules of docs/org-trees.md, one example each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from orgtree.trees.derivation.by_attributes import AttributeValue, tree_by_attributes
from orgtree.trees.derivation.by_manager import ManagersInACircleError, ReportingLine, tree_by_manager
from orgtree.trees.derivation.structure import FOR_EVER, ROOT, SINCE_EVER, DateRange, Structure

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
NAMES = ("ada", "ben", "cid", "dee", "eve", "fay", "gus", "hal", "ida")
Days = Mapping[date, str]  # from that day on; "" for nobody, nothing


def test_a_manager_is_a_member_of_the_unit_they_lead() -> None:
    tree = managers(ben={SINCE_EVER: "ada"}, cid={SINCE_EVER: "ben"})
    assert team(tree, "ada", MARCH) == {"ada"}
    assert team(tree, "ben", MARCH) == {"ben", "cid"}
    assert parent(tree, unit_of(tree, "ben", MARCH), MARCH) == unit_of(tree, "ada", MARCH)


def test_the_only_manager_at_the_top_leads_the_root() -> None:
    tree = managers(ben={SINCE_EVER: "ada"})
    assert parent(tree, unit_of(tree, "ada", MARCH), MARCH) is None


def test_a_unit_of_its_own_stands_above_several_managers_at_the_top_on_all_days() -> None:
    tree = managers(ben={SINCE_EVER: "ada"}, dee={APRIL: "cid"})
    assert parent(tree, unit_of(tree, "ada", MARCH), MARCH) == ROOT
    assert parent(tree, unit_of(tree, "cid", APRIL), APRIL) == ROOT


def test_whoever_has_neither_a_manager_nor_reports_is_unassigned() -> None:
    tree = managers(ben={SINCE_EVER: "ada"}, cid={SINCE_EVER: "ada", APRIL: ""})
    assert unit_of(tree, "cid", APRIL) is None


def test_most_reports_take_the_unit_to_the_successor() -> None:
    tree = managers(
        ben={SINCE_EVER: "ada"},
        cid={SINCE_EVER: "ada"},
        together={("dee", "eve", "fay"): {SINCE_EVER: "ben", APRIL: "cid"}},
        gus={SINCE_EVER: "ben", APRIL: "ada"},
    )
    assert unit_of(tree, "cid", APRIL) == unit_of(tree, "ben", MARCH)


def test_a_report_who_is_promoted_takes_over_the_unit() -> None:
    tree = managers(
        ben={SINCE_EVER: "ada"},
        cid={SINCE_EVER: "ben", APRIL: "ada"},
        together={("dee", "eve"): {SINCE_EVER: "ben", APRIL: "cid"}},
        gone={"ben": APRIL},
    )
    assert unit_of(tree, "cid", APRIL) == unit_of(tree, "ben", MARCH)


def test_a_new_layer_below_a_manager_leaves_them_their_unit() -> None:
    """Those of Ben's reports who report to Cid from April on still are in Ben's unit, one step lower."""
    tree = managers(
        ben={SINCE_EVER: "ada"},
        cid={SINCE_EVER: "ben"},
        together={("dee", "eve", "fay"): {SINCE_EVER: "ben", APRIL: "cid"}},
    )
    assert unit_of(tree, "ben", APRIL) == unit_of(tree, "ben", MARCH)
    assert parent(tree, unit_of(tree, "cid", APRIL), APRIL) == unit_of(tree, "ben", APRIL)


def test_one_report_alone_is_a_person_who_moves_not_a_team() -> None:
    tree = managers(ben={SINCE_EVER: "ada"}, cid={SINCE_EVER: "ada"}, dee={SINCE_EVER: "ben", APRIL: "cid"})
    assert unit_of(tree, "cid", APRIL) != unit_of(tree, "ben", MARCH)


def test_one_report_alone_goes_on_in_the_unit_of_a_manager_who_has_left() -> None:
    tree = managers(
        ben={SINCE_EVER: "ada"},
        cid={SINCE_EVER: "ada"},
        dee={SINCE_EVER: "ben", APRIL: "cid"},
        gone={"ben": APRIL},
    )
    assert unit_of(tree, "cid", APRIL) == unit_of(tree, "ben", MARCH)


def test_a_scattered_team_ends() -> None:
    tree = managers(
        ben={SINCE_EVER: "ada"},
        dee={SINCE_EVER: "ben", APRIL: "cid"},
        eve={SINCE_EVER: "ben", APRIL: "fay"},
        cid={SINCE_EVER: "ada"},
        fay={SINCE_EVER: "ada"},
    )
    units = {unit_of(tree, "cid", APRIL), unit_of(tree, "fay", APRIL)}
    assert unit_of(tree, "ben", MARCH) not in units


def test_a_promoted_lead_hands_on_their_own_unit() -> None:
    """Cid takes over Ben's larger team and gives their own to Gus on the same day."""
    tree = managers(
        ben={SINCE_EVER: "ada"},
        cid={SINCE_EVER: "ben", APRIL: "ada"},
        together={
            ("dee", "eve"): {SINCE_EVER: "ben", APRIL: "cid"},
            ("fay", "hal"): {SINCE_EVER: "cid", APRIL: "gus"},
        },
        gus={SINCE_EVER: "cid"},
        gone={"ben": APRIL},
    )
    assert unit_of(tree, "cid", APRIL) == unit_of(tree, "ben", MARCH)
    assert unit_of(tree, "gus", APRIL) == unit_of(tree, "cid", MARCH)


def test_a_team_whose_manager_has_left_stays_where_it_stood() -> None:
    tree = managers(
        ben={SINCE_EVER: "ada", APRIL: ""}, cid={SINCE_EVER: "ben"}, dee={SINCE_EVER: "ben"}, gone={"ben": APRIL}
    )
    unit = unit_of(tree, "cid", MARCH)
    assert unit_of(tree, "cid", APRIL) == unit
    assert unit_of(tree, "ben", APRIL) is None
    assert parent(tree, unit, APRIL) == unit_of(tree, "ada", APRIL)
    assert {one.leader_id for one in tree.units if one.number == unit} == {None}


def test_whoever_leads_again_leads_their_last_unit() -> None:
    tree = managers(ben={SINCE_EVER: "ada"}, cid={SINCE_EVER: "ben", APRIL: "ada", MAY: "ben"})
    assert unit_of(tree, "ben", APRIL) == unit_of(tree, "ada", APRIL)
    assert unit_of(tree, "ben", MAY) == unit_of(tree, "ben", MARCH)


def test_managers_in_a_circle_are_refused_with_the_day() -> None:
    with pytest.raises(ManagersInACircleError) as circle:
        managers(ben={SINCE_EVER: "ada"}, cid={SINCE_EVER: "ben"}, ada={APRIL: "cid"})
    assert circle.value.on == APRIL
    assert set(circle.value.person_ids) == {numbered("ada"), numbered("ben"), numbered("cid")}


def test_a_gap_in_the_values_ends_the_path() -> None:
    tree = attributes(ada=("Oslo", "", "Search"), ben=("Oslo", "Product", ""), cid=("", "Product", "Search"))
    assert path(tree, "ada", MARCH) == ["Oslo"]
    assert path(tree, "ben", MARCH) == ["Oslo", "Product"]
    assert unit_of(tree, "cid", MARCH) is None


def test_a_value_in_two_places_at_a_time_is_two_units() -> None:
    tree = attributes(ada=("Oslo", "Product"), ben=("Pune", "Product"))
    assert unit_of(tree, "ada", MARCH) != unit_of(tree, "ben", MARCH)


def test_a_whole_department_moves_with_its_teams() -> None:
    tree = attributes(
        ada=("Oslo", "Product", "Search"),
        ben=("Oslo", "Product", "Payments"),
        moves={"ada": (APRIL, ("Pune", "Product", "Search")), "ben": (APRIL, ("Pune", "Product", "Payments"))},
    )
    assert unit_of(tree, "ada", APRIL) == unit_of(tree, "ada", MARCH)
    assert unit_of(tree, "ben", APRIL) == unit_of(tree, "ben", MARCH)
    assert path(tree, "ada", MARCH) == ["Oslo", "Product", "Search"]
    assert path(tree, "ada", APRIL) == ["Pune", "Product", "Search"]


def test_a_team_of_which_somebody_stays_does_not_move() -> None:
    tree = attributes(ada=("Oslo", "Search"), ben=("Oslo", "Search"), moves={"ada": (APRIL, ("Pune", "Search"))})
    assert unit_of(tree, "ada", APRIL) != unit_of(tree, "ben", APRIL)
    assert unit_of(tree, "ben", APRIL) == unit_of(tree, "ben", MARCH)


def managers(
    *, together: Mapping[tuple[str, ...], Days] | None = None, gone: Mapping[str, date] | None = None, **people: Days
) -> Structure:
    """Reporting lines by start day; people of a group have the same.  People in `gone` left on that day."""
    alike = {person: by_day for group, by_day in (together or {}).items() for person in group}
    lines = [
        ReportingLine(numbered(person), numbered(manager), days)
        for person, by_day in (people | alike).items()
        for manager, days in date_ranges(by_day)
    ]
    presence = {numbered(person): [DateRange(SINCE_EVER, day)] for person, day in (gone or {}).items()}
    return tree_by_manager(lines, presence, today=MAY)


def attributes(moves: Mapping[str, tuple[date, tuple[str, ...]]] | None = None, **people: tuple[str, ...]) -> Structure:
    values = []
    for person, first in people.items():
        day, second = (moves or {}).get(person, (FOR_EVER, ()))
        for known, days in ((first, DateRange(SINCE_EVER, day)), (second, DateRange(day, FOR_EVER))):
            values += [
                AttributeValue(numbered(person), level, value, days) for level, value in enumerate(known) if value
            ]
    return tree_by_attributes(("site", "department", "team"), values, {})


def date_ranges(by_day: Days) -> list[tuple[str, DateRange]]:
    ends = [*list(by_day)[1:], FOR_EVER]
    return [(name, DateRange(day, end)) for (day, name), end in zip(by_day.items(), ends, strict=True) if name]


def numbered(name: str) -> int:
    return NAMES.index(name) + 1


def unit_of(tree: Structure, name: str, day: date) -> int | None:
    return next((one.number for one in tree.members if one.person_id == numbered(name) and one.during.holds(day)), None)


def team(tree: Structure, leader: str, day: date) -> set[str]:
    unit = unit_of(tree, leader, day)
    return {NAMES[one.person_id - 1] for one in tree.members if one.number == unit and one.during.holds(day)}


def parent(tree: Structure, unit: int | None, day: date) -> int | None:
    (place,) = [place for place in tree.places if place.number == unit and place.during.holds(day)]
    return place.parent


def path(tree: Structure, name: str, day: date) -> list[str]:
    names = {unit.number: unit.name for unit in tree.units}
    rows: list[str] = []
    unit = unit_of(tree, name, day)
    while unit is not None and unit != ROOT:
        rows.insert(0, names[unit])
        unit = parent(tree, unit, day)
    return rows
