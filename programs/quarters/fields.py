"""The quarter of what is written."""

from __future__ import annotations

from datetime import date

from core.write_errors import FieldError
from insights.query import windows
from programs.models import Quarter
from programs.quarters.fiscal_quarters import quarter_at
from programs.requests.fields import day
from programs.requests.model_fields import NamedField


class QuarterField(NamedField):
    """A quarter, given by a date in it; defaults to the current one, or to that of the record being changed."""

    def find(self, name: str) -> Quarter:
        stored: Quarter | None = getattr(self.parent.instance, "quarter", None)
        return stored if stored and not name else quarter_at(self.day_of(name))

    def name_of(self, value: Quarter) -> str:
        return value.start.isoformat()

    def day_of(self, name: str) -> date:
        """Raises FieldError for a day whose quarter cannot be chosen."""
        return day_to_write_for(name)


def day_to_write_for(word: str) -> date:
    """A day of the quarter that is named, or today.  Raises FieldError for one that is far from today."""
    today = windows.local_today()
    day_shown = day("quarter", word) or today
    if abs(day_shown.year - today.year) > 1:
        raise FieldError("quarter", "Objectives are written for quarters of last year, this one and the next.")
    return day_shown
