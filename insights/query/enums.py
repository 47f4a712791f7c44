"""Enumerations used in metric declarations."""

from __future__ import annotations

import enum


class UnitOfMeasure(enum.StrEnum):
    SECONDS = "seconds"
    PERCENT = "percent"  # 0–100
    COUNT = "count"
    PER_DAY = "per_day"
    LINES = "lines"
    TOKENS = "tokens"
    CURRENCY = "currency"  # US dollars


class Better(enum.StrEnum):
    """Which direction is an improvement."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class BelongsTo(enum.StrEnum):
    """Which unit a fact counts for: its author's at that time, or the one that owns the service or repository."""

    PERSON = "person"
    OWNER = "owner"


class Category(enum.StrEnum):
    EFFICIENCY = "efficiency"
    QUALITY = "quality"
    HYGIENE = "hygiene"
    PLANNING = "planning"
    ALLOCATION = "allocation"
    CAPACITY = "capacity"
    AI = "ai"
    DORA = "dora"


class Initiative(enum.StrEnum):
    ENGINEERING_EXCELLENCE = "engineering excellence"
    BUSINESS_ALIGNMENT = "business alignment"


class SpaceDimension(enum.StrEnum):
    """The five dimensions of the SPACE framework.  https://queue.acm.org/detail.cfm?id=3454124"""

    SATISFACTION = "satisfaction"
    PERFORMANCE = "performance"
    ACTIVITY = "activity"
    COMMUNICATION = "communication"
    EFFICIENCY = "efficiency"
