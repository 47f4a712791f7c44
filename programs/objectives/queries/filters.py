"""Filters of lists of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import Count, F, Q, QuerySet

from core.list_filters import NumberFilter, ViewerFilters, YesFilter
from orgtree.access.access import Access
from orgtree.models import UnitPlacement
from programs.models import Objective, ObjectiveStatus, Quarter
from programs.objectives.queries.objectives import shown_status
from programs.requests.visible import UnitFilter, check_is_of_account


class ObjectiveFilters(ViewerFilters):
    """The objectives of a quarter that the viewer may see and that match the filters, with quarter, unit, owner and
    measure.

    Only published ones unless drafts are requested; the mandatory one of each unit comes first.
    """

    quarter = django_filters.DateFilter(
        method="as_they_are",
        input_formats=["%Y-%m-%d"],
        help_text="Any date in the quarter (2026-08-01); default: the current one.",
    )
    unit = UnitFilter(selects="of_unit", help_text="Slug: its objectives and those of all below it.")
    teams = YesFilter(method="of_teams", help_text="Only units that you manage.")
    mine = YesFilter(method="own", help_text="Yours.")
    standing = django_filters.ChoiceFilter(method="with_status", choices=ObjectiveStatus.choices)
    owner = django_filters.CharFilter(method="of_owner", help_text="E-mail address.")
    parent = NumberFilter(method="serving", help_text="Number of an objective: objectives that serve it.")
    q = django_filters.CharFilter(method="with_text", help_text="Text in title, the unit's or the owner's name.")
    drafts = YesFilter(method="as_they_are", help_text="Drafts that one may see, and nothing else.")
    dropped = YesFilter(method="as_they_are", help_text="Include dropped objectives.")

    def visible(self, access: Access) -> QuerySet[Objective]:
        objectives = Objective.objects.within(access.visibility).select_related("quarter", "unit", "owner", "measure")
        return objectives.order_by(F("unit").asc(nulls_first=True), "-is_mandatory", "pk")

    @classmethod
    def of_quarter(
        cls, quarter: Quarter | None, data: Mapping[str, Any], access: Access, *, today: date
    ) -> ObjectiveFilters:
        """The filters, with a quarter that overrides the data's."""
        filters = cls(data, access, today=today)
        filters.in_quarter = quarter
        return filters

    @cached_property
    def in_quarter(self) -> Quarter | None:
        """The quarter to filter by; None if it is not stored yet, and reading does not store it.  Raises FieldError."""
        return quarter_of_day(self.chosen["quarter"] or self.today)

    @property
    def qs(self) -> QuerySet[Objective]:
        chosen, quarter = self.chosen, self.in_quarter
        if quarter is None:
            return Objective.objects.none()
        objectives = super().qs.filter(quarter=quarter, published_at__isnull=bool(chosen["drafts"]))
        return objectives if chosen["dropped"] else objectives.filter(dropped_at=None)

    def count_by_status(self, *ignored: str) -> Mapping[str, int]:
        """Counts objectives by the status shown to this viewer, without the status filter and those in `ignored`."""
        data = {name: value for name, value in self.data.items() if name not in ("standing", *ignored)}
        everything = ObjectiveFilters.of_quarter(self.in_quarter, data, self.access, today=self.today).qs.order_by()
        counted = everything.annotate(shown=shown_status(self.access)).values("shown").annotate(number=Count("pk"))
        return {row["shown"]: row["number"] for row in counted}

    def as_they_are(self, objectives: QuerySet[Objective], _name: str, _value: object) -> QuerySet[Objective]:
        return objectives

    def of_unit(self, objectives: QuerySet[Objective], slug: str) -> QuerySet[Objective]:
        """Filters by a unit and all units below it as of today, or as of the last day of a past quarter."""
        day = min(self.today, self.in_quarter.window.last_day) if self.in_quarter else self.today
        below = UnitPlacement.objects.filter(ancestor__slug=slug, during__contains=day)
        return objectives.filter(unit__in=below.values_list("unit", flat=True))

    def of_teams(self, objectives: QuerySet[Objective], _name: str, _yes: str) -> QuerySet[Objective]:
        return objectives.filter(unit__in=self.access.visibility.managed_ids)

    def own(self, objectives: QuerySet[Objective], _name: str, _yes: str) -> QuerySet[Objective]:
        person = self.access.visibility.person_id
        return objectives.none() if person is None else objectives.filter(owner=person)

    def with_status(self, objectives: QuerySet[Objective], _name: str, status: str) -> QuerySet[Objective]:
        return objectives.annotate(shown=shown_status(self.access)).filter(shown=status)

    def of_owner(self, objectives: QuerySet[Objective], _name: str, address: str) -> QuerySet[Objective]:
        check_is_of_account(self.access)
        return objectives.filter(owner__email__iexact=address)

    def serving(self, objectives: QuerySet[Objective], _name: str, number: int) -> QuerySet[Objective]:
        return objectives.filter(parent__in=Objective.objects.within(self.access.visibility).filter(pk=number))

    def with_text(self, objectives: QuerySet[Objective], _name: str, text: str) -> QuerySet[Objective]:
        of_owner = Q(owner__full_name__icontains=text) if self.access.is_of_account else Q()
        return objectives.filter(Q(title__icontains=text) | Q(unit__name__icontains=text) | of_owner)


def quarter_of_day(day: date) -> Quarter | None:
    return Quarter.objects.filter(start__lte=day, end__gt=day).first()
