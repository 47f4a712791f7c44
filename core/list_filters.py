"""Filters of a list, declared once as a FilterSet for its page, its CSV file and the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import django_filters
from django import forms
from django.db.models import F, QuerySet
from drf_spectacular.utils import OpenApiParameter

from core.columns import Columns
from core.write_errors import FieldError

LARGEST_ID = 2**31 - 1


class NumberFilter(django_filters.Filter):  # type: ignore[misc]  # not typed
    """The number of a record."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, **kwargs)


class CheckedFilter(django_filters.CharFilter):  # type: ignore[misc]  # as above
    """A filter whose value the viewer must be allowed to name; its `parent` knows their access."""

    def check(self, value: str) -> None:
        """Refuse a value that does not exist for the viewer."""
        raise NotImplementedError


class YesFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # as above
    """`yes`, or omitted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, choices=[("yes", "Yes")], **kwargs)


class _RepeatedField(forms.Field):
    widget = forms.MultipleHiddenInput


class RepeatedFilter(django_filters.Filter):  # type: ignore[misc]  # as above
    """A parameter that may be repeated; its method gets the list of values."""

    field_class = _RepeatedField


class SortFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # as above
    """Sorts by one of the sortable columns, in descending order after a minus sign; empty values come last.

    `leading` maps a column's parameter to an expression that is sorted by first, in either direction.
    """

    def __init__(self, columns: Columns, *, default: str, leading: Mapping[str, Any] | None = None) -> None:
        self.columns, self.default, self.leading = columns, default, leading or {}
        words = [*columns.sorts, *(f"-{word}" for word in columns.sorts)]
        super().__init__(choices=[(word, word) for word in words])

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        word = (value or self.default).removeprefix("-")
        column = F(self.columns.sorts[word].order_by)
        is_descending = (value or "").startswith("-")
        order = column.desc(nulls_last=True) if is_descending else column.asc(nulls_last=True)
        leading = [self.leading[word]] if word in self.leading else []
        return qs.order_by(*leading, order, "pk")


class ListFilters(django_filters.FilterSet):  # type: ignore[misc]  # as above
    """`data` are the parameters of a URL, or filters that a service sets itself."""

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Values by parameter; None or "" for omitted ones.  Raises FieldError."""
        for name, errors in self.form.errors.as_data().items():
            raise FieldError(name, self._message(name) or "; ".join(errors[0].messages))
        cleaned: Mapping[str, Any] = self.form.cleaned_data
        return cleaned

    @property
    def qs(self) -> QuerySet[Any]:
        """The filtered records.  Raises FieldError."""
        queryset: QuerySet[Any] = self.queryset
        for name, value in self.chosen.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset

    @classmethod
    def pickers(cls, *with_default: str) -> Mapping[str, Mapping[str, str]]:
        """Values and labels of choices by parameter: of those with a label for *all* (`empty_label`) or a default."""
        choices = {}
        for name, filter_ in cls.base_filters.items():
            everything = filter_.extra.get("empty_label")
            if isinstance(everything, str) or name in with_default:
                choices[name] = {**({"": everything} if everything else {}), **dict(filter_.extra["choices"])}
        return choices

    def _message(self, name: str) -> str:
        field = self.form.fields[name]
        if isinstance(self.base_filters[name], django_filters.ChoiceFilter):
            return f"One of: {', '.join(str(value) for value, _ in self.base_filters[name].extra['choices'])}."
        if isinstance(field, forms.DateField):
            return "It must be a day such as 2026-07-01."
        return "It must be a whole number." if isinstance(field, forms.IntegerField) else ""


class ViewerFilters(ListFilters):
    """Filters of the records that a viewer may see, on a day."""

    def __init__(self, data: Mapping[str, Any], access: Any, *, today: date) -> None:
        self.access, self.today = access, today
        super().__init__(data, self.visible(access))

    @classmethod
    def of_request(cls, data: Mapping[str, Any], access: Any, *, today: date) -> Self:
        """The filters that a request specifies.  Raises the filter's error if the viewer may not name its value."""
        filters = cls(data, access, today=today)
        for name, filter_ in filters.filters.items():
            if isinstance(filter_, CheckedFilter) and data.get(name):
                filter_.check(data[name])
        return filters

    def visible(self, access: Any) -> QuerySet[Any]:
        """All records that the viewer may see, in order, with the related data that lists show."""
        raise NotImplementedError


def filter_parameters(filters: type[ListFilters]) -> list[OpenApiParameter]:
    """The filters as parameters of the OpenAPI document."""
    return [
        OpenApiParameter(
            name,
            int if isinstance(filter_, NumberFilter) else str,
            enum=[value for value, _ in filter_.extra.get("choices", ())] or None,
            description=filter_.extra.get("help_text", ""),
            many=isinstance(filter_, RepeatedFilter),
            explode=True if isinstance(filter_, RepeatedFilter) else None,
        )
        for name, filter_ in filters.base_filters.items()
    ]
