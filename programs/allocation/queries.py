"""Allocation rules that a viewer may see, as the page, the CSV file and the API list them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from core.columns import columns_of
from core.csv_export import Cell
from core.list_filters import ViewerFilters
from integrations.models import AllocationRule
from integrations.models.allocation import TERMS
from orgtree.access.access import Access
from orgtree.models import UnitPlacement
from programs.requests.visible import UnitFilter

WRITTEN = ("category", "unit", "rank", *TERMS)
COLUMNS = columns_of(AllocationRule, *WRITTEN)


class RuleFilters(ViewerFilters):
    """Rules by unit, in the order in which they are tried."""

    unit = UnitFilter(selects="of_unit", help_text="Slug: the rules that apply to its people.")

    def visible(self, access: Access) -> QuerySet[AllocationRule]:
        seen = AllocationRule.objects.within(access.visibility).select_related("category", "unit")
        return seen.order_by("unit__name", "rank", "pk")

    def of_unit(self, rules: QuerySet[AllocationRule], slug: str) -> QuerySet[AllocationRule]:
        """The rules of the unit, of the units above it and of the organisation."""
        above = UnitPlacement.objects.filter(unit__slug=slug, during__contains=self.today)
        return rules.filter(Q(unit=None) | Q(unit__slug=slug) | Q(unit__in=above.values("ancestor")))


def visible_rule(pk: int, access: Access) -> AllocationRule:
    """A rule with its category and unit.  Raises Http404 for an unknown or hidden rule."""
    seen = AllocationRule.objects.within(access.visibility).select_related("category", "unit")
    return get_object_or_404(seen, pk=pk)


def rule_rows(rules: Iterable[AllocationRule], _access: Any = None) -> Iterator[list[Cell]]:
    """The rows of the CSV file, header first."""
    yield [column.label for column in COLUMNS]
    for rule in rules:
        terms = [", ".join(getattr(rule, name)) for name in TERMS]
        yield [rule.category.name, rule.unit.slug if rule.unit else "", rule.rank, *terms]
