"""Stores a planned organisation: people and units; the services derive the rest."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction

from bench.organisation import Held, PlannedOrganisation
from orgtree.models import Attribute, OrgTree, TreeKind, TreeLevel
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import sync_trees

Row = tuple[str, int, str, str, str]  # what it is, of whom or what (its number), name, value, days

HAND_BUILT_TREE, MANAGER_TREE, TEAM_TREE = "bench-products", "bench-managers", "bench-teams"
LEVELS = ("site", "department", "team")


def write_organisation(organisation: PlannedOrganisation) -> None:
    """Store people with their identities, three trees, and the placements that follow."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PLANNED)
        with cursor.copy("COPY planned FROM STDIN") as copy:
            for row in _rows(organisation):
                copy.write_row(row)
        cursor.execute("ANALYZE planned")
        for statement in (PEOPLE, NUMBERED, IDENTITIES, EMPLOYMENTS, REPORTING, ATTRIBUTES, PERSON_ATTRIBUTES):
            cursor.execute(statement)
        tree = OrgTree.objects.create(name="Products", slug=HAND_BUILT_TREE)
        create_following_trees()
        for statement in (UNITS, NUMBERED_UNITS, UNIT_PLACES, MEMBERSHIPS):
            cursor.execute(statement, {"tree": tree.pk})
        for table in ("planned", "numbered", "numbered_unit"):
            cursor.execute(f"DROP TABLE {table}")
        cursor.execute("ANALYZE")  # the services' statements join what has just been written
        sync_trees()
        rebuild_placements()


def create_following_trees() -> None:
    """The trees by managers and by attributes, empty; they follow the people who come in."""
    for name in LEVELS:
        Attribute.objects.get_or_create(slug=name, defaults={"name": name.capitalize()})
    OrgTree.objects.create(name="Managers", slug=MANAGER_TREE, kind=TreeKind.MANAGERS)
    tree = OrgTree.objects.create(name="Sites and teams", slug=TEAM_TREE, kind=TreeKind.ATTRIBUTES)
    for position, name in enumerate(LEVELS):
        TreeLevel.objects.create(tree=tree, position=position, attribute=Attribute.objects.get(slug=name))


def _rows(organisation: PlannedOrganisation) -> Iterator[Row]:
    for person in organisation.people:
        yield "person", person.number, person.full_name, person.email, "[,)"
        for days in person.employments:
            yield "employment", person.number, "", "", str(days)
        yield from _held("manager", person.number, "", person.managers)
        yield from _held("member", person.number, "", person.units)
        for name, history in person.attributes.items():
            yield from _held("attribute", person.number, name, history)
    for unit in organisation.units:
        yield "unit", unit.number, unit.name, str(unit.leader), "[,)"
        if unit.parents:
            yield from _held("place", unit.number, "", unit.parents)
        else:
            yield "place", unit.number, "", "", "[,)"


def _held(what: str, number: int, name: str, history: list[Held]) -> Iterator[Row]:
    for held in history:
        yield what, number, name, str(held.value), str(held.days)


PLANNED = """
    CREATE TEMPORARY TABLE planned (what text, number int, name text, value text, during daterange)
"""

PEOPLE = """
    INSERT INTO orgtree_person (public_id, full_name, email, found_at)
    SELECT gen_random_uuid(), name, value, now() FROM planned WHERE what = 'person' ORDER BY number
"""

NUMBERED = """
    CREATE TEMPORARY TABLE numbered AS
    SELECT planned.number, person.id, person.email
    FROM planned
    JOIN orgtree_person person ON person.email = planned.value
    WHERE what = 'person'
"""

IDENTITIES = """
    INSERT INTO orgtree_identity (kind, provider, value, person_id, found_at)
    SELECT 'email', '', email, id, now() FROM numbered ORDER BY number
"""

EMPLOYMENTS = """
    INSERT INTO orgtree_employment (person_id, during)
    SELECT numbered.id, during FROM planned JOIN numbered USING (number) WHERE what = 'employment'
"""

REPORTING = """
    INSERT INTO orgtree_reporting (person_id, manager_id, during)
    SELECT numbered.id, manager.id, during
    FROM planned
    JOIN numbered USING (number)
    JOIN numbered manager ON manager.number = value::int
    WHERE what = 'manager'
"""

ATTRIBUTES = """
    INSERT INTO orgtree_attribute (slug, name)
    SELECT DISTINCT name, initcap(name) FROM planned WHERE what = 'attribute'
"""

PERSON_ATTRIBUTES = """
    INSERT INTO orgtree_personattribute (person_id, attribute_id, value, during)
    SELECT numbered.id, attribute.id, value, during
    FROM planned
    JOIN numbered USING (number)
    JOIN orgtree_attribute attribute ON attribute.slug = planned.name
    WHERE what = 'attribute'
"""

UNITS = """
    INSERT INTO orgtree_unit (tree_id, name, slug, key, leader_id, own_name)
    SELECT %(tree)s, planned.name, 'bench-' || planned.number, '', leader.id, true
    FROM planned
    JOIN numbered leader ON leader.number = value::int
    WHERE what = 'unit'
    ORDER BY planned.number
"""

NUMBERED_UNITS = """
    CREATE TEMPORARY TABLE numbered_unit AS
    SELECT planned.number, unit.id, unit.tree_id
    FROM planned
    JOIN orgtree_unit unit ON unit.slug = 'bench-' || planned.number
    WHERE what = 'unit'
"""

UNIT_PLACES = """
    INSERT INTO orgtree_unitplace (unit_id, parent_id, during)
    SELECT unit.id, parent.id, during
    FROM planned
    JOIN numbered_unit unit USING (number)
    LEFT JOIN numbered_unit parent ON parent.number = nullif(value, '')::int
    WHERE what = 'place'
"""

MEMBERSHIPS = """
    INSERT INTO orgtree_membership (tree_id, person_id, unit_id, during)
    SELECT unit.tree_id, numbered.id, unit.id, during
    FROM planned
    JOIN numbered USING (number)
    JOIN numbered_unit unit ON unit.number = value::int
    WHERE what = 'member'
"""
