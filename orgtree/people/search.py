"""Search and listing of people as of a day, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, F, OuterRef, Q

from orgtree.models import Attribute, Employment, Identity, Membership, Person, PersonAttribute, Reporting
from orgtree.models.people import PersonQuerySet

LISTED_ATTRIBUTES = ("role", "team", "department", "site")


@dataclass(frozen=True)
class ListedPerson:
    """A row of the list; `attributes` in the order of LISTED_ATTRIBUTES."""

    person: Person
    manager: str
    attributes: Sequence[str]
    is_there: bool


def search_people(people: PersonQuerySet, words: str) -> PersonQuerySet:
    """People whose name, address or another identity contains every word."""
    for word in words.split():
        named = Identity.objects.filter(person=OuterRef("pk"), value__icontains=word)
        people = people.filter(Q(full_name__icontains=word) | Q(email__icontains=word) | Exists(named))
    return people


def with_attribute(people: PersonQuerySet, slug: str, value: str, *, on: date) -> PersonQuerySet:
    """People with that attribute value on the day, case-insensitively."""
    values = PersonAttribute.objects.filter(
        person=OuterRef("pk"), attribute__slug=slug, value__iexact=value, during__contains=on
    )
    return people.filter(Exists(values))


def listed(people: Sequence[Person], *, on: date) -> list[ListedPerson]:
    """The rows of one page."""
    ids = [person.pk for person in people]
    values: dict[int, dict[str, str]] = {}
    for person_id, slug, value in PersonAttribute.objects.filter(
        person__in=ids, attribute__slug__in=LISTED_ATTRIBUTES, during__contains=on
    ).values_list("person_id", "attribute__slug", "value"):
        values.setdefault(person_id, {})[slug] = value
    managers: Mapping[int, str] = dict(
        Reporting.objects.filter(person__in=ids, during__contains=on).values_list("person_id", "manager__full_name")
    )
    there = set(Person.objects.filter(pk__in=ids).there_on(on).values_list("pk", flat=True))
    return [
        ListedPerson(
            person,
            managers.get(person.pk, ""),
            [values.get(person.pk, {}).get(slug, "") for slug in LISTED_ATTRIBUTES],
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
