"""Reasons to refuse a change of a tree; each message is a sentence for the user."""

from __future__ import annotations

from datetime import date

from orgtree.models import OrgTree, TreeKind, Unit


class TreeRefusal(Exception):  # noqa: N818 — the tree refuses, nothing failed
    """A change that the tree does not allow; the message says why and what to do."""


class FollowsPeopleRefusal(TreeRefusal):
    def __init__(self, tree: OrgTree) -> None:
        source = "reporting lines" if tree.kind == TreeKind.MANAGERS else "attributes"
        super().__init__(f"{tree.name} follows people’s {source}: change those, with an import or in admin.")


class ArchivedRefusal(TreeRefusal):
    def __init__(self, tree: OrgTree) -> None:
        super().__init__(f"{tree.name} is archived. Restore it to change it.")


class CircleRefusal(TreeRefusal):
    def __init__(self, unit: Unit, parent: Unit) -> None:
        where = "itself" if unit == parent else f"{parent.name}, which is below it"
        super().__init__(f"{unit.name} cannot stand below {where}.")


class RootRefusal(TreeRefusal):
    def __init__(self, unit: Unit) -> None:
        super().__init__(f"{unit.name} is the root of its tree, so it cannot move.")


class UnitNotInTreeRefusal(TreeRefusal):
    """The unit is not in the tree on all required days."""

    def __init__(self, unit: Unit, on: date | None) -> None:
        since = f"from {on:%-d %B %Y} on" if on else "on every day"
        super().__init__(f"{unit.name} is not in its tree {since}. Choose a later day, or another unit.")


class OtherTreeRefusal(TreeRefusal):
    def __init__(self, unit: Unit, tree: OrgTree) -> None:
        super().__init__(f"{unit.name} is no unit of {tree.name}.")


class NameRefusal(TreeRefusal):
    def __init__(self, longest: int) -> None:
        super().__init__(f"A name has 1 to {longest} printable characters.")


class LevelsRefusal(TreeRefusal):
    def __init__(self) -> None:
        super().__init__("Choose at least one attribute, and each only once.")


class LeaderRefusal(TreeRefusal):
    def __init__(self, tree: OrgTree) -> None:
        super().__init__(f"Who leads a unit of {tree.name} follows from the reporting lines.")
