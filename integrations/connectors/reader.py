"""Reads a JSON payload field by field, with errors that name the field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeVar

from integrations.connectors.drafts import MISSING, Missing
from integrations.connectors.errors import SchemaError

# Clocks that were never set say 1970-01-01, while commits of the nineties are real.
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
IMPOSSIBLE = f"lies before {EARLIEST:%Y-%m-%d} or after {LATEST:%Y}"
LARGEST = 2**31 - 1  # the largest value of an integer column
LONGEST_ID = 200  # the width of id columns; a truncated id could be another's
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Default = TypeVar("Default")
Part = TypeVar("Part")


class _Required(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED


@dataclass(frozen=True, slots=True)
class _Unfit:
    """The value found at a path that leads through something other than an object."""

    path: str
    value: Any


class Reader:
    """A JSON object; fields are named by dotted paths: reader.text("head.sha").

    A field without a default defines the record, or the part of it that is read: if it is missing or of another type,
    that is a SchemaError.  A field with a default is left out if it cannot be understood: it takes its default,
    `left_out` names it, and the record counts.
    """

    def __init__(self, payload: Any, path: str = "", *, parent: Reader | None = None) -> None:
        self._path = path
        self.left_out: list[str] = [] if parent is None else parent.left_out
        """Paths of parts that could not be understood, with those of the objects inside."""
        if not isinstance(payload, dict):
            raise SchemaError(path or "(record)", f"should be an object and is {_kind(payload)}")
        self._payload = payload

    def has(self, path: str) -> bool:
        """Whether the field is present and not null."""
        value = self._found(path)
        return value is not None and not isinstance(value, _Unfit)

    def text(self, path: str, default: Default | _Required = REQUIRED) -> str | Default:
        """The text, without NUL, which no database column accepts."""
        value = self._found(path)
        if isinstance(value, str):
            return value.replace("\0", "")
        return self._otherwise(path, value, "text", default)

    def integer(self, path: str, default: Default | _Required = REQUIRED) -> int | Default:
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._otherwise(path, value, "a whole number", default)
        if not -LARGEST <= value <= LARGEST:
            return self._refused(path, f"is beyond {LARGEST:,}", default)
        return value

    def identifier(self, path: str, default: Default | _Required = REQUIRED) -> str | Default:
        """An id, which providers write as numbers or as text."""
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            return self._otherwise(path, value, "an id", default)
        identifier = str(value).replace("\0", "")
        if len(identifier) > LONGEST_ID:
            return self._refused(path, f"is an id of more than {LONGEST_ID} characters", default)
        return identifier

    def boolean(self, path: str, default: Default | _Required = REQUIRED) -> bool | Default:
        value = self._found(path)
        return value if isinstance(value, bool) else self._otherwise(path, value, "true or false", default)

    def instant(self, path: str) -> datetime:
        """A time in milliseconds since 1970, in UTC, for times that the record itself is counted by."""
        return self._instant(path, REQUIRED)

    def part_instant(self, path: str) -> datetime | None:
        """A time in milliseconds of a part of the record; None if it is missing or impossible, and the record counts
        without it.
        """
        return self._instant(path, None)

    def duration(self, path: str) -> timedelta | None:
        """A duration in milliseconds; None if it is missing, negative or longer than all time."""
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._otherwise(path, value, "a number of milliseconds", None)
        return value * MILLISECOND if 0 <= value < (LATEST - EPOCH) / MILLISECOND else None

    def _instant(self, path: str, default: Default | _Required) -> datetime | Default:
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._otherwise(path, value, "a number of milliseconds", default)
        if not (EARLIEST - EPOCH) / MILLISECOND <= value < (LATEST - EPOCH) / MILLISECOND:
            return self._refused(path, IMPOSSIBLE, default)
        return EPOCH + value * MILLISECOND

    def time(self, path: str, default: Default | _Required = REQUIRED) -> datetime | Default:
        """An ISO 8601 time with its offset, in UTC, for times that the record itself is counted by.

        The default applies to a missing time: one that cannot be understood is still an error.
        """
        value = self._found(path)
        if value is None and not isinstance(default, _Required):
            return default
        return self._time(path, value, REQUIRED)

    def part_time(self, path: str, *, required: bool = False) -> datetime | None:
        """An ISO 8601 time of a part of the record; None if it is missing (an error if `required`) or impossible.

        The record counts without it: one commit of a machine whose clock was wrong is no reason to lose a pull request.
        """
        value = self._found(path)
        if value is None and required:
            raise SchemaError(self._name(path), "is missing")
        return self._time(path, value, None)

    def part_date(self, path: str) -> date | None:
        """A day, as in 2026-03-02, of a part of the record; None if it is missing or impossible."""
        value = self._found(path)
        try:
            day = None if value is None else date.fromisoformat(value)
        except (TypeError, ValueError):
            return self._otherwise(path, value, "a day as in 2026-03-02", None)
        if day is not None and not EARLIEST.date() <= day < LATEST.date():
            return self._refused(path, IMPOSSIBLE, None)
        return day

    def _time(self, path: str, value: Any, default: Default | _Required) -> datetime | Default:
        try:
            at = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return self._otherwise(path, value, "a time in ISO 8601", default)
        if at.tzinfo is None:
            return self._refused(path, "is a time without its offset from UTC", default)
        try:
            return at.astimezone(UTC) if EARLIEST <= at < LATEST else self._refused(path, IMPOSSIBLE, default)
        except OverflowError:  # in the year 1 or 9999
            return self._refused(path, IMPOSSIBLE, default)

    def object(self, path: str) -> Reader | None:
        """The object at `path`; None if there is none."""
        value = self._found(path)
        if isinstance(value, dict):
            return Reader(value, self._name(path), parent=self)
        return self._otherwise(path, value, "an object", None)

    def objects(self, path: str) -> Iterator[Reader]:
        """The objects of a list; none if it is missing or no list."""
        yield from self._objects(path) or ()

    def parts(self, path: str, part_of: Callable[[Reader], Part | None]) -> list[Part] | None:
        """The parts that `part_of` makes of a list's objects; None if the list is missing or no list.

        Objects without their defining fields are left out, as are those for which `part_of` returns None.
        """
        objects = self._objects(path)
        if objects is None:
            return None
        return [part for item in objects if (part := self._part(item, part_of)) is not None]

    def part(self, path: str, part_of: Callable[[Reader], Part | None]) -> Part | None:
        """The part that `part_of` makes of a single object."""
        item = self.object(path)
        return None if item is None else self._part(item, part_of)

    def _part(self, item: Reader, part_of: Callable[[Reader], Part | None]) -> Part | None:
        try:
            return part_of(item)
        except SchemaError as problem:
            self.leave_out(problem.path, whole=True)
            return None

    def texts(self, path: str) -> tuple[str, ...] | Missing:
        """The texts of a list; MISSING if it is no list."""
        value = self._found(path)
        if not isinstance(value, list):
            return self._otherwise(path, value, "a list", MISSING) if value is not None else ()
        for position, item in enumerate(value):
            if not isinstance(item, str):
                self.leave_out(f"{path}[{position}]")
        return tuple(item.replace("\0", "") for item in value if isinstance(item, str))

    def value(self, path: str) -> Any:
        """The value of any type, for fields whose type differs between sites; None if it is missing."""
        value = self._found(path)
        return None if isinstance(value, _Unfit) else value

    def leave_out(self, path: str, *, whole: bool = False) -> None:
        """Note a part that could not be parsed; `whole` if the path already starts at the record."""
        name = path if whole else self._name(path)
        if name not in self.left_out:
            self.left_out.append(name)

    def names(self, path: str, field: str = "name") -> tuple[str, ...] | Missing:
        """The field of each of a list's objects, such as labels; MISSING if it is no list."""
        named = self.parts(path, lambda item: item.text(field))
        if named is None:
            return MISSING if self._found(path) is not None else ()
        return tuple(named)

    def all_texts(self, path: str, field: str, default: Default | _Required = REQUIRED) -> tuple[str, ...] | Default:
        """The field of each of a list's objects, all or none, for lists such as parents that would be wrong if
        incomplete.
        """
        value = self._found(path)
        if not isinstance(value, list):
            return self._otherwise(path, value, "a list", default)
        texts: list[str] = []
        for position, item in enumerate(value):
            text = item.get(field) if isinstance(item, dict) else None
            if not isinstance(text, str):
                name = f"{path}[{position}].{field}"
                return self._refused(name, f"should be text and is {_kind(text)}", default)
            texts.append(text)
        return tuple(texts)

    def _objects(self, path: str) -> Iterator[Reader] | None:
        value = self._found(path)
        if not isinstance(value, list):
            return self._otherwise(path, value, "a list", None)
        return self._readers(path, value)

    def _readers(self, path: str, items: list[Any]) -> Iterator[Reader]:
        for position, item in enumerate(items):
            name = f"{self._name(path)}[{position}]"
            if isinstance(item, dict):
                yield Reader(item, name, parent=self)
            elif item is not None:  # some lists have null for hidden entries
                self.leave_out(name, whole=True)

    def _found(self, path: str) -> Any:
        if "." not in path:  # most paths: this saves a third of the time to parse records
            return self._payload.get(path)
        value: Any = self._payload
        names = path.split(".")
        for position, name in enumerate(names):
            if value is None:
                return None
            if not isinstance(value, dict):
                return _Unfit(self._name(".".join(names[:position])), value)
            value = value.get(name)
        return value

    def _otherwise(self, path: str, value: Any, expected: str, default: Default | _Required) -> Default:
        """The default of a field that is missing, or is not of the expected type."""
        if value is None:
            if isinstance(default, _Required):
                raise SchemaError(self._name(path), "is missing")
            return default
        if isinstance(value, _Unfit):
            return self._refused("", f"should be an object and is {_kind(value.value)}", default, name=value.path)
        return self._refused(path, f"should be {expected} and is {_kind(value)}", default)

    def _refused(self, path: str, problem: str, default: Default | _Required, *, name: str = "") -> Default:
        """The default of a field that cannot be understood, which is left out."""
        named = name or self._name(path)
        if isinstance(default, _Required):
            raise SchemaError(named, problem)
        self.leave_out(named, whole=True)
        return default

    def _name(self, path: str) -> str:
        return f"{self._path}.{path}" if self._path else path


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
