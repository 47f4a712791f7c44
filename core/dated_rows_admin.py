"""Django admin for rows that are valid for a date range."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.contrib.postgres.fields import DateRangeField
from django.contrib.postgres.forms import DateRangeField as DateRangeFormField
from django.contrib.postgres.forms import RangeWidget
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Field
from django.forms import BaseInlineFormSet


def date_range_in_words(start: date | None, end: date | None) -> str:
    """`end` is exclusive."""
    if start is None:
        return "always" if end is None else f"until {end}"
    return f"from {start}" if end is None else f"{start} – {end}"


class DaysField(DateRangeFormField):
    """Start and end, both optional: an empty one leaves the range open."""

    def clean(self, value: Any) -> Any:
        return super().clean(value) if any(value or ()) else DateRange(None, None)


DAYS_WIDGET: dict[type[Field[Any, Any]], dict[str, Any]] = {
    DateRangeField: {"form_class": DaysField, "widget": RangeWidget(AdminDateWidget(format="%Y-%m-%d"))}
}


class NoOverlapFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Refuses rows with the same key (`key_fields`) whose date ranges overlap."""

    key_fields: tuple[str, ...] = ()

    def clean(self) -> None:
        super().clean()
        ranges_by_key: dict[tuple[Any, ...], list[DateRange]] = {}
        for row in self.rows_to_store():
            ranges_by_key.setdefault(tuple(row.get(name) for name in self.key_fields), []).append(row["during"])
        for days in ranges_by_key.values():
            days.sort(key=lambda date_range: date_range.lower or date.min)
            for earlier, later in pairwise(days):
                if earlier.upper is None or later.lower is None or later.lower < earlier.upper:
                    raise ValidationError(
                        f"{words_of(earlier)} and {words_of(later)} overlap. End the first before the second begins: "
                        "the end is the first day that no longer belongs to it."
                    )

    def rows_to_store(self) -> list[dict[str, Any]]:
        """The cleaned data of the rows that will be stored."""
        return [
            form.cleaned_data
            for form in self.forms
            if getattr(form, "cleaned_data", None)
            and form.cleaned_data.get("during") is not None
            and not form.cleaned_data.get("DELETE")
        ]


def words_of(days: DateRange) -> str:
    """A date range as text."""
    return date_range_in_words(days.lower, days.upper)


@admin.display(description="days", ordering="during")
def days(row: Any) -> str:
    """The column of a list with the rows' date ranges."""
    return words_of(row.during)
