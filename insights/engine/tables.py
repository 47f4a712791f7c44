"""Memberships, places, ownership and attributes as small DuckDB tables that statements join, loaded once per version,
and tables of results that further statements read.

A version identifies what the current transaction sees: transactions that see different rows have separate tables.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from insights.engine import database
from insights.engine.live_rows import Rows
from integrations.facts.ownership import OWNER_PLACEMENTS, REPOSITORY_PLACEMENTS
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    import duckdb

BEFORE_VALUE = "\0"  # a character that no value in PostgreSQL contains
FIRST_DAY, END_DAY = "0001-01-01", "9999-12-31"  # for ranges without a start or an end
VERSIONS = 6  # versions to keep of each table, and for places of how many sets of units
MOST_RESULT_ROWS = 20_000  # in cached results, besides the one used last
_PLACEMENT = {"id": "BIGINT", "tree_id": "BIGINT", "unit_id": "BIGINT", "first_day": "DATE", "end_day": "DATE"}


@dataclass(frozen=True)
class Table:
    """A table loaded by `sql`, whose range column `during` becomes first_day and end_day.

    `of` are the PostgreSQL tables that its rows depend on.
    """

    name: str
    sql: LiteralString
    columns: Mapping[str, str]
    of: Sequence[str]

    def create(self, opened: duckdb.DuckDBPyConnection, name: str, rows: Rows) -> None:
        with Rows() as copies:
            opened.execute(f"CREATE TABLE {name} AS FROM {copies.copied(_select(self), self.columns)} ORDER BY id")


MEMBERSHIPS = Table(
    "memberships",
    "SELECT person_id AS id, tree_id, ancestor_id AS unit_id, during FROM orgtree_placement",
    _PLACEMENT,
    ("orgtree_placement",),
)
"""A row per person, unit (their own and each ancestor) and date range; id is the person's."""

_OWNERSHIP = ("integrations_owned", "integrations_ownership", "orgtree_unitplacement")
OWNERS = Table(
    "owners",
    f"SELECT owned_id AS id, tree_id, ancestor_id AS unit_id, during FROM ({OWNER_PLACEMENTS}) AS owners",
    _PLACEMENT,
    _OWNERSHIP,
)
"""The same for owned services and repositories; id is the Owned's."""

REPOSITORY_OWNERS = Table(
    "repository_owners",
    f"SELECT -repository_id AS id, tree_id, ancestor_id AS unit_id, during FROM ({REPOSITORY_PLACEMENTS}) AS owners",
    _PLACEMENT,
    _OWNERSHIP,
)
"""The same for repositories; id is the negative of the repository's, so that it matches no person."""

ATTRIBUTES = Table(
    "attributes",
    """
    SELECT held.person_id AS id, held.attribute_id, held.value,
           unnest(datemultirange(held.during) * coalesce(employed.days, '{(,)}')) AS during
    FROM orgtree_personattribute held
    LEFT JOIN (SELECT person_id, range_agg(during) AS days FROM orgtree_employment GROUP BY person_id) AS employed
           ON employed.person_id = held.person_id
    """,
    {"id": "BIGINT", "attribute_id": "BIGINT", "value": "VARCHAR", "first_day": "DATE", "end_day": "DATE"},
    ("orgtree_employment", "orgtree_personattribute"),
)
"""A row per person, attribute, value and date range: attributes end with the employment, as memberships do."""


def people_of(relation: Relation) -> Table:
    """One row per person of the relation and date range in which they are present; `since` is their first day."""
    return Table(
        relation.name,
        f"SELECT {relation.person} AS id, {relation.day} AS since, unnest(coalesce(present, '{{(,)}}')) AS during"
        f" FROM ({relation.sql}) AS people",
        {"id": "BIGINT", "since": "DATE", "first_day": "DATE", "end_day": "DATE"},
        tuple(sorted(set(re.findall(r"\b(?:integrations|orgtree)_\w+", relation.sql)))),
    )


@dataclass(frozen=True)
class Places:
    """The date ranges in which each person's units and attribute values did not change.

    The column `units` lists those of `units` that the person was in, as text separated by commas, followed by the value
    of each attribute (empty: none).  With `outside`, ranges in none of the units are included.

    It is a table because a page joins the same one in each of its statements.
    """

    units: tuple[int, ...]
    outside: bool
    attributes: tuple[int, ...] = ()

    name = "places"

    @property
    def of(self) -> Sequence[str]:
        return (*MEMBERSHIPS.of, *ATTRIBUTES.of) if self.attributes else MEMBERSHIPS.of

    def create(self, opened: duckdb.DuckDBPyConnection, name: str, rows: Rows) -> None:
        select = _PLACES.format(
            memberships=_loaded_as(opened, MEMBERSHIPS, rows),
            held=_HELD.format(attributes=_loaded_as(opened, ATTRIBUTES, rows)) if self.attributes else _NO_VALUES,
            ever=_EVER if self.outside else "",
            join="LEFT JOIN" if self.outside else "JOIN",
            values="".join(_VALUE.format(name=f"held_{attribute}") for attribute in self.attributes),
            joins="".join(_VALUE_JOIN.format(name=f"held_{attribute}", id=attribute) for attribute in self.attributes),
        )
        of_attributes = {"attributes": list(self.attributes)} if self.attributes else {}
        opened.execute(f"CREATE TABLE {name} AS {select} ORDER BY id", {"units": list(self.units), **of_attributes})


# A person is in one unit of a tree at a time, and in all units above it; these change when the unit moves.
_EVER = f"""
    UNION SELECT id, DATE '{FIRST_DAY}' FROM inside UNION SELECT id, DATE '{END_DAY}' FROM inside
    UNION SELECT id, DATE '{FIRST_DAY}' FROM held UNION SELECT id, DATE '{END_DAY}' FROM held
"""
_NO_VALUES = f"SELECT 0 AS id, DATE '{FIRST_DAY}' AS first_day, DATE '{END_DAY}' AS end_day WHERE false"
_HELD = "FROM {attributes} WHERE attribute_id IN (SELECT unnest($attributes::BIGINT[]))"
_VALUE = ", chr(0) || coalesce(any_value({name}.value), '')"
_VALUE_JOIN = """
        LEFT JOIN held AS {name} ON {name}.attribute_id = {id} AND {name}.id = stretches.id
                                AND {name}.first_day <= stretches.first_day AND stretches.end_day <= {name}.end_day
"""
_PLACES = """
    WITH inside AS (FROM {memberships} WHERE unit_id IN (SELECT unnest($units::BIGINT[]))),
    held AS ({held}),
    borders AS (
        SELECT id, first_day AS day FROM inside UNION SELECT id, end_day FROM inside
        UNION SELECT id, first_day FROM held UNION SELECT id, end_day FROM held {ever}
    ),
    stretches AS (
        SELECT id, day AS first_day, lead(day) OVER (PARTITION BY id ORDER BY day) AS end_day FROM borders
    ),
    filled AS (
        SELECT stretches.id, stretches.first_day, stretches.end_day,
               concat(string_agg(inside.unit_id, ',' ORDER BY inside.unit_id){values}) AS units
        FROM stretches
        {join} inside ON inside.id = stretches.id
                     AND inside.first_day <= stretches.first_day AND stretches.end_day <= inside.end_day
        {joins}
        WHERE stretches.end_day IS NOT NULL
        GROUP BY ALL
    )
    FROM filled
"""


class _Process:
    """The tables loaded in this process: for each table, its names by version, the most recently used last."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.forget()

    def forget(self) -> None:
        """Resets the state after a fork, because the child opens a database of its own."""
        self.lock = threading.Lock()
        self.loaded: dict[str, OrderedDict[tuple[Any, ...], str]] = {}
        self.results: OrderedDict[str, tuple[str, int]] = OrderedDict()  # names and numbers of rows by key


_process = _Process()
os.register_at_fork(after_in_child=_process.forget)


def load(opened: duckdb.DuckDBPyConnection, tables: Collection[Table | Places], rows: Rows) -> Mapping[str, str]:
    """Loads these tables as the current transaction sees them; returns their names in DuckDB by table name.

    Versions are looked up once per answer, in `rows`.
    """
    _ = rows.versions  # before the lock, because the first access queries PostgreSQL
    with _process.lock:
        return {table.name: _loaded_as(opened, table, rows) for table in tables}


def result(opened: duckdb.DuckDBPyConnection, key: str, statement: str, parameters: Mapping[str, Any]) -> str:
    """The name of a table with the statement's result, created if it does not exist; `key` must cover all that the
    result depends on.

    Raises QuestionStoppedError as `database.fetch`.
    """
    with _process.lock:
        if key in _process.results:
            _process.results.move_to_end(key)
            return _process.results[key][0]
        name = f"result_{next(_process.numbers)}"
    [counted] = database.fetch(opened, f"CREATE TABLE {name} AS {statement}", parameters)
    with _process.lock:
        if key in _process.results:  # another thread was faster
            opened.execute(f"DROP TABLE {name}")
            return _process.results[key][0]
        _process.results[key] = name, counted["Count"]
        while len(_process.results) > 1 and sum(rows for _, rows in _process.results.values()) > MOST_RESULT_ROWS:
            _, (oldest, _) = _process.results.popitem(last=False)
            opened.execute(f"DROP TABLE {oldest}")
        return name


def _loaded_as(opened: duckdb.DuckDBPyConnection, table: Table | Places, rows: Rows) -> str:
    version = (table if isinstance(table, Places) else None, *map(rows.versions.get, ("", *table.of)))
    of_table = _process.loaded.setdefault(table.name, OrderedDict())
    if version in of_table:
        of_table.move_to_end(version)
        return of_table[version]
    name = f"{table.name}_{next(_process.numbers)}"
    table.create(opened, name, rows)
    of_table[version] = name
    if len(of_table) > VERSIONS:
        _, oldest = of_table.popitem(last=False)
        opened.execute(f"DROP TABLE {oldest}")
    return name


def _select(table: Table) -> sql.Composed:
    *columns, _, _ = table.columns
    return sql.SQL(
        "SELECT {}, coalesce(lower(during), {}::date), coalesce(upper(during), {}::date) FROM ({}) AS source"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Literal(FIRST_DAY),
        sql.Literal(END_DAY),
        sql.SQL(table.sql),
    )
