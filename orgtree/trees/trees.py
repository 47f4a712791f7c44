"""Org Trees derived from people: synchronised with reporting lines and attributes over all days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

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
from orgtree.models.visibility import preferred_trees
from orgtree.trees.derivation.by_attributes import AttributeValue, likeness_of, tree_by_attributes
from orgtree.trees.derivation.by_manager import ReportingLine, tree_by_manager
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DateRange, DerivedUnit, Structure
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.structures import Naming, TreeMove, date_range_of, free_slugs, insert_places, store_structure
from orgtree.trees.unit_placements import rebuild_unit_placements
from orgtree.trees.units import TreeRefusedError, checked_name

LEVELS_NEEDED = "Choose at least one attribute, and each only once."
EMPLOYMENT = "employment"  # a change of employment affects every tree
OF_MANAGERS = frozenset({"manager_email", "full_name"})  # units of trees by manager are named after people

Presence = Mapping[int, list[DateRange]]


def tree_of_program() -> OrgTree | None:
    """The tree whose units set objectives, else the first one."""
    trees = OrgTree.objects.filter(archived_at=None)
    preferred = [pk for pk in preferred_trees() if pk is not None]
    return trees.filter(pk__in=preferred).first() or trees.order_by("pk").first()


def lock_trees() -> list[OrgTree]:
    """All trees, locked until the transaction ends."""
    return list(OrgTree.objects.select_for_update(no_key=True).order_by("pk"))


def sync_trees(
    person_ids: Collection[int] | None = None, *, changed_fields: Collection[str] | None = None
) -> tuple[TreeMove, ...]:
    """Synchronise trees by manager and by attributes with people, over all days; return the changes.

    Call it in the transaction that changed reporting lines, attributes or employment; `person_ids` are the people
    changed (None: anybody).  Rebuilds the placements of everybody a changed tree moves; the caller rebuilds those of
    the changed people in other trees (`rebuild_placements`).  Archived trees are skipped, and so are trees that depend
    on none of `changed_fields`, named like file columns (None: anything).  Idempotent.  Raises ManagersInACircleError.
    """
    if person_ids is not None and not person_ids:
        return ()
    with transaction.atomic():
        followed = [
            tree
            for tree in lock_trees()
            if tree.archived_at is None and tree.kind in _DERIVATIONS and _depends_on(tree, changed_fields)
        ]
        presence = _presence() if followed else {}
        moves = [_sync_tree(tree, presence) for tree in followed]
    return tuple(move for move in moves if move is not None)


def _depends_on(tree: OrgTree, changed_fields: Collection[str] | None) -> bool:
    if changed_fields is None or EMPLOYMENT in changed_fields:
        return True
    if tree.kind == TreeKind.MANAGERS:
        return not OF_MANAGERS.isdisjoint(changed_fields)
    return TreeLevel.objects.filter(tree=tree, attribute__slug__in=changed_fields).exists()


def create_tree(name: str, kind: TreeKind, *, attributes: Sequence[Attribute] = ()) -> OrgTree:
    """A new tree with its root; a derived tree gets all its units.  `attributes` are its levels."""
    name = checked_name(name)
    with transaction.atomic():
        lock_trees()
        (slug,) = free_slugs(OrgTree, [name])
        tree = OrgTree.objects.create(name=name, slug=slug, kind=kind)
        if kind == TreeKind.HAND_BUILT:
            (slug,) = free_slugs(Unit, [name])
            root = Unit.objects.create(tree=tree, name=name, slug=slug)
            insert_places([(root.pk, None, DateRange(SINCE_EVER, FOR_EVER))])
            rebuild_unit_placements([tree.pk])
        else:
            if kind == TreeKind.ATTRIBUTES:
                _store_levels(tree, attributes)
            _sync_tree(tree, _presence())
    return tree


def change_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> TreeMove | None:
    """Rebuild a tree by attributes with other or reordered levels, over all days; return the moves.

    A unit keeps its identity if its attribute and value are unique in the tree.
    """
    with transaction.atomic():
        lock_trees()
        TreeLevel.objects.filter(tree=tree).delete()
        _store_levels(tree, attributes)
        return _sync_tree(tree, _presence())


def rename_tree(tree: OrgTree, name: str) -> None:
    """Rename the tree and its root, unless the root has a name of its own; the slug stays."""
    name = checked_name(name)
    with transaction.atomic():
        roots = UnitPlace.objects.filter(unit__tree=tree, parent=None).values("unit")
        Unit.objects.filter(pk__in=roots, own_name=False, name=tree.name).update(name=name)
        tree.name = name
        tree.save(update_fields=["name"])


def archive_tree(tree: OrgTree) -> None:
    """Archive the tree: it disappears from tiles and pickers and is no longer derived.  Its history stays."""
    OrgTree.objects.filter(pk=tree.pk, archived_at=None).update(archived_at=timezone.now())


def restore_tree(tree: OrgTree) -> TreeMove | None:
    """Restore an archived tree; a derived tree catches up with people."""
    with transaction.atomic():
        lock_trees()
        OrgTree.objects.filter(pk=tree.pk).update(archived_at=None)
        return _sync_tree(tree, _presence()) if tree.kind in _DERIVATIONS else None


def _sync_tree(tree: OrgTree, presence: Presence) -> TreeMove | None:
    stored = store_structure(tree, *_DERIVATIONS[TreeKind(tree.kind)](tree, presence))
    rebuild_placements(person_ids=stored.person_ids, tree_ids=[tree.pk])
    return stored.moves


def _store_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> None:
    if not attributes or len(set(attributes)) < len(attributes):
        raise TreeRefusedError(LEVELS_NEEDED)
    TreeLevel.objects.bulk_create(
        TreeLevel(tree=tree, position=position, attribute=attribute) for position, attribute in enumerate(attributes)
    )


def _presence() -> Presence:
    """Days of employment by person."""
    days_of: dict[int, list[DateRange]] = defaultdict(list)
    for person_id, start, end in Employment.objects.values_list("person_id", "during__startswith", "during__endswith"):
        days_of[person_id].append(date_range_of(start, end))
    return days_of


def _tree_by_manager(tree: OrgTree, presence: Presence) -> tuple[Structure, Naming]:
    lines = [
        ReportingLine(person_id, manager_id, date_range_of(start, end))
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


def _tree_by_attributes(tree: OrgTree, presence: Presence) -> tuple[Structure, Naming]:
    levels = list(TreeLevel.objects.filter(tree=tree).select_related("attribute").order_by("position"))
    position = {level.attribute_id: number for number, level in enumerate(levels)}
    values = [
        AttributeValue(person_id, position[attribute_id], value, date_range_of(start, end))
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
    TreeKind.MANAGERS: _tree_by_manager,
    TreeKind.ATTRIBUTES: _tree_by_attributes,
}
