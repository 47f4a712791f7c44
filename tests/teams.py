"""A small organisation with an Org Tree, for tests of who may see what.

engineering ─┬─ platform: Ada and five others, led by Edith
             └─ search: Grace and Lise, which is fewer people than the minimum group size
"""

from __future__ import annotations

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
from orgtree.services.unit_placements import rebuild_unit_placements
from tests.personas import AUDITOR, EXECUTIVE, create_user

SINCE = date(2025, 1, 1)
ALWAYS = DateRange(SINCE, None)
OTHERS_IN_PLATFORM = ("hedy", "katherine", "radia", "barbara", "frances")


@dataclass(frozen=True)
class Teams:
    tree: OrgTree
    engineering: Unit
    platform: Unit
    search: Unit


def create_teams(policy: IndividualPolicy = IndividualPolicy.PSEUDONYMS) -> Teams:
    """Protected from the start; an executive and an auditor hold their grants."""
    Organisation.objects.update_or_create(
        pk=1, defaults={"individual_policy": policy, "protected_since": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    tree = OrgTree.objects.create(name="Teams", slug="teams")
    engineering = _unit(tree, "engineering", None)
    platform, search = _unit(tree, "platform", engineering), _unit(tree, "search", engineering)
    for name in ("ada", *OTHERS_IN_PLATFORM):
        _place(_person(name), platform, engineering)
    for name in ("grace", "lise"):
        _place(_person(name), search, engineering)
    platform.leader = _person("edith")
    platform.save()
    for persona, role in ((EXECUTIVE, Role.EXECUTIVE), (AUDITOR, Role.AUDITOR)):
        Grant.objects.create(user=create_user(persona), role=role, during=ALWAYS)
    return Teams(tree, engineering, platform, search)


def join(unit: Unit, root: Unit, *names: str) -> None:
    """Place more people in the unit, from the start."""
    for name in names:
        _place(_person(name), unit, root)


def _unit(tree: OrgTree, name: str, parent: Unit | None) -> Unit:
    unit = Unit.objects.create(tree=tree, name=name.capitalize(), slug=name)
    UnitPlace.objects.create(unit=unit, parent=parent, during=ALWAYS)
    rebuild_unit_placements([tree.pk])
    return unit


def _person(name: str) -> Person:
    email = f"{name}@example.com"
    found, _ = Person.objects.get_or_create(email=email, defaults={"full_name": name.capitalize()})
    return found


def _place(person: Person, unit: Unit, root: Unit) -> None:
    Membership.objects.create(tree=unit.tree, person=person, unit=unit, during=ALWAYS)
    Placement.objects.bulk_create(
        Placement(tree=unit.tree, person=person, unit=unit, ancestor=ancestor, during=ALWAYS)
        for ancestor in (unit, root)
    )
