"""Serializer fields that refer to an object by name or number, limited to those that the writer may see.

A record's current value always remains valid: a unit that is no longer in a tree, an owner who has left, an objective
that the writer may not see.  Serializers have the writer's `access` in their context.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from core.api.model_serializers import Text
from insights.catalogue.registry import metrics


class NamedField(Text):
    """An object given by name; null and empty mean none, which is the default."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def find(self, name: str) -> Any:
        """The object with this name (empty: none given).  Raises FieldError, ValidationError, MayNotWriteError."""
        raise NotImplementedError

    def name_of(self, value: Any) -> str:
        """The name of the value as people write it."""
        raise NotImplementedError

    def run_validation(self, data: Any = empty) -> Any:
        if data is empty and self.root.partial:
            raise SkipField
        if not isinstance(data, str) and data is not None and data is not empty:
            self.fail("invalid")
        name = data.strip() if isinstance(data, str) else ""
        if "\x00" in name:
            raise serializers.ValidationError("A NUL character cannot be stored.")
        stored = _stored(self)
        if stored is not empty and name.casefold() == self.name_of(stored).casefold():
            return stored
        return self.find(name)

    def to_representation(self, value: Any) -> Any:
        return self.name_of(value) or None


class MetricField(NamedField):
    """A metric, given by its key."""

    def find(self, name: str) -> str:
        if name and name not in {metric.key for metric in metrics()}:
            raise serializers.ValidationError(f"There is no metric {name[:80]}.")
        return name

    def name_of(self, value: str) -> str:
        return value


class VisibleField(serializers.PrimaryKeyRelatedField[Any]):
    """A record, given by its id and limited to those visible to the writer."""

    def __init__(self, what: str, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})
        self.error_messages["incorrect_type"] = "It must be a whole number."
        self.error_messages["does_not_exist"] = f"There is no such {what}, or you may not see it."

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        return queryset and queryset.within(self.context["access"].visibility)

    def to_internal_value(self, data: Any) -> Any:
        stored = _stored(self)
        if stored is not empty and stored is not None and stored.pk == data:
            return stored
        return super().to_internal_value(data)


class AccountField(serializers.CharField):
    """The name of the account whose id the record holds; the context's `names` have the existing accounts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return self.context["names"].get(value)


def _stored(field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """The current value of the record being changed; `empty` for a new one."""
    record = getattr(field.parent, "instance", None)
    return empty if record is None else getattr(record, str(field.source))
