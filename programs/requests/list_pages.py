"""Lists and forms of the program as pages, limited to what the viewer may see and to the page's unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from core.form_page import FormPage
from core.list_filters import ViewerFilters
from core.list_page import ListPage
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from orgtree.access.access import Access
from orgtree.trees.search import units_of_same_people


class ProgramForm(FormPage):
    @cached_property
    def access(self) -> Access:
        return access_in(self.request)


class ProgramList(ListPage):
    @cached_property
    def access(self) -> Access:
        return access_in(self.request)

    @property
    def today(self) -> date:
        return windows.local_today()


class UnitList(ProgramList):
    """A list with the scope bar: records of a unit and of all units below it."""

    context_names = ("unit",)
    of_any_unit: ClassVar[Sequence[str]] = ()  # filters across units, such as the viewer's own records

    @cached_property
    def scope(self) -> Filters:
        """The filters of the request.  Raises QueryError."""
        return filters_of(self.request, facets=())

    @property
    def unit(self) -> str:
        """The slug of the list's unit; empty for all."""
        return self.scope.scope.unit or ""

    @property
    def context_params(self) -> Sequence[tuple[str, str]]:
        return self.scope.scope_parameters()

    def narrowed_by(self, **changed: str) -> ViewerFilters:
        unit = "" if any(name in self.params for name in self.of_any_unit) else self.unit
        return super().narrowed_by(**{"unit": unit, **changed})

    def context(self) -> dict[str, Any]:
        around = scope_navigation(self.request, self.scope)
        context = super().context()
        return {
            "scope": scope_bar(self.scope, around, {}, self.request.path, extra_params=self.params),
            "whose": scope_words(self.scope, around),
            "elsewhere": [] if context.get("rows") else self.elsewhere(),
            **context,
        }

    def elsewhere(self) -> list[Elsewhere]:
        """Units of the same people that have records, while this unit has none."""
        if any(name in self.params for name in self.of_any_unit):
            return []
        return records_elsewhere(self.scope, self.count_in, lambda slug: self.url(unit=slug))

    def count_in(self, unit: str) -> int:
        """The number of records that the list would have for the unit."""
        return self.narrowed_by(unit=unit).qs.count()


@dataclass(frozen=True)
class Elsewhere:
    """A unit of the same people in another tree, with its number of records and the link to their list."""

    name: str
    location: str
    number: int
    url: str


def records_elsewhere(filters: Filters, count: Callable[[str], int], url: Callable[[str], str]) -> list[Elsewhere]:
    """Units of the same people as the scope's that have records; `count` and `url` take a unit's slug."""
    slug = filters.scope.unit
    if not slug:
        return []
    units = units_of_same_people(slug, filters.access.visibility, on=filters.today)
    return [
        Elsewhere(unit.name, unit.location, number, url(unit.slug)) for unit in units if (number := count(unit.slug))
    ]
