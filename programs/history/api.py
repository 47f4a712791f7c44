"""JSON of changes, shared by the histories of tickets and objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from programs.history.events import PULL_REQUESTS, WATCHERS, Change, Changed, Undisclosed, Value

NAMES = "Units, people, objectives and pull requests by the names that they have today."


class DifferenceSerializer(serializers.Serializer[object]):
    """One field of a change."""

    field = serializers.CharField(
        help_text="The field's name in the document, or pull_requests or watchers: one was added or removed."
    )
    hidden = serializers.BooleanField(help_text="from or to is not yours to see, or what it names is gone: null then.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Adds `from`, which is a Python keyword and cannot be an attribute."""
        ends = {name: serializers.JSONField(allow_null=True, help_text=NAMES) for name in ("from", "to")}
        return {**super().get_fields(), **ends}


class ChangeSerializer(serializers.Serializer[object]):
    """A change by one account at one time."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="Null: a deleted account, or Headway (`automatic`).")
    automatic = serializers.BooleanField()
    first = serializers.BooleanField(help_text="It was written then.")


def change_document(change: Change, names: Mapping[int, str]) -> dict[str, Any]:
    return {"at": change.at, "by": names.get(change.by or 0), "automatic": change.by is None, "first": change.is_first}


def difference_document(change: Changed, names: Mapping[int, str], pulls: Mapping[int, str]) -> dict[str, Any]:
    def shown(value: Value) -> Value:
        if isinstance(value, Undisclosed) or value == "":
            return None
        if change.field == WATCHERS and isinstance(value, int):
            return names.get(value)
        if change.field == PULL_REQUESTS and isinstance(value, int):
            return pulls.get(value)
        return value

    pair = (change.before, change.after)
    return {
        "field": change.field.removesuffix("_id"),
        "from": shown(change.before),
        "to": shown(change.after),
        "hidden": any(value is not None and value != "" and shown(value) is None for value in pair),
    }
