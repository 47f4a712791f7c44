"""Editable fields of a meeting series, shared by the form, the API and admin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from rest_framework import serializers

from core.api.model_serializers import Text, WriteSerializer, validated
from core.write_errors import FieldError
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Person
from programs.meetings.services.recurrence import countries, subdivisions
from programs.models import MeetingSeries
from programs.teams.fields import LedUnitField

MOST_PARTICIPANTS = 200  # each of them gets an e-mail per meeting
EARLIEST_START = timedelta(days=366)  # before today: past meetings can still be recorded
# The fields of a series that can change; its kind and unit stay, because reviews and QBRs are found by them.
CHANGEABLE = (
    *("rule", "day", "place", "weekday", "week", "every_months", "begins", "minutes", "time_zone"),
    *("country", "subdivision", "on_holiday", "location", "starts_on", "ends_on", "participants"),
)
WRITTEN = ("kind", "unit", *CHANGEABLE)


class ParticipantsField(serializers.ListField):
    """People by e-mail address, each once.  Current participants may have left or lack an address."""

    child = Text()

    def to_internal_value(self, data: Any) -> list[Person]:
        addresses = super().to_internal_value(data)
        series = self.parent.instance
        known = list(series.participants.all()) if series is not None else []
        people = people_named(addresses)
        new = [person.pk for person in people if person not in known]
        here = set(Person.objects.there_on(windows.local_today()).filter(pk__in=new).values_list("pk", flat=True))
        left = next((person for person in people if person.pk in new and person.pk not in here), None)
        if left is not None:
            raise serializers.ValidationError(f"{left.full_name} has left: choose somebody else.")
        return [*people, *(person for person in known if not person.email)]

    def to_representation(self, data: Any) -> list[str]:
        return [person.email for person in data.all() if person.email]


def people_named(addresses: Iterable[str]) -> list[Person]:
    """The people with these addresses, each once, in order.  Raises the API's ValidationError."""
    wanted = list(dict.fromkeys(name.strip().lower() for name in addresses if name.strip()))
    if len(wanted) > MOST_PARTICIPANTS:
        raise serializers.ValidationError(f"At most {MOST_PARTICIPANTS} people.")
    found = Person.objects.annotate(address=Lower("email")).filter(address__in=wanted)
    people = {(person.email or "").lower(): person for person in found}
    unknown = next((address for address in wanted if address not in people), None)
    if unknown is not None:
        raise serializers.ValidationError(
            f"Nobody with the address {unknown[:80]} is known. See People for all addresses."
        )
    return [people[address] for address in wanted]


class SeriesWriteSerializer(WriteSerializer[MeetingSeries]):
    """Create: kind, begins, time_zone and the rule's fields are required.  Update: omitted fields keep their value."""

    unit = LedUnitField("Meetings", help_text="Slug; null: the whole organisation.")
    participants = ParticipantsField(required=False, help_text="E-mail addresses: those, and no others.")

    class Meta:
        model = MeetingSeries
        fields: tuple[str, ...] = WRITTEN
        extra_kwargs = {"starts_on": {"required": False, "help_text": "Default: today."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Validates the whole series as it will be."""
        today = windows.local_today()
        if self.instance is None:
            attrs.setdefault("starts_on", today)
        series = copy(self.instance) if isinstance(self.instance, MeetingSeries) else MeetingSeries()
        for name, value in attrs.items():
            if name != "participants":
                setattr(series, name, value)
        try:
            series.clean()
        except ValidationError as problem:
            raise serializers.ValidationError(problem.message_dict) from None
        if self.instance is None and series.starts_on < today - EARLIEST_START:
            raise FieldError("starts_on", "At most a year ago.")
        if series.country and series.country not in countries():
            raise FieldError("country", f"No holidays of “{series.country}” are known: give a code such as DE.")
        if series.subdivision and series.subdivision not in subdivisions(series.country):
            parts = ", ".join(subdivisions(series.country)) or "none"
            raise FieldError("subdivision", f"There is no “{series.subdivision}” there. Known: {parts}.")
        return attrs


class SeriesChangeSerializer(SeriesWriteSerializer):
    """Fields to change; omitted fields keep their value."""

    class Meta(SeriesWriteSerializer.Meta):
        fields = CHANGEABLE


def series_fields(access: Access, given: Mapping[str, Any], series: MeetingSeries | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms; for a stored series only those that were given.

    Raises FieldError, MayNotWriteError.
    """
    context = {"access": access}
    if series is None:
        return validated(SeriesWriteSerializer(data=given, context=context))
    return validated(SeriesChangeSerializer(series, data=given, partial=True, context=context))
