"""The shape in which facts are published to the metric engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from integrations.models import FactFamily


@dataclass(frozen=True)
class Relation:
    """A SELECT with documented columns.

    `day` names its column of type date (local calendar) that puts a row into a bucket, `person` the column that
    places it in units (null: unmatched), and `fact` the column that identifies one fact among the rows.
    Where `owner` names a column, the id of an `Owned`, that places the row instead: it counts for the unit that owned
    on that day what it ran on (docs/ownership.md).
    The text has no parameters and ends without a semicolon: the engine wraps it as a subquery, so that the planner
    can push the window's conditions into it.

    `family` names the facts that, when they change, change its rows.  `open_as_in_tools` says that its rows tell of a
    person no more than the tools that they come from show everybody.
    """

    name: str
    sql: LiteralString
    day: str
    person: str
    fact: str
    columns: frozenset[str]
    family: FactFamily = FactFamily.AI
    open_as_in_tools: bool = False
    fact_is_row: bool = False  # each fact is exactly one row: counting rows counts facts
    owner: str = ""

    @property
    def placed_by(self) -> str:
        """The column that places its rows in units."""
        return self.owner or self.person
