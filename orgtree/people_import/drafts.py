"""What is said of a person, before anything is known of them; and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from typing import Literal
from uuid import UUID

from orgtree.identities.identity_names import IdentityName


class Missing(Enum):
    """Nothing was said, so everything stays as it is; None says that there is none from the effective date on."""

    MISSING = "unsaid"


MISSING: Literal[Missing.MISSING] = Missing.MISSING


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row can't be stored.  `row` counts as a spreadsheet does, the head being row 1; `column` is the name that
    docs/people.md gives it, or the file's own; None: the row, or the file, as a whole."""

    row: int | None
    column: str | None
    message: str


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """What a row says of one person.

    An empty name and a missing start stay as they are; identities are added to those that are known.  `public_id`
    names the person where the address may be a new one.  A draft with errors is never stored: it is kept so that
    other rows may refer to it.
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
    """What becomes of a person: the first that applies."""

    ADDED = "added"
    LEAVING = "leaving"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by its column's name, and what it says before and after; empty: nothing."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class UnitChange:
    """Another unit of a tree, by name; empty: none."""

    tree: str
    from_unit: str
    to_unit: str


@dataclass(frozen=True, slots=True)
class UnitMoved:
    """A unit of a tree stands below another one, by name; empty: below none."""

    tree: str
    unit: str
    from_parent: str
    to_parent: str


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What happens to one person.  `row` is None for somebody whom the file does not name."""

    person_id: int
    row: int | None
    email: str
    full_name: str
    fields: tuple[FieldChange, ...] = ()
    units: tuple[UnitChange, ...] = ()


@dataclass(frozen=True)
class PeopleChanges:
    """What storing people does, or would do: everybody stands under one outcome.

    With errors nothing was stored, and the rest is what the rows without errors would do.
    """

    added: tuple[PersonChange, ...] = ()
    changed: tuple[PersonChange, ...] = ()
    moved: tuple[PersonChange, ...] = ()
    leaving: tuple[PersonChange, ...] = ()
    unchanged: int = 0
    moved_units: tuple[UnitMoved, ...] = ()
    errors: tuple[RowError, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.changed or self.moved or self.leaving)
