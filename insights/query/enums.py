"""Enumerations used in metric declarations."""

from __future__ import annotations

import enum

from integrations.enums import Better, UnitOfMeasure

__all__ = ["BelongsTo", "Better", "Category", "Initiative", "SpaceDimension", "UnitOfMeasure"]


class BelongsTo(enum.StrEnum):
    """The unit that a fact counts for: its author's at that time, the one that owns the service or repository, or
    exactly the one that it was entered for.
    """

    PERSON = "person"
    OWNER = "owner"
    UNIT = "unit"


class Category(enum.StrEnum):
    EFFICIENCY = "efficiency"
    QUALITY = "quality"
    HYGIENE = "hygiene"
    PLANNING = "planning"
    ALLOCATION = "allocation"
    CAPACITY = "capacity"
    AI = "ai"
    DORA = "dora"
    BY_HAND = "entered by hand"


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
