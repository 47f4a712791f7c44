"""The unit whose benchmarks a page shows, and the scope of the values next to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.page_links import url_with
from insights.privacy.scope_access import access_in, has_scope
from insights.query.query import Scope
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.trees.surroundings import Surroundings
from programs.benchmarks.queries.benchmarks import unit_of_scope


@dataclass(frozen=True)
class Subject:
    """`unit` is the one whose benchmarks are shown; None for the whole organisation.

    `scope` is the one whose values are shown; None if there are none to show, because nobody's own data are compared
    with a benchmark.
    """

    access: Access
    filters: Filters
    around: Surroundings
    unit: Unit | None
    scope: Scope | None

    @property
    def unit_id(self) -> int | None:
        return self.unit.pk if self.unit else None

    @property
    def slug(self) -> str:
        return self.unit.slug if self.unit else ""

    @property
    def is_plain(self) -> bool:
        """Whether it is a whole unit or the whole organisation, rather than a part of either."""
        scope = self.filters.scope
        return scope.person_id is None and scope.unassigned is None and not scope.where and self.scope is not None

    @property
    def may_agree(self) -> bool:
        return self.is_plain and self.access.visibility.leads(self.unit_id)

    @property
    def name(self) -> str:
        return self.unit.name if self.unit else "the whole organisation"

    def url(self, route: str, *args: Any, **more: str) -> str:
        """The URL of another page about the same unit."""
        return url_with(reverse(route, args=args), {"unit": self.slug, **more})

    def bar(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        """The context of the scope bar's template."""
        return {
            "scope": scope_bar(self.filters, self.around, {}, path, extra_params=params),
            "whose": scope_words(self.filters, self.around),
        }


def subject_in(request: HttpRequest) -> Subject:
    """The unit that the request names.  Raises QueryError, UnknownUnitError."""
    access = access_in(request)
    filters = filters_of(request, facets=())
    around = scope_navigation(request, filters)
    has_figures = filters.scope.person_id is None and has_scope(filters.scope, access)
    return Subject(
        access=access,
        filters=filters,
        around=around,
        unit=unit_of_scope(filters.scope.unit),
        scope=filters.scope if has_figures else None,
    )
