"""The shape in which facts are published to the metric engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from integrations.models import FactFamily


@dataclass(frozen=True)
class Stock:
    """How rows stand: what is counted at the end of a day, instead of what happened on it.

    `days` is the relation's column with the days (datemultirange) at whose end the row stands.  A row counts in a
    window where it stands at the end of its last day, or today, if that comes earlier; it is placed in the unit of its
    person, or owner, on that day.  The engine gives it that day as the column `standing_on`, which the relation names
    as its `day`, and with it `columns`: further columns by name, each an expression over `source`, the row, and
    `standing.day`.  All of them stand in the relation's `columns`.

    So a stock is measured as anything else is:

        OPEN_THINGS = Relation(day="standing_on", stock=Stock("open_days", (("age_seconds", AGE),)), …)
        open_things = Facts(OPEN_THINGS)
        their_age = Distribution(OPEN_THINGS, column="age_seconds")

    where AGE may be "(standing.day - source.opened_on) * 86400.0": whole days of the local calendar.
    """

    days: str
    columns: tuple[tuple[str, LiteralString], ...] = ()


STANDING_ON = "standing_on"
# The range of days, without the last, on which a row stands: what the engine finds beside a stock's own columns.
STANDING_FROM, STANDING_UNTIL = "standing_from", "standing_until"
# Of a relation that falls to owners.
REPOSITORY_ID, IS_AUTONOMOUS = "repository_id", "is_autonomous"
OF_AGENTS = frozenset({REPOSITORY_ID, IS_AUTONOMOUS})


@dataclass(frozen=True)
class Relation:
    """A SELECT with documented columns.

    `day` names its column of type date (local calendar) that puts a row into a bucket, `person` the column that
    places it in units (null: unmatched), and `fact` the column that identifies one fact among the rows.
    Where `owner` names a column, the id of an `Owned`, that places the row instead: it counts for the unit that owned
    on that day what it ran on (docs/ownership.md).  `falls_to_owners` says that a row without a person counts for the
    owner of its repository where it is an autonomous agent's: the columns `repository_id` and `is_autonomous` say so
    (docs/decisions/0023).
    `part`, where given, is the column with the id of what a row is of where a fact has several, which are described in
    place of it: the files of a commit, the deployments of a day.
    Where `stock` is given, rows are no events but stand for a while: `day` is the last day of the window that asks.
    The text has no parameters and ends without a semicolon: the engine wraps it as a subquery, so that the planner
    can push the window's conditions into it.

    `family` names the facts that, when they change, change its rows, `also` further ones, of which no source need be
    connected.  `open_as_in_tools` says that its rows tell of a person no more than the tools that they come from show
    everybody.
    """

    name: str
    sql: LiteralString
    day: str
    person: str
    fact: str
    columns: frozenset[str]
    family: FactFamily = FactFamily.AI
    also: frozenset[FactFamily] = frozenset()
    open_as_in_tools: bool = False
    fact_is_row: bool = False  # each fact is exactly one row: counting rows counts facts
    shared_facts: bool = False  # a fact may have rows of several people or owners, and counts once all the same
    owner: str = ""
    part: str = ""
    falls_to_owners: bool = False
    stock: Stock | None = None

    @property
    def placed_by(self) -> str:
        """The column that places its rows in units."""
        return self.owner or self.person

    @property
    def gathered_by(self) -> str:
        """The column by which its rows are gathered before facts are counted: all rows of a fact have the same."""
        return self.fact if self.shared_facts else self.placed_by
