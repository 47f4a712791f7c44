"""Parses the rows of a file to drafts of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from core import cells
from core.csv_import import CsvFileError, numbered_rows, text_of
from orgtree.identities.identity_names import IdentityName
from orgtree.people_import.columns import (
    EMAIL,
    END,
    FAMILY_NAME,
    FULL_NAME,
    GIVEN_NAME,
    IDENTITIES,
    MANAGER,
    START,
    TIME_ZONE,
    Columns,
    ColumnUse,
    columns_of,
    email_address,
    identity_names,
    known_columns,
    manager_address,
    uses_of,
)
from orgtree.people_import.drafts import MISSING, Missing, PersonDraft, RowError

Value = TypeVar("Value")
Default = TypeVar("Default")
MOST_BYTES = 64_000_000
MOST_ROWS = 100_000


def drafts_of(content: bytes) -> Iterator[PersonDraft | RowError]:
    """The draft of each row, in order, with its errors; errors of the file are yielded on their own.

    Holds one row at a time.
    """
    columns: Columns | None = None
    has_rows = False
    try:
        for number, row in _rows(content):
            if columns is None:
                columns, problems = columns_of(row, row=number)
                if problems:
                    yield from problems
                    return
                continue
            has_rows = True
            yield _draft(number, row, columns)
    except CsvFileError as problem:
        yield RowError(problem.row, None, problem.message)
        return
    if not has_rows:
        yield RowError(None, None, "The file has no people: there is nothing below the heading row.")


def column_uses_of(content: bytes) -> list[ColumnUse]:
    """The use of the file's columns; empty if its header cannot be read."""
    try:
        for number, row in _rows(content):
            return uses_of(row, columns_of(row, row=number)[0])
    except CsvFileError:
        pass
    return []


def _rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows with their numbers.  Raises CsvFileError."""
    text = text_of(content, most_bytes=MOST_BYTES)
    return numbered_rows(text, known_heads=known_columns, most_rows=MOST_ROWS)


def _draft(number: int, row: Sequence[str], columns: Columns) -> PersonDraft:
    errors: list[RowError] = []
    if len(row) != columns.width and not _is_padded(row, columns.width):
        message = f"The row has {len(row)} cells, the head {columns.width}. A separator may be missing or superfluous."
        # Cells cannot be assigned to columns: report nothing else about the row.
        email = _likely_address(row, columns)
        return PersonDraft(row=number, email=email, errors=(RowError(number, None, message),))
    texts = _Texts(number, row, columns, errors)
    email = texts.read(EMAIL, email_address, "")
    if not email and not any(error.column == EMAIL for error in errors):
        errors.append(RowError(number, EMAIL, "The e-mail address is missing."))
    starts_on = texts.read(START, cells.day, None)
    ends_on: date | Missing | None = texts.read(END, cells.day, None) if texts.has(END) else MISSING
    errors += order_errors(number, starts_on, ends_on)
    return PersonDraft(
        row=number,
        email=email,
        full_name=texts.full_name(),
        manager_email=texts.read(MANAGER, manager_address, None) if texts.has(MANAGER) else MISSING,
        attributes=texts.attributes(),
        identities=texts.identities(),
        starts_on=starts_on,
        ends_on=ends_on,
        errors=tuple(errors),
    )


def order_errors(row: int, starts_on: date | None, ends_on: date | Missing | None) -> list[RowError]:
    """The error if the end is not after the start."""
    if starts_on is None or not isinstance(ends_on, date) or ends_on > starts_on:
        return []
    message = f"The end, {ends_on}, is not after the start, {starts_on}. The end is the first day after employment."
    return [RowError(row, END, message)]


def _likely_address(row: Sequence[str], columns: Columns) -> str:
    """The address of a broken row, so that rows naming it as manager are not refused too; empty if unreadable."""
    position = next(position for position, name in columns.known.items() if name == EMAIL)
    try:
        return email_address(cells.clean(row[position]))
    except (IndexError, cells.CellError):
        return ""


def _is_padded(row: Sequence[str], width: int) -> bool:
    """Whether all cells beyond the last header are empty."""
    return len(row) > width and not any(cell.strip() for cell in row[width:])


class _Texts:
    """The cells of one row by column name; adds problems to `errors`."""

    def __init__(self, number: int, row: Sequence[str], columns: Columns, errors: list[RowError]) -> None:
        self._number, self._columns, self._errors = number, columns, errors
        self._known: dict[str, list[str]] = {}
        self._attributes: dict[str, str] = {}
        for position, text in enumerate(row[: columns.width]):
            if position in columns.unnamed:
                if text.strip():
                    self._refuse(
                        None, f"Column {position + 1} has no heading, but this row has a value in it. Name the column."
                    )
                continue
            name = columns.name(position)
            if name is None:
                continue
            try:
                cleaned = cells.clean(text)
            except cells.CellError as problem:
                self._refuse(name, str(problem))
                cleaned = ""
            if position in columns.known:
                self._known.setdefault(name, []).append(cleaned)
            else:
                self._attributes[name] = cleaned

    def has(self, name: str) -> bool:
        return name in self._known

    def read(self, name: str, reader: Callable[[str], Value], default: Default) -> Value | Default:
        text = self._known.get(name, [""])[0]
        return self._read(name, text, reader, default) if text else default

    def full_name(self) -> str:
        parts = self._known.get(FULL_NAME) or [
            text for name in (GIVEN_NAME, FAMILY_NAME) for text in self._known.get(name, [])
        ]
        return self._read(FULL_NAME, " ".join(part for part in parts if part), cells.short_text, "")

    def identities(self) -> tuple[IdentityName, ...]:
        texts = self._known.get(IDENTITIES, [])
        return tuple(name for text in texts for name in self._read(IDENTITIES, text, identity_names, ()))

    def attributes(self) -> dict[str, str | None]:
        return {
            slug: self._read(slug, text, cells.time_zone if slug == TIME_ZONE else cells.short_text, None)
            if text
            else None
            for slug, text in self._attributes.items()
        }

    def _read(self, name: str, text: str, reader: Callable[[str], Value], default: Default) -> Value | Default:
        try:
            return reader(text)
        except cells.CellError as problem:
            self._refuse(name, str(problem))
            return default

    def _refuse(self, name: str | None, message: str) -> None:
        self._errors.append(RowError(self._number, name, message))
