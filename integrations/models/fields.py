"""Column types that Django lacks."""

from __future__ import annotations

from typing import Any

from django.db import models


class TimeRangesField(models.Field[Any, Any]):
    """Disjoint ranges of time, in order: PostgreSQL's tstzmultirange.  Written by SQL only."""

    description = "Disjoint ranges of time"

    def db_type(self, connection: Any) -> str:
        return "tstzmultirange"


class DayRangesField(models.Field[Any, Any]):
    """Disjoint ranges of days, in order: PostgreSQL's datemultirange.  Written by SQL only."""

    description = "Disjoint ranges of days"

    def db_type(self, connection: Any) -> str:
        return "datemultirange"
