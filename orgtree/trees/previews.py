"""What a change of a tree would do: it is done, looked at and taken back, so that a preview cannot differ from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from orgtree.models import Attribute, OrgTree, Person, TreeKind, Unit
from orgtree.trees.placements import Rebuilt
from orgtree.trees.trees import TreeMove, change_levels, create_tree
from orgtree.trees.units_as_of import StandingUnit, TreeSummary, standing_units, tree_summaries

NAMES_SHOWN = 8


@dataclass(frozen=True)
class EditPreview:
    """Whom an edit would move, and for which units other people would count, each by name, the first few."""

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
    """What a tree would look like today, and how it would differ from the stored one."""

    summary: TreeSummary
    units: tuple[StandingUnit, ...]
    moves: TreeMove | None = None


def preview_edit(edit: Callable[[], Rebuilt]) -> EditPreview:
    """What the edit would change.  Raises whatever it raises."""
    with transaction.atomic():
        rebuilt = edit()
        people = Person.objects.filter(pk__in=rebuilt.person_ids).order_by("full_name", "pk")
        units = Unit.objects.filter(pk__in=rebuilt.unit_ids).order_by("name", "pk")
        found = EditPreview(
            len(rebuilt.person_ids),
            tuple(people.values_list("full_name", flat=True)[:NAMES_SHOWN]),
            len(rebuilt.unit_ids),
            tuple(units.values_list("name", flat=True)[:NAMES_SHOWN]),
        )
        transaction.set_rollback(True)
    return found


def preview_tree(name: str, kind: TreeKind, attributes: Sequence[Attribute]) -> TreePreview:
    """The tree that `create_tree` would make."""
    with transaction.atomic():
        found = _look(create_tree(name, kind, attributes=attributes), None)
        transaction.set_rollback(True)
    return found


def preview_levels(tree: OrgTree, attributes: Sequence[Attribute]) -> TreePreview:
    """The tree as `change_levels` would make it."""
    with transaction.atomic():
        found = _look(tree, change_levels(tree, attributes))
        transaction.set_rollback(True)
    return found


def _look(tree: OrgTree, moves: TreeMove | None) -> TreePreview:
    today = timezone.localdate()
    (summary,) = tree_summaries([tree], on=today)
    return TreePreview(summary, tuple(standing_units([tree], on=today)), moves)
