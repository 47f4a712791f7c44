"""An account's alert rules, their filters and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import django_filters
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from core.columns import columns_of
from core.csv_export import Cell
from core.list_filters import ViewerFilters
from orgtree.access.access import Access
from programs.models import AlertRule

STATES = (("firing", "Firing"), ("quiet", "Quiet"))
FILE = columns_of(
    AlertRule,
    *("id", "metric", "unit", "days", "is_above", "limit", "margin", "firing_since", "fired"),
    labels={"id": "Number", "unit": "Unit"},
)


class AlertRuleFilters(ViewerFilters):
    """The viewer's own rules, filtered by metric, on units whose figures they may see."""

    state = django_filters.ChoiceFilter(label="State", method="of_state", empty_label="All", choices=STATES)
    metric = django_filters.CharFilter(help_text="Key of the metric.")

    def visible(self, access: Access) -> QuerySet[AlertRule]:
        return rules_of(access)

    def of_state(self, rules: QuerySet[AlertRule], _name: str, state: str) -> QuerySet[AlertRule]:
        is_quiet = Q(firing_since=None)
        return rules.filter(is_quiet if state == "quiet" else ~is_quiet)


def rules_of(access: Access) -> QuerySet[AlertRule]:
    """The alert rules of the viewer's account; empty for a token without one."""
    if not isinstance(access.viewer, User):
        return AlertRule.objects.none()
    own = AlertRule.objects.filter(account=access.viewer).within(access.visibility)
    return own.select_related("unit").order_by("metric", "pk")


def visible_rule(pk: int, access: Access) -> AlertRule:
    """A rule of the viewer's account.  Raises Http404 for any other."""
    return get_object_or_404(rules_of(access), pk=pk)


def rule_rows(rules: QuerySet[AlertRule], _access: Access) -> Iterator[Sequence[Cell]]:
    """The rows of the CSV file, header first."""
    yield [column.label for column in FILE]
    for rule in rules:
        yield FILE.row(rule, {"unit": lambda one: one.unit.slug if one.unit else ""})
