"""API documents of people: the state on a day, the accepted records, and the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import cells
from core.api.model_serializers import AnswerSerializer
from orgtree.people.people_as_of import PersonAsOf
from orgtree.people_import.columns import (
    KNOWN_ATTRIBUTES,
    LONGEST_ATTRIBUTE,
    attribute_slug,
    email_address,
    identity_names,
    manager_address,
)
from orgtree.people_import.rows import order_errors

MOST_ATTRIBUTES = 250
STATUSES = ("created", "updated", "unchanged", "rejected")


class CellField(serializers.CharField):
    """Text, parsed like a cell of a file; null and "" mean none."""

    def __init__(self, reader: Callable[[str], Any] = cells.short_text, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, allow_null=True, **options)
        self.reader = reader

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError("This is not text.")
        try:
            text = cells.clean(data)
            return self.reader(text) if text else None
        except cells.CellError as problem:
            raise serializers.ValidationError(str(problem)) from None

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data == "":
            return None
        return super().run_validation(data)


class PersonWriteSerializer(serializers.Serializer[object]):
    """A person to be stored.  Omitted fields keep their value, except with PUT."""

    id = serializers.UUIDField(
        required=False, help_text="The id of a known person; otherwise the e-mail address identifies the person."
    )
    full_name = CellField()
    email = CellField(email_address)
    manager_email = CellField(manager_address, help_text="Address of the manager; null: reports to nobody.")
    role = CellField()
    sub_role = CellField()
    team = CellField()
    department = CellField()
    site = CellField()
    time_zone = CellField(cells.time_zone, help_text="IANA time zone, such as Europe/Paris.")
    identities = serializers.ListField(
        child=serializers.CharField(max_length=400),
        required=False,
        max_length=100,
        help_text="Further addresses and logins (github:ada), added to the known ones.",
    )
    start = CellField(cells.day, help_text="First day, 2026-01-31.")
    end = CellField(cells.day, help_text="First day after the employment; null: no end.")
    attributes = serializers.DictField(
        child=CellField(), required=False, help_text="Further attributes of the person, by name."
    )

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"record": ["This is not an object with fields."]})
        unknown = [str(name)[:40] for name in data if name not in self.fields]
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({name: [f"There is no such field. Use {known}."] for name in unknown})
        return super().to_internal_value(data)

    def validate_identities(self, value: list[str]) -> tuple[Any, ...]:
        try:
            return tuple(name for text in value for name in identity_names(cells.clean(text)))
        except cells.CellError as problem:
            raise serializers.ValidationError(str(problem)) from None

    def validate_attributes(self, value: Mapping[str, str | None]) -> Mapping[str, str | None]:
        if len(value) > MOST_ATTRIBUTES:
            raise serializers.ValidationError(f"At most {MOST_ATTRIBUTES} attributes are allowed.")
        for name in value:
            slug = attribute_slug(name)
            if slug != name or len(name) > LONGEST_ATTRIBUTE:
                raise serializers.ValidationError(f"“{name[:40]}” is not an attribute name. Write “{slug[:40]}”.")
            if name in KNOWN_ATTRIBUTES or name in self.fields:
                raise serializers.ValidationError(f"“{name}” is a separate field.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("email") and "id" not in attrs:
            raise serializers.ValidationError(
                {"email": ["The e-mail address or the id identifies the person; give one."]}
            )
        start, end = attrs.get("start"), attrs.get("end")
        for error in order_errors(0, start, end if isinstance(end, date) else None):
            raise serializers.ValidationError({"end": [error.message]})
        return attrs


class AttributeField(serializers.CharField):
    def __init__(self, slug: str) -> None:
        super().__init__(source=f"attributes.{slug}", allow_null=True)


class PersonSerializer(AnswerSerializer):
    """A person with the current values."""

    id = serializers.UUIDField(source="person.public_id")
    full_name = serializers.CharField(source="person.full_name")
    email = serializers.CharField(source="person.email", allow_null=True)
    manager_email = serializers.CharField(source="manager.email", allow_null=True)
    role = AttributeField("role")
    sub_role = AttributeField("sub_role")
    team = AttributeField("team")
    department = AttributeField("department")
    site = AttributeField("site")
    time_zone = AttributeField("time_zone")
    identities = serializers.ListField(child=serializers.CharField())
    start = serializers.DateField(
        source="employment.lower", allow_null=True, help_text="First day of the last employment."
    )
    end = serializers.DateField(
        source="employment.upper", allow_null=True, help_text="First day after the last employment."
    )
    attributes = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_attributes(self, record: PersonAsOf) -> dict[str, str]:
        return {slug: value for slug, value in record.attributes.items() if slug not in KNOWN_ATTRIBUTES}


class PeopleSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    people = PersonSerializer(many=True)


class PersonResultSerializer(serializers.Serializer[object]):
    id = serializers.UUIDField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    errors = serializers.DictField(  # type: ignore[assignment]  # a response field, not an attribute of this class
        child=serializers.ListField(child=serializers.CharField()), allow_null=True, help_text="Messages by field."
    )


class PeopleResultsSerializer(serializers.Serializer[object]):
    results = PersonResultSerializer(many=True)
