"""The fields of pushed records: strict about names and times, lenient with values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from integrations.connectors.drafts import Who
from integrations.connectors.reader import EARLIEST

CLOCK_SKEW = timedelta(minutes=10)  # clocks of build machines run ahead a little; what is further ahead is a mistake
LONGEST_WORD = 200
LONGEST_NAME = 500
LONGEST_URL = 2000
LARGEST = 2**31 - 1
NO_OBJECT = ["A record is an object with named fields."]


class StrictSerializer(serializers.Serializer[Any]):
    """Rejects unknown fields by name: a misspelt one would otherwise be lost silently."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"record": NO_OBJECT})
        if unknown := sorted(str(name)[:60] for name in data if name not in self.fields):
            known = ", ".join(self.fields)
            raise serializers.ValidationError({name: [f"There is no such field. Fields: {known}."] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text without NUL; an empty one is allowed where the field is not required."""

    def __init__(self, *, longest: int = LONGEST_WORD, **options: Any) -> None:
        if not options.get("required", True):
            options |= {"allow_blank": True, "allow_null": True, "default": ""}
        super().__init__(max_length=longest, **options)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)  # ids are numbers in some systems and text in others
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data.replace("\0", "") if isinstance(data, str) else data) or ""


class Title(Text):
    """Of any length: what no page could show of it is cut off when it is stored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=1_000_000, **options)


class ImpossibleTimeError(serializers.ValidationError):
    """A time that nothing can have happened at."""


class Time(serializers.Field[datetime, Any, str, Any]):
    """ISO 8601 with its offset from UTC, after 1970-01-01, not in the future."""

    def __init__(self, **options: Any) -> None:
        if not options.get("required", True):
            options |= {"allow_null": True, "default": None}
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> datetime:
        try:
            at = datetime.fromisoformat(data)
        except (TypeError, ValueError):
            raise serializers.ValidationError(
                "This is not a time. Write ISO 8601 with the offset from UTC, such as 2026-05-04T09:30:00+02:00."
            ) from None
        if at.tzinfo is None:
            raise serializers.ValidationError("The time lacks its offset from UTC. Add Z or, for example, +02:00.")
        if at < EARLIEST:
            raise ImpossibleTimeError(f"The time lies before {EARLIEST:%Y-%m-%d}.")
        if at > timezone.now() + CLOCK_SKEW:
            raise ImpossibleTimeError("The time lies in the future. Check the clock or the offset from UTC.")
        return at.astimezone(UTC)


class PartTime(Time):
    """Of a part of the record, which counts without it: None where it cannot be.

    `impossible_times` of the serializer's context names the fields, such as commits.authored_at.
    """

    def to_internal_value(self, data: Any) -> datetime | None:  # type: ignore[override]
        try:
            return super().to_internal_value(data)
        except ImpossibleTimeError:
            parts = self.parent.parent
            self.context["impossible_times"].append(f"{parts.field_name}.{self.field_name}")
            return None


class Count(serializers.IntegerField):
    """A number of lines or the like: 0 or more; null: unknown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST, required=False, allow_null=True, default=None, **options)


class Texts(serializers.ListField):
    """A list of words."""

    def __init__(self) -> None:
        super().__init__(
            child=Text(longest=LONGEST_NAME), required=False, allow_null=True, default=list, max_length=500
        )

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or []


def who(named: str) -> Who | None:
    """Whom a record names, by e-mail address or login; nobody where it is empty."""
    if not named.strip():
        return None
    return Who(email=named) if "@" in named else Who(login=named)


def in_words(errors: Any, path: str = "") -> str:
    """DRF's nested messages in one sentence per field: reviews[0].state: This field is required."""
    if isinstance(errors, Mapping):
        inner = [in_words(error, _path(path, name)) for name, error in errors.items() if error]
        return " ".join(inner)
    if isinstance(errors, list) and any(isinstance(error, Mapping) for error in errors):
        return " ".join(in_words(error, f"{path}[{position}]") for position, error in enumerate(errors) if error)
    return f"{path}: {' '.join(str(error) for error in errors)}"


def _path(path: str, name: Any) -> str:
    if isinstance(name, int):  # of a list
        return f"{path}[{name}]"
    name = "record" if name == "non_field_errors" else str(name)
    return f"{path}.{name}" if path else name
