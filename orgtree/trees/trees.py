"""Org Trees that follow what is said of people: brought in step with reporting lines and attributes over all days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from orgtree.models import (
    Attribute,
    Employment,
    OrgTree,
    Person,
    PersonAttribute,
    Reporting,
    TreeKind,
    TreeLevel,
    Unit,
    UnitPlace,
)
from orgtree.trees.derivation.by_attributes import AttributeValue, likeness_of, tree_by_attributes
from orgtree.trees.derivation.by_manager import ReportingLine, tree_by_manager
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DerivedUnit, Stretch, Structure
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.refusals import LevelsRefusal
from orgtree.trees.slugs import free_slugs
from orgtree.trees.structures import MemberMove, Naming, TreeMove, insert_places, store_structure, stretch_of
from orgtree.trees.unit_placements import rebuild_unit_placements
from orgtree.trees.units import checked_name

__all__ = [
    "MemberMove",
    "TreeMove",
    "TreeMoves",
    "archive_tree",
    "change_levels",
    "create_tree",
    "follow_people",
    "lock_trees",
    "rename_tree",
    "restore_tree",
]


EMPLOYMENT = "employment"  # what is said of it concerns every tree
OF_MANAGERS = frozenset({"manager_email", "full_name"})  # its units are called after people

Presence = Mapping[int, list[Stretch]]


@dataclass(frozen=True)
class TreeMoves:
    """What changed in the trees that follow people; a tree in which nothing changed is left out."""

    trees: tuple[TreeMove, ...] = ()


def lock_trees() -> list[OrgTree]:
    """Every tree, held until the transaction ends, so that nobody else changes or rebuilds one meanwhile."""
    return list(OrgTree.objects.select_for_update(no_key=True).order_by("pk"))


def follow_people(person_ids: Collection[int] | None = None, *, said: Collection[str] | None = None) -> TreeMoves:
    """Bring the trees by managers and by attributes in step with what is said of people, over all their days.

    Call it in the transaction that changed reporting lines, attributes or employment; `person_ids` are the people
    whom the change touched (None: anybody).  Placements of everybody whom a changed tree moves are rebuilt; those of
    the touched people in other trees are the caller's (`rebuild_placements`).  Archived trees stay as they are.
    `said` names what changed, as the columns of a file do (None: anything); a tree that rests on none of it is let be.
    A second call changes nothing.  Raises ManagersInACircleError.
    """
    if person_ids is not None and not person_ids:
        return TreeMoves()
    with transaction.atomic():
        followed = [
            tree
            for tree in lock_trees()
            if tree.archived_at is None and tree.kind in _DERIVATIONS and _rests_on(tree, said)
        ]
        presence = _presence() if followed else {}
        moves = [_follow(tree, presence) for tree in followed]
    return TreeMoves(tuple(move for move in moves if move is not None))


def _rests_on(tree: OrgTree, said: Collection[str] | None) -> bool:
    if said is None or EMPLOYMENT in said:
        return True
    if tree.kind == TreeKind.MANAGERS:
        return not OF_MANAGERS.isdisjoint(said)
    return TreeLevel.objects.filter(tree=tree, attribute__slug__in=said).exists()


def create_tree(name: str, kind: TreeKind, *, attributes: Sequence[Attribute] = ()) -> OrgTree:
    """A new tree with its root, and, where it follows people, with everything below; `attributes` are its levels."""
    name = checked_name(name)
    with transaction.atomic():
        lock_trees()
        (slug,) = free_slugs(OrgTree, [name])
        tree = OrgTree.objects.create(name=name, slug=slug, kind=kind)
        if kind == TreeKind.HAND_BUILT:
            (slug,) = free_slugs(Unit, [name])
            root = Unit.objects.create(tree=tree, name=name, slug=slug)
            insert_places([(root.pk, None, Stretch(SINCE_EVER, FOR_EVER))])
            rebuild_unit_placements([tree.pk])
        else:
            if kind == TreeKind.ATTRIBUTES:
                _store_levels(tree, attributes)
            _follow(tree, _presence())
    return tree


def change_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> TreeMove | None:
    """Build a tree by attributes from other levels, or in another order, over all its days; what moved.

    A unit is known again by its attribute and value where no second one has both.
    """
    with transaction.atomic():
        lock_trees()
        TreeLevel.objects.filter(tree=tree).delete()
        _store_levels(tree, attributes)
        return _follow(tree, _presence())


def rename_tree(tree: OrgTree, name: str) -> None:
    """Call the tree otherwise, with its root unless that has a name of its own; its slug stays."""
    name = checked_name(name)
    with transaction.atomic():
        roots = UnitPlace.objects.filter(unit__tree=tree, parent=None).values("unit")
        Unit.objects.filter(pk__in=roots, own_name=False, name=tree.name).update(name=name)
        tree.name = name
        tree.save(update_fields=["name"])


def archive_tree(tree: OrgTree) -> None:
    """Put the tree away: no tile, no choice in the picker, and it stops following people.  Its history stays."""
    OrgTree.objects.filter(pk=tree.pk, archived_at=None).update(archived_at=timezone.now())


def restore_tree(tree: OrgTree) -> TreeMove | None:
    """Take an archived tree into use again; one that follows people catches up with what it missed."""
    with transaction.atomic():
        lock_trees()
        OrgTree.objects.filter(pk=tree.pk).update(archived_at=None)
        return _follow(tree, _presence()) if tree.kind in _DERIVATIONS else None


def _follow(tree: OrgTree, presence: Presence) -> TreeMove | None:
    stored = store_structure(tree, *_DERIVATIONS[TreeKind(tree.kind)](tree, presence))
    rebuild_placements(person_ids=stored.person_ids, tree_ids=[tree.pk])
    return stored.moves


def _store_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> None:
    if not attributes or len(set(attributes)) < len(attributes):
        raise LevelsRefusal
    TreeLevel.objects.bulk_create(
        TreeLevel(tree=tree, position=position, attribute=attribute) for position, attribute in enumerate(attributes)
    )


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
