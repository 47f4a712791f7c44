"""Reading a JSON payload field by field, with errors that name the field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final, TypeVar

from integrations.connectors.errors import SchemaError

# Clocks that were never set say 1970-01-01, and commits of the nineties are true.
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
IMPOSSIBLE = f"lies before {EARLIEST:%Y-%m-%d} or after {LATEST:%Y}"
LARGEST = 2**31 - 1  # what an integer column holds
LONGEST_ID = 200  # what a column of ids holds; a shortened one could be another's
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Default = TypeVar("Default")


class _Required(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED


class Reader:
    """A JSON object; fields are named by dotted paths: reader.text("head.sha").

    A field that is missing or null is an error unless a default is given; one of another type always is.
    """

    def __init__(self, payload: Any, path: str = "", *, parent: Reader | None = None) -> None:
        self._path = path
        self.impossible_times: list[str] = [] if parent is None else parent.impossible_times
        """Paths of parts whose time cannot be, with those of the objects inside."""
        if not isinstance(payload, dict):
            raise SchemaError(path or "(record)", f"should be an object and is {_kind(payload)}")
        self._payload = payload

    def has(self, path: str) -> bool:
        """Whether the field is present and not null."""
        return self._found(path) is not None

    def text(self, path: str, default: Default | _Required = REQUIRED) -> str | Default:
        """Without NUL, which no database column takes."""
        value = self._found(path)
        if value is None:
            return self._missing(path, default)
        if not isinstance(value, str):
            raise SchemaError(self._name(path), f"should be text and is {_kind(value)}")
        return value.replace("\0", "")

    def integer(self, path: str, default: Default | _Required = REQUIRED) -> int | Default:
        value = self._found(path)
        if value is None:
            return self._missing(path, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise SchemaError(self._name(path), f"should be a whole number and is {_kind(value)}")
        if not -LARGEST <= value <= LARGEST:
            raise SchemaError(self._name(path), f"is beyond {LARGEST:,}")
        return value

    def identifier(self, path: str) -> str:
        """An id, which providers write as numbers or as text."""
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            raise SchemaError(self._name(path), f"should be an id and is {_kind(value)}")
        identifier = str(value).replace("\0", "")
        if len(identifier) > LONGEST_ID:
            raise SchemaError(self._name(path), f"is an id of more than {LONGEST_ID} characters")
        return identifier

    def boolean(self, path: str, default: Default | _Required = REQUIRED) -> bool | Default:
        value = self._found(path)
        if value is None:
            return self._missing(path, default)
        if not isinstance(value, bool):
            raise SchemaError(self._name(path), f"should be true or false and is {_kind(value)}")
        return value

    def instant(self, path: str) -> datetime:
        """A time in milliseconds since 1970, in UTC: one of those that the record itself is counted by."""
        at = self._instant(path)
        if at is None:
            raise SchemaError(self._name(path), IMPOSSIBLE)
        return at

    def part_instant(self, path: str) -> datetime | None:
        """The same of a part of the record; None where it cannot be, and the record counts without it."""
        at = self._instant(path)
        if at is None:
            self.impossible_times.append(self._name(path))
        return at

    def duration(self, path: str) -> timedelta | None:
        """Of milliseconds; None where it is missing, negative or longer than all time."""
        if not self.has(path):
            return None
        milliseconds = self._milliseconds(path)
        return milliseconds * MILLISECOND if 0 <= milliseconds < (LATEST - EPOCH) / MILLISECOND else None

    def _instant(self, path: str) -> datetime | None:
        """None for a time that cannot be."""
        milliseconds = self._milliseconds(path)
        if not (EARLIEST - EPOCH) / MILLISECOND <= milliseconds < (LATEST - EPOCH) / MILLISECOND:
            return None
        return EPOCH + milliseconds * MILLISECOND

    def _milliseconds(self, path: str) -> int:
        value = self._found(path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise SchemaError(self._name(path), f"should be a number of milliseconds and is {_kind(value)}")
        return value

    def time(self, path: str, default: Default | _Required = REQUIRED) -> datetime | Default:
        """An ISO 8601 time with its offset, in UTC: one of those that the record itself is counted by."""
        value = self._found(path)
        if value is None:
            return self._missing(path, default)
        at = self._parsed_time(path, value)
        if at is None:
            raise SchemaError(self._name(path), IMPOSSIBLE)
        return at

    def part_time(self, path: str, *, required: bool = False) -> datetime | None:
        """The same of a part of the record; None where it is missing (an error if `required`) or cannot be.

        The record counts without it: one commit of a machine whose clock was wrong is no reason to lose a pull request.
        """
        value = self._found(path)
        if value is None:
            return self._missing(path, REQUIRED) if required else None
        at = self._parsed_time(path, value)
        if at is None:
            self.impossible_times.append(self._name(path))
        return at

    def part_date(self, path: str) -> date | None:
        """A day, as in 2026-03-02, of a part of the record; None where it is missing or cannot be."""
        value = self._found(path)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value)
        except (TypeError, ValueError):
            raise SchemaError(self._name(path), "should be a day as in 2026-03-02") from None
        if not EARLIEST.date() <= day < LATEST.date():
            self.impossible_times.append(self._name(path))
            return None
        return day

    def _parsed_time(self, path: str, value: Any) -> datetime | None:
        """None for a time that cannot be."""
        try:
            at = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise SchemaError(self._name(path), "should be a time in ISO 8601") from None
        if at.tzinfo is None:
            raise SchemaError(self._name(path), "is a time without its offset from UTC")
        return at.astimezone(UTC) if EARLIEST <= at < LATEST else None

    def object(self, path: str) -> Reader | None:
        """The object at `path`; None where it is null or missing."""
        value = self._found(path)
        return None if value is None else Reader(value, self._name(path), parent=self)

    def objects(self, path: str) -> Iterator[Reader]:
        """The objects of a list; none where it is null or missing."""
        value = self._found(path)
        if value is None:
            return
        if not isinstance(value, list):
            raise SchemaError(self._name(path), f"should be a list and is {_kind(value)}")
        for position, item in enumerate(value):
            yield Reader(item, f"{self._name(path)}[{position}]", parent=self)

    def _found(self, path: str) -> Any:
        if "." not in path:  # most are: a third of the time that records take to be understood
            return self._payload.get(path)
        value: Any = self._payload
        names = path.split(".")
        for position, name in enumerate(names):
            if value is None:
                return None
            if not isinstance(value, dict):
                at = self._name(".".join(names[:position]))
                raise SchemaError(at, f"should be an object and is {_kind(value)}")
            value = value.get(name)
        return value

    def _missing(self, path: str, default: Default | _Required) -> Default:
        if isinstance(default, _Required):
            raise SchemaError(self._name(path), "is missing")
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
