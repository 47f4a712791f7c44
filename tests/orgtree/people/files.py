"""People files in tests, and their stored result."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import date

from orgtree.models import Person
from orgtree.people_import.comparing import date_ranges
from orgtree.people_import.drafts import PeopleChanges
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import PeopleRefusedError, preview_people, store_people


def as_file(text: str) -> bytes:
    """The lines of an indented text."""
    return textwrap.dedent(text).strip().encode()


def load(text: str | bytes, *, on: str | None = None, complete: bool = False) -> PeopleChanges:
    """Store the file as of a day; the errors where it was refused."""
    content = as_file(text) if isinstance(text, str) else text
    try:
        return store_people(drafts_of(content), effective=_day(on), complete=complete)
    except PeopleRefusedError as refused:
        return refused.changes


def preview(text: str, *, on: str | None = None, complete: bool = False) -> PeopleChanges:
    return preview_people(drafts_of(as_file(text)), effective=_day(on), complete=complete)


def counts(changes: PeopleChanges) -> Mapping[str, int]:
    """Those that are not zero."""
    rows = {**changes.counts, "errors": len(changes.errors)}
    return {name: number for name, number in rows.items() if number}


def errors(changes: PeopleChanges) -> list[tuple[int | None, str | None]]:
    return [(error.row, error.column) for error in changes.errors]


def person(name: str) -> Person:
    return Person.objects.get(email=f"{name}@example.com")


def values(name: str, attribute: str) -> list[tuple[str, str]]:
    """The values of an attribute with their days in words, in order."""
    values = person(name).attributes.filter(attribute__slug=attribute).order_by("during")
    return [(value.value, date_ranges([value.during])) for value in values]


def managers(name: str) -> list[tuple[str, str]]:
    lines = person(name).reporting.select_related("manager").order_by("during")
    return [(str(line.manager.email).partition("@")[0], date_ranges([line.during])) for line in lines]


def there(name: str) -> str:
    """The days on which the person is there, in words."""
    return date_ranges(employment.during for employment in person(name).employments.order_by("during"))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
