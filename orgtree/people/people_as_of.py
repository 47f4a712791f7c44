"""People as of a day, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F

from core.columns import Column
from orgtree.models import Attribute, Employment, Identity, IdentityKind, Membership, Person, PersonAttribute, Reporting
from orgtree.people.columns import COLUMNS


@dataclass(frozen=True)
class PersonAsOf:
    """A person with what holds on a day: attributes by slug, the last employment, and whether they are employed."""

    person: Person
    manager: Person | None
    attributes: Mapping[str, str]
    names: Sequence[str]  # of identities: addresses and logins
    employment: DateRange | None
    is_there: bool

    @property
    def cells(self) -> list[tuple[Column, str]]:
        """Of each column of the list; empty where there is nothing."""
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
    """In order, with five queries in total."""
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


@dataclass(frozen=True)
class Dated:
    """A dated value, and whether it is current on the requested day; an empty `link` means none."""

    what: str
    value: str
    link: str
    days: DateRange
    is_so: bool


@dataclass(frozen=True)
class History:
    """All dated rows of a person, the newest first."""

    employments: Sequence[Dated]
    attributes: Sequence[Dated]
    managers: Sequence[Dated]
    units: Sequence[Dated]


def history_of(person: Person, *, on: date, unit_ids: frozenset[int] | None) -> History:
    """Rows current on the day are marked; units are limited to `unit_ids` (None: all), in trees in use."""
    memberships = Membership.objects.filter(person=person, tree__archived_at=None).select_related("tree", "unit")
    if unit_ids is not None:
        memberships = memberships.filter(unit__in=unit_ids)
    newest_first = F("during").desc()
    return History(
        employments=[
            Dated("There", "", "", employment.during, _covers(employment.during, on))
            for employment in Employment.objects.filter(person=person).order_by(newest_first)
        ],
        attributes=[
            Dated(attribute.attribute.name, attribute.value, "", attribute.during, _covers(attribute.during, on))
            for attribute in PersonAttribute.objects.filter(person=person)
            .select_related("attribute")
            .order_by("attribute__name", newest_first)
        ],
        managers=[
            Dated(
                "Manager",
                reporting.manager.full_name,
                str(reporting.manager.public_id),
                reporting.during,
                _covers(reporting.during, on),
            )
            for reporting in Reporting.objects.filter(person=person).select_related("manager").order_by(newest_first)
        ],
        units=[
            Dated(
                membership.tree.name,
                membership.unit.name,
                membership.unit.slug,
                membership.during,
                _covers(membership.during, on),
            )
            for membership in memberships.order_by("tree__name", newest_first)
        ],
    )


def _covers(days: DateRange, day: date) -> bool:
    return (days.lower is None or days.lower <= day) and (days.upper is None or day < days.upper)


def attribute_choices() -> list[tuple[str, str]]:
    """Slug and name of all attributes."""
    return list(Attribute.objects.order_by("name").values_list("slug", "name"))
