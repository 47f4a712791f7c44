"""The list of people, and the page of one person with their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from core.list_page import ListPage
from core.views import record_view
from orgtree.access.access import Access, access_of, viewable
from orgtree.models import Person
from orgtree.models.people import PersonQuerySet
from orgtree.people.filters import BY_NAME, COLUMNS, PeopleFilters
from orgtree.people.people_as_of import PersonAsOf, attribute_choices, history_of, people_as_of


class PeoplePageFilters(PeopleFilters):
    """People whose page the viewer may open, with an attribute and its value as two parameters in place of `where`."""

    where = None  # type: ignore[assignment]  # not on the page
    attribute = django_filters.CharFilter(method="with_value")
    value = django_filters.CharFilter(method="as_it_is")

    def visible(self, access: Access | None) -> QuerySet[Person]:
        if access is None:
            raise ValueError("The page is of a viewer.")
        return Person.objects.within(access.visibility, access.viewer).order_by(*BY_NAME)

    def with_value(self, people: PersonQuerySet, name: str, slug: str) -> QuerySet[Person]:
        value = self.chosen["value"]
        return self.with_attributes(people, name, [f"{slug}={value}"]) if value else people

    def as_it_is(self, people: QuerySet[Person], _name: str, _value: str) -> QuerySet[Person]:
        return people


class People(ListPage):
    plural = "people"
    filters = PeoplePageFilters
    columns = COLUMNS
    template_name = "orgtree/people.html"
    card = "orgtree/_people.html"
    size = 50
    defaults = {"state": "there"}

    @cached_property
    def access(self) -> Access:
        return access_of(self.request.user)

    def rows(self, records: Iterable[Person]) -> Sequence[PersonAsOf]:
        return people_as_of([*records], on=self.today)

    def context(self) -> dict[str, Any]:
        return {**super().context(), "attributes": attribute_choices(), "chosen": self.narrowed.chosen}


@record_view
def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A person's dated attributes; 404 if not visible to the viewer."""
    chosen = get_object_or_404(Person.objects.visible_to(request.user), public_id=public_id)
    visibility = viewable(request.user)
    may_see_all = request.user.is_superuser or chosen.pk == visibility.person_id
    today = timezone.localdate()
    context = {
        "person": chosen,
        "history": history_of(chosen, on=today, unit_ids=None if may_see_all else visibility.unit_ids),
        "identities": chosen.identities.order_by("kind", "provider", "value"),
        "is_there": Person.objects.filter(pk=chosen.pk).there_on(today).exists(),
        "is_admin": request.user.is_superuser,
    }
    return render(request, "orgtree/person.html", context)
