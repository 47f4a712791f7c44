"""Previews of tree changes: the change runs in a transaction that is rolled back, so a preview cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from orgtree.models import Attribute, OrgTree, Person, TreeKind, Unit
from orgtree.trees.placements import Rebuilt
from orgtree.trees.structures import TreeMove
from orgtree.trees.trees import change_levels, create_tree
from orgtree.trees.units_as_of import TreeSummary, UnitAsOf, tree_summaries, units_as_of

NAMES_SHOWN = 8


@dataclass(frozen=True)
class EditPreview:
    """Numbers of people and units an edit would affect, with the first few names."""

    people: int
    names: tuple[str, ...]
    units: int
    unit_names: tuple[str, ...]

    @property
    def more_people(self) -> int:
        return self.people - len(self.names)

    @property
    def more_units(self) -> int:
        return self.units - len(self.unit_names)


@dataclass(frozen=True)
class TreePreview:
    """A tree as of today, and its difference to the stored one."""

    summary: TreeSummary
    units: tuple[UnitAsOf, ...]
    moves: TreeMove | None = None


def preview_edit(edit: Callable[[], Rebuilt]) -> EditPreview:
    """The effect of the edit.  Propagates the edit's exceptions."""
    with transaction.atomic():
        rebuilt = edit()
        people = Person.objects.filter(pk__in=rebuilt.person_ids).order_by("full_name", "pk")
        units = Unit.objects.filter(pk__in=rebuilt.unit_ids).order_by("name", "pk")
        preview = EditPreview(
            len(rebuilt.person_ids),
            tuple(people.values_list("full_name", flat=True)[:NAMES_SHOWN]),
            len(rebuilt.unit_ids),
            tuple(units.values_list("name", flat=True)[:NAMES_SHOWN]),
        )
        transaction.set_rollback(True)
    return preview


def preview_tree(name: str, kind: TreeKind, attributes: Sequence[Attribute]) -> TreePreview:
    """The tree that `create_tree` would create."""
    with transaction.atomic():
        preview = _preview(create_tree(name, kind, attributes=attributes), None)
        transaction.set_rollback(True)
    return preview


def preview_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> TreePreview:
    """The tree as `change_levels` would make it."""
    with transaction.atomic():
        preview = _preview(tree, change_levels(tree, attributes))
        transaction.set_rollback(True)
    return preview


def _preview(tree: OrgTree, moves: TreeMove | None) -> TreePreview:
    today = timezone.localdate()
    (summary,) = tree_summaries([tree], on=today)
    return TreePreview(summary, tuple(units_as_of([tree], on=today)), moves)
