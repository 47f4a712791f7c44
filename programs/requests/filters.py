"""Filters that lists of several features share."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet

from insights.query.errors import UnknownUnitError
from orgtree.models import Unit, UnitPlacement


class UnitFilter(django_filters.CharFilter):  # type: ignore[misc]  # not typed
    """Records of a unit, by its slug, and of all units below it today; of `ViewerFilters`."""

    def __init__(self, *, field_name: str = "unit", **kwargs: Any) -> None:
        super().__init__(field_name=field_name, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Raises UnknownUnitError, also for a unit that the viewer may not know of."""
        if not value:
            return qs
        if not Unit.objects.within(self.parent.access.visibility).filter(slug=value).exists():
            raise UnknownUnitError(value)
        below = UnitPlacement.objects.filter(ancestor__slug=value, during__contains=self.parent.today)
        return qs.filter(**{f"{self.field_name}__in": below.values("unit")})
