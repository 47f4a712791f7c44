"""Column types that Django does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field  # generic for the type checker only


class TimeRangesField(_Field):
    """Disjoint ranges of time, in order: PostgreSQL's tstzmultirange.  Written by SQL only."""

    description = "Disjoint ranges of time"

    def db_type(self, connection: Any) -> str:
        return "tstzmultirange"


class DayRangesField(_Field):
    """Disjoint ranges of days, in order: PostgreSQL's datemultirange.  Written by SQL only."""

    description = "Disjoint ranges of days"

    def db_type(self, connection: Any) -> str:
        return "datemultirange"
