"""Stores made-up organisations, and reads their trees day by day."""

from __future__ import annotations

from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange as StoredRange

from orgtree.models import (
    Attribute,
    Employment,
    Membership,
    OrgTree,
    Person,
    PersonAttribute,
    Placement,
    Reporting,
    TreeKind,
    TreeLevel,
    UnitPlace,
)
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DateRange
from tests.orgtree.trees.made_up import LEVELS, MadeUp


def store_people(made: MadeUp) -> None:
    """Replace everything that is said of people by what is made up; people have their number as id."""
    known = set(Person.objects.values_list("pk", flat=True))
    Person.objects.bulk_create(
        Person(pk=number, full_name=f"Person {number}", email=f"person{number}@example.com")
        for number in made.people
        if number not in known
    )
    attributes = [Attribute.objects.get_or_create(slug=slug, name=slug.title())[0] for slug in LEVELS]
    for model in (Employment, Reporting, PersonAttribute):
        model.objects.all().delete()
    Employment.objects.bulk_create(
        Employment(person_id=person, during=days_of(date_range))
        for person, date_ranges in made.presence().items()
        for date_range in date_ranges
    )
    Reporting.objects.bulk_create(
        Reporting(person_id=line.person_id, manager_id=line.manager_id, during=days_of(line.during))
        for line in made.lines()
    )
    PersonAttribute.objects.bulk_create(
        PersonAttribute(
            person_id=one.person_id, attribute=attributes[one.level], value=one.value, during=days_of(one.during)
        )
        for one in made.attribute_values()
    )


def tree_of(kind: TreeKind) -> OrgTree:
    tree = OrgTree.objects.create(name=kind.label, slug=kind.value.replace("_", "-"), kind=kind)
    if kind == TreeKind.ATTRIBUTES:
        for position, slug in enumerate(LEVELS):
            TreeLevel.objects.create(tree=tree, position=position, attribute=Attribute.objects.get(slug=slug))
    return tree


def days_of(date_range: DateRange) -> StoredRange:
    return StoredRange(
        None if date_range.start == SINCE_EVER else date_range.start,
        None if date_range.end == FOR_EVER else date_range.end,
    )


def placements_by_hand(day: date) -> set[tuple[int, int, int]]:
    """(person, unit, ancestor) of a day, climbed unit by unit from what the tables say of that day alone."""
    parent = {place.unit_id: place.parent_id for place in UnitPlace.objects.all() if day in _Days(place.during)}
    employed = {row.person_id: False for row in Employment.objects.all()}
    employed |= {row.person_id: True for row in Employment.objects.all() if day in _Days(row.during)}
    placements = set()
    for member in Membership.objects.all():
        if day not in _Days(member.during) or not employed.get(member.person_id, True):
            continue
        above: int | None = member.unit_id
        while above in parent:
            placements.add((member.person_id, member.unit_id, above))
            above = parent[above]
    return placements


def stored_placements(day: date) -> set[tuple[int, int, int]]:
    rows = [
        (row.person_id, row.unit_id, row.ancestor_id) for row in Placement.objects.all() if day in _Days(row.during)
    ]
    assert len(rows) == len(set(rows)), "a person counts twice for a unit"
    return set(rows)


class _Days:
    """A stored range, asked whether it holds a day."""

    def __init__(self, during: StoredRange) -> None:
        self._during = during

    def __contains__(self, day: date) -> bool:
        start, end = self._during.lower, self._during.upper
        return (start is None or start <= day) and (end is None or day < end)
