"""Loads the demo's people, Org Trees and seats by import, one people file per day of change."""

from __future__ import annotations

from demo.plan.organisation import (
    DEPARTMENT_LEVELS,
    HAND_BUILT,
    HAND_MOVED_PERSON,
    HAND_MOVED_UNIT,
    LEADERS,
    HandBuiltUnit,
    people_files,
)
from demo.plan.people import team
from demo.plan.seats import seats_file
from demo.plan.year import DemoYear
from integrations.telemetry.seats.csv_import import import_seats
from orgtree.models import Attribute, OrgTree, Person, TreeKind, Unit, UnitPlace
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import store_people
from orgtree.trees.trees import create_tree
from orgtree.trees.units import add_unit, move_people, move_person, move_unit, set_leader

MANAGER_TREE, DEPARTMENT_TREE = "Reporting lines", "Departments"


def load_demo_organisation(year: DemoYear) -> None:
    """Import the year's people, create a tree by managers, one by attributes and one by hand, and import seats."""
    for file in people_files(year):
        store_people(drafts_of(file.content), effective=file.effective)
    create_tree(MANAGER_TREE, TreeKind.MANAGERS)
    attributes = Attribute.objects.in_bulk(DEPARTMENT_LEVELS, field_name="slug")
    departments = create_tree(
        DEPARTMENT_TREE, TreeKind.ATTRIBUTES, attributes=[attributes[slug] for slug in DEPARTMENT_LEVELS]
    )
    for unit, leader in LEADERS.items():
        set_leader(_unit(departments, unit), Person.objects.get(full_name=leader))
    _build_by_hand(create_tree(HAND_BUILT.name, TreeKind.HAND_BUILT), year)
    if not year.flavour.is_quiet:
        import_seats(seats_file(year))


def _build_by_hand(tree: OrgTree, year: DemoYear) -> None:
    _add_children(UnitPlace.objects.get(unit__tree=tree, parent=None).unit, HAND_BUILT)
    move_unit(
        _unit(tree, HAND_MOVED_UNIT.moved),
        _unit(tree, HAND_MOVED_UNIT.to),
        on=year.first_day_of(HAND_MOVED_UNIT.weeks),
    )
    move_person(
        Person.objects.get(full_name=HAND_MOVED_PERSON.moved),
        _unit(tree, HAND_MOVED_PERSON.to),
        on=year.first_day_of(HAND_MOVED_PERSON.weeks),
    )


def _add_children(parent: Unit, planned: HandBuiltUnit) -> None:
    for child in planned.children:
        unit = add_unit(parent, child.name)
        members = Person.objects.filter(email__in=[email for name in child.teams for email in team(name)])
        if members:
            move_people([person.pk for person in members], unit)
        _add_children(unit, child)


def _unit(tree: OrgTree, name: str) -> Unit:
    return Unit.objects.get(tree=tree, name=name, places__during__endswith=None)
