"""Drafts of people before they are matched and stored, and the resulting changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from typing import Literal
from uuid import UUID

from orgtree.identities.identity_names import IdentityName
from orgtree.trees.structures import MemberMove, UnitMove


class Missing(Enum):
    """The field was not given and stays as it is; None clears it from the effective date on."""

    MISSING = "unsaid"


MISSING: Literal[Missing.MISSING] = Missing.MISSING


@dataclass(frozen=True, slots=True)
class RowError:
    """The reason why a row cannot be stored.  `row` counts like a spreadsheet, the header being row 1; `column` is its
    name in docs/people.md, or the file's own; None: the whole row or file.
    """

    row: int | None
    column: str | None
    message: str


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """The content of a row about one person.

    An empty name and a missing start leave stored values; identities are added to known ones.  `public_id` identifies
    the person if the address may be new.  A draft with errors is never stored; other rows may still refer to it.
    """

    row: int
    email: str
    full_name: str = ""
    manager_email: str | Missing | None = MISSING
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    identities: tuple[IdentityName, ...] = ()
    starts_on: date | None = None
    ends_on: date | Missing | None = MISSING
    public_id: UUID | None = None
    errors: tuple[RowError, ...] = ()


class Outcome(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by column name, with its value before and after; empty: none."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PersonChange:
    """The changes of one person.  `row` is None for a person who is not in the file."""

    person_id: int
    row: int | None
    email: str
    full_name: str
    outcome: Outcome
    fields: tuple[FieldChange, ...]
    units: tuple[MemberMove, ...]


@dataclass(frozen=True)
class PeopleChanges:
    """The result of storing or previewing people, in row order.

    With errors nothing was stored, and the rest is the effect of the valid rows.
    """

    people: tuple[PersonChange, ...] = ()
    unchanged: int = 0
    moved_units: tuple[UnitMove, ...] = ()
    errors: tuple[RowError, ...] = ()

    def of(self, outcome: Outcome) -> list[PersonChange]:
        return [person for person in self.people if person.outcome is outcome]

    @property
    def counts(self) -> dict[str, int]:
        """Number of people by outcome."""
        return {**{outcome.value: len(self.of(outcome)) for outcome in Outcome}, "unchanged": self.unchanged}
