"""The shape in which facts are published to the metric engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True)
class Relation:
    """A SELECT with documented columns.

    `day` names its column of type date (local calendar) that puts a row into a bucket, `person` the column that
    places it in units (null: unmatched), and `fact` the column that identifies one fact among the rows.
    The text has no parameters and ends without a semicolon: the engine wraps it as a subquery, so that the planner
    can push the window's conditions into it.
    """

    name: str
    sql: LiteralString
    day: str
    person: str
    fact: str
    columns: frozenset[str]
    fact_is_row: bool = False  # each fact is exactly one row: counting rows counts facts
