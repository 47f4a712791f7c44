"""Filters and columns of lists of people, and the search for one of them."""

from __future__ import annotations

from collections.abc import Sequence

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from core.columns import columns_of
from core.list_filters import RepeatedFilter, ViewerFilters
from core.write_errors import FieldError
from orgtree.access.access import Access
from orgtree.access.search_sources import Hit, closeness
from orgtree.models import Attribute, Person, PersonAttribute
from orgtree.models.people import PersonQuerySet
from orgtree.people_import.columns import attribute_name

BY_NAME = ("full_name", "pk")
STATES = {"there": "Active", "left": "Left", "all": "Everybody"}


class PeopleFilters(ViewerFilters):
    """Everybody in the order of names, by words, and by attributes and employment on a day."""

    q = django_filters.CharFilter(method="with_words", help_text="Search text: words of a name, an address or a login.")
    where = RepeatedFilter(method="with_attributes", help_text="attribute=value; AND between them.")
    state = django_filters.ChoiceFilter(
        method="in_state", label="Employment", choices=list(STATES.items()), help_text="Omitted: all."
    )

    def visible(self, access: Access | None) -> QuerySet[Person]:
        return Person.objects.order_by(*BY_NAME)

    def with_words(self, people: PersonQuerySet, _name: str, words: str) -> PersonQuerySet:
        return people.matching(words)

    def with_attributes(self, people: PersonQuerySet, name: str, texts: Sequence[str]) -> QuerySet[Person]:
        """Filter by attribute values, ignoring case."""
        for text in texts:
            slug, equals, value = text.partition("=")
            if not equals or not Attribute.objects.filter(slug=slug).exists():
                raise FieldError(name, f"“{text[:60]}” is not valid. Write attribute=value with a known attribute.")
            held = PersonAttribute.objects.filter(
                person=OuterRef("pk"), attribute__slug=slug, value__iexact=value, during__contains=self.today
            )
            people = people.filter(Exists(held))
        return people

    def in_state(self, people: PersonQuerySet, _name: str, state: str) -> QuerySet[Person]:
        match state:
            case "there":
                return people.there_on(self.today)
            case "left":
                return people.exclude(pk__in=people.there_on(self.today))
        return people


def people_found(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """People of today whose page the viewer may open."""
    there = Person.objects.within(access.visibility, access.viewer).there_on(timezone.localdate())
    people = there.matching(" ".join(words)).order_by(closeness(words, "full_name"), "full_name", "pk")
    return [
        Hit(person.full_name, reverse("person", args=[person.public_id]), hint=person.email or "")
        for person in people[:limit]
    ]


ATTRIBUTES = ("role", "team", "department", "site")  # slugs
COLUMNS = columns_of(
    Person,
    *("full_name", "email", *ATTRIBUTES, "manager"),
    labels={
        "full_name": "Name",
        "email": "E-mail",
        "manager": "Manager",
        **{slug: attribute_name(slug) for slug in ATTRIBUTES},
    },
)
