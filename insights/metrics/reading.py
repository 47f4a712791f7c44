"""One question to one relation: the unit in which facts are read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

from insights.metrics.query import Dimension
from integrations.facts.relation import Relation


class Placed(enum.Enum):
    """Whose facts are read."""

    ANYBODY = "the whole organisation"
    UNIT = "one unit"
    EVERY_UNIT = "every unit at once"
    PERSON = "one person"


@dataclass(frozen=True)
class Reading:
    """What one statement reads.

    `edges` are the n + 1 borders of n adjoining buckets (for a stock: the n ends at which people are counted);
    `unit_or_person` is the id that `placed` asks for; `settled_before` parts spend into pending and unknown.
    """

    relation: Relation
    edges: tuple[date, ...]
    placed: Placed = Placed.ANYBODY
    unit_or_person: int | None = None
    facets: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()
    segments: tuple[Dimension, ...] = ()
    settled_before: datetime | None = None
    model_picks_facts: bool = False  # the rows name no model: the facet picks the sessions that used it
