"""Runs fact queries: one cached statement each."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from core.cache import Cache
from core.nudges import nudge_on_commit
from insights.columns.rows import types_of
from insights.columns.source import reads_rows
from insights.columns.table_changes import HIGHEST_PERSON
from insights.columns.tasks import check_files
from insights.engine import database, tables
from insights.engine.fact_query import FactQuery, GroupKey, StockQuery
from insights.engine.live_rows import Rows, rows_of_answer
from insights.engine.measures import SET, sets_in, value_in
from insights.engine.scope import Parameters
from insights.engine.statement import (
    LISTED,
    Part,
    Source,
    Statement,
    set_of_people,
    statement_of,
    statement_of_people,
    statement_over_parts,
    statement_over_rows,
    stock_statement,
    windows_of,
)
from insights.query.measures import Measure, MeasureValue
from insights.query.query import Window

if TYPE_CHECKING:
    import duckdb

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

CACHED_BYTES, DERIVED_BYTES = 64 * 1024 * 1024, 16 * 1024 * 1024
BLOCK = 4096  # sets of people are sized in steps of this many people, so that statements seldom differ
BYTES_OF_A_ROW, BYTES_OF_A_VALUE = 110, 40  # estimates: a number takes 24 to 32 bytes, a decimal 104, 0 and 1 none

Found = Sequence[Mapping[str, Any]]  # rows by column name


def _bytes_of(rows: Found) -> int:
    first = rows[0] if rows else {}
    structs = sum(len(value) for value in first.values() if isinstance(value, dict))
    sets = [name for name in first if name.startswith(SET)]
    of_sets = sum(len(row[name] or b"") for row in rows for name in sets)
    return 1000 + of_sets + sum(BYTES_OF_A_ROW + (len(row) + structs) * BYTES_OF_A_VALUE for row in rows)


answers: Cache[Found] = Cache(CACHED_BYTES, _bytes_of)
"""Rows by statement text, which includes the names of files and tables and the content of live rows, and parameters."""

StatementFrom = Callable[[Source], Statement]
OF_NO_ROWS = ""  # the key of a grouped answer if no relation has rows


@dataclass(frozen=True)
class _Derived:
    """A result, its size in bytes, and the statements it was computed from, each with the key of its answer."""

    result: Any
    bytes: int
    statements: Sequence[tuple[StatementFrom, str]]


results: Cache[_Derived] = Cache(DERIVED_BYTES, lambda derived: derived.bytes)
"""Results of `derive`, by what they are."""


@dataclass(frozen=True)
class MeasuredGroup:
    """The measures of one group, and how many of its facts are matched to a person.

    `sets` holds the sets of people who contribute to each measure, if they were requested.
    """

    values: Mapping[Measure, MeasureValue]
    sets: Mapping[Measure, Sequence[int]]
    facts: int
    matched_facts: int


MeasuredGroups = Mapping[GroupKey, MeasuredGroup]


class _OfRow(Mapping[Measure, Result]):
    """Reads a row lazily: with thousands of people, most values are never used."""

    def __init__(
        self,
        row: Mapping[str, Any],
        positions: Mapping[Measure, int],
        read: Callable[[Mapping[str, Any], Measure, int], Result],
    ) -> None:
        self._row = row
        self._positions = positions
        self._read = read

    def __getitem__(self, measure: Measure) -> Result:
        return self._read(self._row, measure, self._positions[measure])

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def scan(query: FactQuery, measures: Sequence[Measure], *, of_people: bool = False) -> MeasuredGroups:
    """Every group with a fact, in every window, and with `of_people` its sets of people.

    Raises QuestionStoppedError if it exceeds the time or memory limit.
    """
    windows = windows_of(query)
    if not windows:
        return {}
    types = types_of(query.relation)
    most = _highest_id() if of_people else None
    rows = _fetch(lambda source: statement_of(query, measures, source, types, most))
    groups: dict[GroupKey, MeasuredGroup] = {}
    positions = {measure: position for position, measure in enumerate(measures)}
    width = len(query.segments)
    for row in rows:
        segment = tuple(row[f"segment_{position}"] for position in range(width))
        values, sets = _OfRow(row, positions, value_in), _OfRow(row, positions, sets_in)
        group = MeasuredGroup(values, sets, row["facts"], row["matched_facts"])
        for window in windows[row["window_id"]][1]:
            groups[GroupKey(row["unit_id"] or None, window, segment)] = group
    return groups


def people_of_facts(query: FactQuery, measures: Sequence[Measure]) -> Found:
    """The rows of `statement_of_people`."""
    most = _highest_id()
    return _fetch(lambda source: statement_of_people(query, measures, source, most)) if windows_of(query) else []


def people_of_stock(query: StockQuery) -> Found:
    """The rows of `stock_statement`, with sets of people."""
    most = _highest_id()
    return _fetch(lambda _: stock_statement(query, set_of_people(most)))


def select(query: FactQuery, measures: Sequence[Measure], text: str, *, columns: Sequence[str] = ()) -> Found:
    """The rows of a SELECT over `counted`, the fact query's rows (see `Part`), by column name; `columns` are additional
    ones.

    Raises QuestionStoppedError as `scan`.
    """
    if not windows_of(query):
        return []
    return _fetch(lambda source: statement_over_rows(Part(query, measures, text, columns), source))


def select_of_parts(parts: Sequence[Part], text: str, **values: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of a SELECT over several fact queries (`statement_over_parts`).  Raises QuestionStoppedError as
    `scan`.
    """
    if not all(windows_of(part.query) for part in parts):
        return []
    return _fetch(lambda source: statement_over_parts(parts, source, text, Parameters(dict(values))))


def select_from_result(statement_from: StatementFrom, text: str, **values: Any) -> Found:
    """The rows of a SELECT over {result}, the statement's result, which is kept as a DuckDB table for further ones.

    Raises QuestionStoppedError as `scan`.
    """
    return _fetch(statement_from, partial(_select_once, text, values))


def stock(query: StockQuery) -> dict[tuple[int | None, Window], int]:
    """The number of people by unit and window.  Raises QuestionStoppedError as `scan`."""
    rows = _fetch(lambda _: stock_statement(query))
    return {(row["unit_id"] or None, query.windows[row["window_id"]]): row["people"] for row in rows}


def people_in_stock(query: StockQuery) -> Collection[int]:
    """The ids of the people whom `stock` counts in any window."""
    rows = _fetch(lambda _: stock_statement(query, LISTED))
    return {person for row in rows for person in row["people"]}


def _highest_id() -> int:
    """An upper bound for the ids of people, including deleted ones."""
    with rows_of_answer() as rows:
        highest, _ = rows.versions[HIGHEST_PERSON]
        return (int(highest) // BLOCK + 1) * BLOCK


def derive(name: object, compute: Callable[[], Result], size: Callable[[Result], int]) -> Result:
    """The result of `compute`, which may only read answers of this module; cached until one of these answers changes.

    Use it for results that are small compared with the answers behind them and slow to compute.  `name` identifies the
    result by its repr; `size` returns its bytes.
    """
    key = hashlib.sha256(repr(name).encode()).hexdigest()
    with rows_of_answer() as rows:
        known = results.get(key)

        def key_now(statement_from: StatementFrom) -> str:
            with database.cursor() as cursor:
                return _named(statement_from(rows.source), cursor, rows)[1]

        if known is not None and all(key_now(made) == before for made, before in known.statements):
            if rows.statements is not None:
                rows.statements += known.statements
            return cast("Result", known.result)
        with rows.noting_statements() as statements:
            result = compute()
        results.put(key, _Derived(result, 1000 + size(result), statements))
        return result


def _fetch(statement_from: StatementFrom, read: Callable[[StatementFrom, Rows], Found] | None = None) -> Found:
    """The statement's answer, or what `read` makes of it.  If that fails, it is tried once more with rows from
    PostgreSQL alone.

    A column file can be damaged, or deleted since it was looked up, and another thread can drop a table in use: users
    should not notice.
    """
    import duckdb

    read = read or _fetch_once
    with rows_of_answer() as rows:
        try:
            return read(statement_from, rows)
        except duckdb.Error as problem:
            logger.error("A query failed; it is answered from PostgreSQL. %s", problem)
            nudge_on_commit(check_files)
            rows.read_no_files()
            return read(statement_from, rows)


def _fetch_once(statement_from: StatementFrom, rows: Rows) -> Found:
    with database.cursor() as cursor:
        statement = statement_from(rows.source)
        text, key = _named(statement, cursor, rows)
        is_derived_from = rows.statements is not None
        if rows.statements is not None:
            rows.statements.append((statement_from, key))
        if key == OF_NO_ROWS:
            return []
        found = rows.derived_from.get(key, answers.get(key))
        if found is None:
            found = database.fetch(cursor, text, statement.parameters)
            if is_derived_from:
                rows.derived_from[key] = found
            else:
                answers.put(key, found)
        return found


def _select_once(text: str, values: Mapping[str, Any], statement_from: StatementFrom, rows: Rows) -> Found:
    with database.cursor() as cursor:
        statement = statement_from(rows.source)
        of_result, key = _named(statement, cursor, rows)
        key_of_answer = hashlib.sha256(repr((key, text, values)).encode()).hexdigest()
        found = answers.get(key_of_answer)
        if found is None:
            result = tables.result(cursor, key, of_result, statement.parameters)
            found = database.fetch(cursor, text.format(result=result), values)
            answers.put(key_of_answer, found)
        return found


def _named(statement: Statement, cursor: duckdb.DuckDBPyConnection, rows: Rows) -> tuple[str, str]:
    """The statement's text with the names of its tables, and the cache key of its answer."""
    if statement.grouped and not reads_rows(statement.text):
        return statement.text, OF_NO_ROWS
    text = statement.naming(tables.load(cursor, statement.tables, rows))
    # Files and tables are never changed in place: new content gets a new name.
    return text, hashlib.sha256(repr((rows.by_content(text), statement.parameters)).encode()).hexdigest()
