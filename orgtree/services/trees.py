"""Org Trees that follow what is said of people: brought in step with reporting lines and attributes over all days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from orgtree.derivation.by_attributes import AttributeValue, likeness_of, tree_by_attributes
from orgtree.derivation.by_manager import ReportingLine, tree_by_manager
from orgtree.derivation.structure import DerivedUnit, Stretch, Structure
from orgtree.models import Employment, OrgTree, Person, PersonAttribute, Reporting, TreeKind, TreeLevel
from orgtree.services.placements import rebuild_placements
from orgtree.services.structures import MemberMove, Naming, TreeMove, store_structure, stretch_of

__all__ = ["MemberMove", "TreeMove", "TreeMoves", "follow_people", "lock_trees"]


@dataclass(frozen=True)
class TreeMoves:
    """What changed in the trees that follow people; a tree in which nothing changed is left out."""

    trees: tuple[TreeMove, ...] = ()


def lock_trees() -> list[OrgTree]:
    """Every tree, held until the transaction ends, so that nobody else changes or rebuilds one meanwhile."""
    return list(OrgTree.objects.select_for_update(no_key=True).order_by("pk"))


def follow_people(person_ids: Collection[int] | None = None) -> TreeMoves:
    """Bring the trees by managers and by attributes in step with what is said of people, over all their days.

    Call it in the transaction that changed reporting lines, attributes or employment; `person_ids` are the people
    whom the change touched (None: anybody).  Placements of everybody whom a changed tree moves are rebuilt; those of
    the touched people in other trees are the caller's (`rebuild_placements`).  Archived trees stay as they are.
    A second call changes nothing.  Raises ManagersInACircleError.
    """
    if person_ids is not None and not person_ids:
        return TreeMoves()
    with transaction.atomic():
        followed = [tree for tree in lock_trees() if tree.archived_at is None and tree.kind in _DERIVATIONS]
        if not followed:
            return TreeMoves()
        presence = _presence()
        moves = []
        for tree in followed:
            stored = store_structure(tree, *_DERIVATIONS[TreeKind(tree.kind)](tree, presence))
            rebuild_placements(person_ids=stored.person_ids, tree_ids=[tree.pk])
            if stored.moves is not None:
                moves.append(stored.moves)
    return TreeMoves(tuple(moves))


Presence = Mapping[int, list[Stretch]]


def _presence() -> Presence:
    """The days of employment of everybody who has any."""
    found: dict[int, list[Stretch]] = defaultdict(list)
    for person_id, start, end in Employment.objects.values_list("person_id", "during__startswith", "during__endswith"):
        found[person_id].append(stretch_of(start, end))
    return found


def _by_manager(tree: OrgTree, presence: Presence) -> tuple[Structure, Naming]:
    lines = [
        ReportingLine(person_id, manager_id, stretch_of(start, end))
        for person_id, manager_id, start, end in Reporting.objects.values_list(
            "person_id", "manager_id", "during__startswith", "during__endswith"
        )
    ]
    structure = tree_by_manager(lines, presence, today=timezone.localdate())
    named_after = {unit.named_after_id for unit in structure.units}
    people = Person.objects.in_bulk([person_id for person_id in named_after if person_id is not None])

    def name(unit: DerivedUnit) -> str:
        if unit.named_after_id is None:
            return tree.name
        return f"{people[unit.named_after_id].full_name[:190]}’s team"

    def slug_from(unit: DerivedUnit) -> str:
        return tree.slug if unit.named_after_id is None else people[unit.named_after_id].full_name

    return structure, Naming(name, slug_from, likeness_of=lambda key: "", leads=True)


def _by_attributes(tree: OrgTree, presence: Presence) -> tuple[Structure, Naming]:
    levels = list(TreeLevel.objects.filter(tree=tree).select_related("attribute").order_by("position"))
    position = {level.attribute_id: number for number, level in enumerate(levels)}
    values = [
        AttributeValue(person_id, position[attribute_id], value, stretch_of(start, end))
        for person_id, attribute_id, value, start, end in PersonAttribute.objects.filter(
            attribute__in=position
        ).values_list("person_id", "attribute_id", "value", "during__startswith", "during__endswith")
    ]
    structure = tree_by_attributes([level.attribute.slug for level in levels], values, presence)
    naming = Naming(
        of=lambda unit: unit.name or tree.name,
        slug_from=lambda unit: unit.name or tree.slug,
        likeness_of=likeness_of,
        leads=False,
    )
    return structure, naming


_DERIVATIONS: Mapping[TreeKind, Callable[[OrgTree, Presence], tuple[Structure, Naming]]] = {
    TreeKind.MANAGERS: _by_manager,
    TreeKind.ATTRIBUTES: _by_attributes,
}
