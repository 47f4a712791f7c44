"""People as of a day, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Q, QuerySet, Value

from core.columns import Column
from orgtree.models import Attribute, Employment, Identity, IdentityKind, Membership, Person, PersonAttribute, Reporting
from orgtree.people.filters import COLUMNS

DatedRows = QuerySet[Any, dict[str, Any]]


@dataclass(frozen=True)
class PersonAsOf:
    """A person with the values of a day: attributes by slug, the last employment, and whether they are employed."""

    person: Person
    manager: Person | None
    attributes: Mapping[str, str]
    names: Sequence[str]  # identities: addresses and logins
    employment: DateRange | None
    is_there: bool

    @property
    def cells(self) -> list[tuple[Column, str]]:
        """The cell of each column of the list; empty if there is no value."""
        fixed = {
            "full_name": self.person.full_name,
            "email": self.person.email or "",
            "manager": self.manager.full_name if self.manager else "",
        }
        return [(column, {**self.attributes, **fixed}.get(column.name, "")) for column in COLUMNS]

    @property
    def identities(self) -> list[str]:
        """The names other than the person's own address."""
        return [name for name in self.names if name != (self.person.email or "").lower()]


def people_as_of(people: Sequence[Person], *, on: date) -> list[PersonAsOf]:
    """The people with their values on a day, in order, with five queries in total."""
    ids = [person.pk for person in people]
    attributes: dict[int, dict[str, str]] = {pk: {} for pk in ids}
    held = PersonAttribute.objects.filter(person__in=ids, during__contains=on)
    for person_id, slug, value in held.values_list("person_id", "attribute__slug", "value"):
        attributes[person_id][slug] = value
    lines = Reporting.objects.filter(person__in=ids, during__contains=on).select_related("manager")
    managers = {line.person_id: line.manager for line in lines}
    employments = dict(Employment.objects.filter(person__in=ids).order_by("during").values_list("person_id", "during"))
    names: dict[int, list[str]] = {pk: [] for pk in ids}
    identities = Identity.objects.filter(person__in=ids, kind__in=(IdentityKind.EMAIL, IdentityKind.LOGIN))
    for person_id, provider, value in identities.order_by("kind", "provider", "value").values_list(
        "person_id", "provider", "value"
    ):
        names[person_id].append(f"{provider}:{value}" if provider else value)
    there = set(Person.objects.filter(pk__in=ids).there_on(on).values_list("pk", flat=True))
    return [
        PersonAsOf(
            person,
            managers.get(person.pk),
            attributes[person.pk],
            names[person.pk],
            employments.get(person.pk),
            person.pk in there,
        )
        for person in people
    ]


def history_of(person: Person, *, on: date, unit_ids: frozenset[int] | None) -> Mapping[str, DatedRows]:
    """The person's dated rows by kind, newest first: `what`, `text`, `during`, and `is_so`, whether it holds on the
    day.

    Managers have a `link`, the id of their page.  Units are limited to `unit_ids` (None: all), in trees in use.
    """

    def dated(rows: QuerySet[Any], *order: str, **columns: Any) -> DatedRows:
        newest_first = rows.filter(person=person).order_by(*order, F("during").desc())
        return newest_first.values("during", is_so=Q(during__contains=on), **columns)

    units = Membership.objects.filter(tree__archived_at=None)
    if unit_ids is not None:
        units = units.filter(unit__in=unit_ids)
    manager = {"text": F("manager__full_name"), "link": F("manager__public_id")}
    return {
        "employments": dated(Employment.objects.all(), what=Value("Employed")),
        "attributes": dated(
            PersonAttribute.objects.all(), "attribute__name", what=F("attribute__name"), text=F("value")
        ),
        "managers": dated(Reporting.objects.all(), what=Value("Manager"), **manager),
        "units": dated(units, "tree__name", what=F("tree__name"), text=F("unit__name")),
    }


def attribute_choices() -> list[tuple[str, str]]:
    """Slug and name of all attributes."""
    return list(Attribute.objects.order_by("name").values_list("slug", "name"))
