"""The relations by which facts are published to the metric engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import LiteralString

from integrations.models import FactFamily


@dataclass(frozen=True)
class Stock:
    """Marks a relation as a stock: rows are counted at the end of a day, instead of events on it.

    `days` is the relation's column with the days (datemultirange) at whose end the row is in stock.  A row counts in a
    window if it is in stock at the end of the window's last day, or today if that is earlier; it is placed in the unit
    of its person or owner on that day.  The engine provides that day as the column `standing_on`, which the relation
    names as its `day`, and `columns`: further columns by name, each an expression over `source`, the row, and
    `standing.day`.

    A stock is then measured like any relation:

        OPEN_THINGS = Relation(day="standing_on", stock=Stock("open_days", (("age_seconds", AGE),)), …)
        open_things = Facts(OPEN_THINGS)
        their_age = Distribution(OPEN_THINGS, column="age_seconds")

    where AGE may be "(standing.day - source.opened_on) * 86400.0": whole days of the local calendar.
    """

    days: str
    columns: tuple[tuple[str, LiteralString], ...] = ()


STOCK_DAY = "standing_on"
# The half-open range of days on which a row is in stock: provided by the engine beside the stock's own columns.
STOCK_FROM, STOCK_UNTIL = "standing_from", "standing_until"
# Columns of a relation with credited_to_owner.
REPOSITORY_ID, IS_AUTONOMOUS = "repository_id", "is_autonomous"


@dataclass(frozen=True)
class Kinds:
    """A sum whose kinds are columns of their own, and the dimension that distinguishes them: `columns` by its values.

    Split or filtered by the dimension, a row counts once for each kind, with that column in place of the sum.
    """

    dimension: str
    sum: str
    columns: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Relation:
    """A SELECT with documented columns.

    `day` names its column of type date (local calendar) that puts a row into a bucket, `person` the column that places
    it in units (null: unmatched), and `fact` the column that identifies one fact among the rows. If `owner` names a
    column with the id of an `Owned`, that places the row instead: it counts for the unit that owned the object on that
    day (docs/ownership.md).  With `credited_to_owner`, rows of autonomous agents count for the owner of their
    repository, by the columns `repository_id` and `is_autonomous` (docs/decisions/0023). If `unit` names a column with
    the id of a unit (null: the whole organisation), the row counts for exactly that scope, and for none above or below
    it. `part`, if given, is the column with the id of the part if a fact has several rows, which are then described
    instead of the fact: the files of a commit, the deployments of a day. `people` names a column with the ids (as text,
    separated by commas, empty for none) of the people whose data a row is, if they differ from the person who places
    it: they are counted as the people of a value.  Read for a person, only rows of that person alone count.  Such a
    relation has one row for each fact. With `stock`, rows are not events but last for a while: `day` is then the last
    day of the query's window. The SQL has no parameters and ends without a semicolon: the engine wraps it as a
    subquery, so that the planner can push the window's conditions into it.

    `finer` relations have further columns, by which their rows are split: a measure is read from the first of them that
    has the columns that the relation lacks.  `detail` is the one whose rows are shown, if they are finer.

    A change of facts of `family`, or of one in `also`, changes its rows; sources of the latter need not be connected.
    `teams_only`: its figures are of teams of at least the minimum group size, and of nobody alone, whatever the policy.
    `open_as_in_tools`: its rows reveal no more about a person than the source tools show everybody.
    """

    name: str
    sql: LiteralString
    fact: str
    day: str = "day"
    person: str = "person_id"
    family: FactFamily = FactFamily.AI
    also: frozenset[FactFamily] = frozenset()
    open_as_in_tools: bool = False
    teams_only: bool = False
    fact_is_row: bool = False  # each fact is exactly one row: counting rows counts facts
    shared_facts: bool = False  # a fact may have rows of several people or owners, but counts once
    owner: str = ""
    unit: str = ""
    part: str = ""
    people: str = ""
    credited_to_owner: bool = False
    stock: Stock | None = None
    finer: tuple[Relation, ...] = field(default=(), hash=False)
    detail: Relation | None = field(default=None, hash=False)
    kinds: Kinds | None = field(default=None, hash=False)

    def split_by(self, *columns: str, sql: LiteralString) -> Relation:
        """The relation with a finer one, `<name>_by_<columns>`, with a row for each value of these columns."""
        name = f"{self.name}_by_{'_and_'.join(columns)}"
        return replace(self, finer=(*self.finer, replace(self, name=name, sql=sql, fact_is_row=False, finer=())))

    @property
    def with_finer(self) -> tuple[Relation, ...]:
        """All relations that are read in its place, itself included."""
        return (self, *self.finer, *([self.detail] if self.detail else []))

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of its columns, those of a stock and the dimension of kinds included."""
        of_stock = (STOCK_DAY, *(name for name, _ in self.stock.columns)) if self.stock else ()
        return frozenset((*_selected(self.sql), *of_stock, *([self.kinds.dimension] if self.kinds else [])))

    @property
    def placed_by(self) -> str:
        """The column that places its rows in units."""
        return self.unit or self.owner or self.person

    @property
    def gathered_by(self) -> str:
        """The column by which its rows are gathered before facts are counted: all rows of a fact have the same."""
        return self.fact if self.shared_facts or self.unit else self.placed_by


def _selected(statement: str) -> list[str]:
    """The names of the columns that a statement's first SELECT returns: the last word of each.

    Commas and FROM inside parentheses and quotes belong to an expression.
    """
    names, last_word, depth = [], "", 0
    for word in re.findall(r"'[^']*'|\w+|[(),]", statement):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in (",", "FROM"):
            names.append(last_word)
        if depth == 0 and word == "FROM":
            break
        last_word = word
    return names
