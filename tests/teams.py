"""A small organisation with an Org Tree, for visibility tests.

engineering ─┬─ platform: Ada and five others, led by Edith
             └─ search: Grace and Lise, which is fewer people than the minimum group size
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.backends.postgresql.psycopg_any import DateRange

from orgtree.models import (
    Grant,
    IndividualPolicy,
    Membership,
    Organisation,
    OrgTree,
    Person,
    Placement,
    Role,
    Unit,
    UnitPlace,
)
from orgtree.trees.unit_placements import rebuild_unit_placements
from tests.personas import AUDITOR, EXECUTIVE, FINANCE, create_user

SINCE = date(2025, 1, 1)
ALWAYS = DateRange(SINCE, None)
OTHERS_IN_PLATFORM = ("hedy", "katherine", "radia", "barbara", "frances")
IN_SEARCH = ("grace", "lise")


@dataclass(frozen=True)
class Teams:
    tree: OrgTree
    engineering: Unit
    platform: Unit
    search: Unit


def create_teams(policy: IndividualPolicy = IndividualPolicy.PSEUDONYMS) -> Teams:
    """Protected from the start, with the leaderboard on; an executive, an auditor and finance hold grants."""
    protected = {"protected_since": datetime(2026, 1, 1, tzinfo=UTC), "leaderboard": True}
    Organisation.objects.update_or_create(pk=1, defaults={"individual_policy": policy, **protected})
    people = _people("ada", *OTHERS_IN_PLATFORM, *IN_SEARCH, "edith")
    tree = OrgTree.objects.create(name="Teams", slug="teams")
    (engineering,) = _units(tree, None, "engineering")
    platform, search = _units(tree, engineering, "platform", "search")
    platform.leader = people["edith"]
    platform.save()
    rebuild_unit_placements([tree.pk])
    _place(
        engineering,
        {people[name]: platform for name in ("ada", *OTHERS_IN_PLATFORM)}
        | {people[name]: search for name in IN_SEARCH},
    )
    Grant.objects.bulk_create(
        Grant(user=create_user(persona), role=role, during=ALWAYS)
        for persona, role in ((EXECUTIVE, Role.EXECUTIVE), (AUDITOR, Role.AUDITOR), (FINANCE, Role.FINANCE))
    )
    return Teams(tree, engineering, platform, search)


def add_teams(teams: Teams, people: Mapping[str, Sequence[str]]) -> None:
    """More teams of engineering: the names of their people by that of the team."""
    units = _units(teams.tree, teams.engineering, *people)
    rebuild_unit_placements([teams.tree.pk])
    for unit in units:
        join(unit, teams.engineering, *people[unit.slug])


def join(unit: Unit, root: Unit, *names: str) -> None:
    """Place more people in the unit, from the start."""
    _place(root, dict.fromkeys(_people(*names).values(), unit))


def _units(tree: OrgTree, parent: Unit | None, *names: str) -> list[Unit]:
    units = Unit.objects.bulk_create(Unit(tree=tree, name=name.capitalize(), slug=name) for name in names)
    UnitPlace.objects.bulk_create(UnitPlace(unit=unit, parent=parent, during=ALWAYS) for unit in units)
    return units


def _people(*names: str) -> dict[str, Person]:
    """People by name; unknown ones are created."""
    emails = {name: f"{name}@example.com" for name in names}
    known = {person.email: person for person in Person.objects.filter(email__in=emails.values())}
    new = Person.objects.bulk_create(
        Person(email=email, full_name=name.capitalize()) for name, email in emails.items() if email not in known
    )
    people = known | {person.email: person for person in new}
    return {name: people[email] for name, email in emails.items()}


def _place(root: Unit, units: Mapping[Person, Unit]) -> None:
    """Each of these people in a unit below the root."""
    Membership.objects.bulk_create(
        Membership(tree=unit.tree, person=person, unit=unit, during=ALWAYS) for person, unit in units.items()
    )
    Placement.objects.bulk_create(
        Placement(tree=unit.tree, person=person, unit=unit, ancestor=ancestor, during=ALWAYS)
        for person, unit in units.items()
        for ancestor in (unit, root)
    )
