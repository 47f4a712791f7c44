"""Serializers that list fields of a model, for its JSON representation and for what a client may write.

Services use a `WriteSerializer`, so that pages, API and files are validated alike.  A `ReadSerializer` documents and
renders a response: the model itself, or an object that has it as the attribute `Meta.of`.  `Meta.blank_is_null` lists
texts that are empty in the database and null in JSON.

A `RecordSerializer` does the same with a dataclass; `BodySerializer` and `AnswerSerializer` are those of requests and
responses without either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Any, ClassVar, NoReturn, TypeVar, get_args, get_type_hints

from django.db import models
from rest_framework import serializers
from rest_framework.fields import empty

from core.write_errors import FieldError

M = TypeVar("M", bound=models.Model)
LARGEST_AMOUNT = 1e300  # far below the largest float, so that results computed from it stay finite
NEEDED = "It is required."
NOT_NULL = "It cannot be null: leave it out."


class Amount(serializers.FloatField):
    """A finite number: JSON allows numbers too large for a float, and Python parses 1e400 as infinity."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not abs(data) <= LARGEST_AMOUNT:
            raise serializers.ValidationError("It must be a number.")
        return float(data)


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int) or not -(2**31) <= data < 2**31:
            raise serializers.ValidationError("It must be a whole number.")
        return data


class YesOrNo(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("It must be true or false.")
        return data


class Day(serializers.DateField):
    def to_internal_value(self, value: Any) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise serializers.ValidationError(f"“{str(value)[:40]}” is not a day such as 2026-11-30.") from None


class Text(serializers.CharField):
    """Null counts as empty if the field may be empty."""

    default_error_messages: ClassVar[Any] = {
        "invalid": "It must be a text.",
        "blank": NEEDED,
        "null": NEEDED,
        "max_length": "At most {max_length:,} characters.",
    }

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str) and "\x00" in data:
            raise serializers.ValidationError("A NUL character cannot be stored.")
        if data is not None and data is not empty and not isinstance(data, str):
            self.fail("invalid")
        if data is None and self.allow_blank:
            return ""
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).replace("\r\n", "\n")


class Choice(serializers.ChoiceField):
    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key == "invalid_choice":
            raise serializers.ValidationError(f"One of: {', '.join(str(value) for value in self.choices)}.")
        super().fail(key, **kwargs)


class TextOrNull(serializers.CharField):
    """Text in a response: null if empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


class Named(serializers.CharField):
    """An object in a response, represented by one of its attributes."""

    def __init__(self, attribute: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attribute = attribute

    def to_representation(self, value: Any) -> str:
        return str(getattr(value, self.attribute))


# No docstrings here: the OpenAPI document would show them for every subclass without its own.
class ModelSerializer(serializers.ModelSerializer[M]):
    # The strict fields above replace DRF's, which accept a number as text and text as a number.

    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: YesOrNo,
        models.CharField: Text,
        models.DateField: Day,
        models.FloatField: Amount,
        models.PositiveIntegerField: WholeNumber,
        models.PositiveSmallIntegerField: WholeNumber,
        models.TextField: Text,
    }

    @property
    def blank_is_null(self) -> Sequence[str]:
        names: Sequence[str] = getattr(self.Meta, "blank_is_null", ())
        return names

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type, dict[str, Any]]:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if field_name in self.blank_is_null:
            kwargs.pop("allow_blank", None)
            kwargs["allow_null"] = True
            if "choices" in kwargs:
                kwargs["choices"] = [(value, label) for value, label in kwargs["choices"] if value]
        return field_class, kwargs


class AnswerSerializer(serializers.Serializer[Any]):
    # Every field is always present.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.required, field.read_only = True, False
        return fields


class RecordSerializer(AnswerSerializer):
    # The fields of the dataclass `Meta.record` that `Meta.fields` names; those with another form are declared.

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        declared, record = super().get_fields(), self.Meta.record  # type: ignore[attr-defined]
        types = get_type_hints(record)
        return {name: declared.get(name) or field_of(types[name]) for name in self.Meta.fields}  # type: ignore[attr-defined]


FIELDS_OF_TYPES: Mapping[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    str: serializers.CharField,
    date: serializers.DateField,
    datetime: serializers.DateTimeField,
}


def field_of(annotation: Any) -> serializers.Field[Any, Any, Any, Any]:
    """The field of a response for an annotated type, or for it and None."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType] or [annotation]
    return FIELDS_OF_TYPES[kinds[0]](allow_null=len(kinds) < len(get_args(annotation)), required=True)


class ReadSerializer(AnswerSerializer, ModelSerializer[M]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields, of = super().get_fields(), getattr(self.Meta, "of", "")
        for name, field in fields.items():
            if of and name not in self._declared_fields:
                field.source = f"{of}.{name}"
        return fields

    def to_representation(self, instance: M) -> dict[str, Any]:
        document = super().to_representation(instance)
        return {**document, **{name: document[name] or None for name in self.blank_is_null}}


class WriteSerializer(ModelSerializer[M]):
    # With an instance, omitted fields keep their values.  Unknown fields are errors; errors list the valid choices.

    serializer_choice_field = Choice

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type, dict[str, Any]]:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        kwargs["error_messages"] = {"required": NEEDED}
        return field_class, kwargs

    def include_extra_kwargs(self, kwargs: Any, extra_kwargs: Any) -> Any:
        messages = {**kwargs.get("error_messages", {}), **extra_kwargs.get("error_messages", {})}
        return {**super().include_extra_kwargs(kwargs, extra_kwargs), "error_messages": messages}

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(data, self.fields)
        nullable = self.blank_is_null
        given = {name: None if value == "" and name in nullable else value for name, value in data.items()}
        taken = super().to_internal_value(given)
        return {name: "" if value is None and name in nullable else value for name, value in taken.items()}


class BodySerializer(serializers.Serializer[Any]):
    # Unknown fields are errors.

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.error_messages |= {"required": NEEDED, "null": NEEDED if field.required else NOT_NULL}
        return fields

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


def refuse_unknown(data: Any, known: Collection[str]) -> None:
    """Refuse unknown fields, and anything but an object.  Raises ValidationError."""
    if not isinstance(data, Mapping):
        raise serializers.ValidationError({"": ["Send one object."]})
    unknown = next((name for name in data if name not in known), None)
    if unknown is not None:
        use = f"Use {', '.join(known)}." if known else "There are none."
        raise serializers.ValidationError({str(unknown)[:40]: [f"There is no such field. {use}"]})


def validated(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """The validated data.  Raises FieldError for the first invalid field."""
    if not serializer.is_valid():
        raise FieldError(*_first(serializer.errors))
    fields: dict[str, Any] = serializer.validated_data
    return fields


def _first(errors: Any, path: str = "") -> tuple[str, str]:
    """Path and message of the first error in DRF's nested errors."""
    if isinstance(errors, Mapping):
        name, inner = next(iter(errors.items()))
        joined = "" if name in ("", "non_field_errors") else f"{path}.{name}" if path else str(name)
        return _first(inner, joined or path)
    if errors and isinstance(errors[0], Mapping):
        row = next(number for number, inner in enumerate(errors) if inner)
        return _first(errors[row], f"{path}.{row}")
    return path, str(errors[0])
