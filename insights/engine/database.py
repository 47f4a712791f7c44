"""The process's DuckDB: in memory, sandboxed to one folder, with time and memory limits per statement.

It is opened for the first query, so that a process without queries does not pay for it, and reopened after a fork:
DuckDB's threads do not survive in the child.
"""

from __future__ import annotations

import enum
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from insights.columns.folder import open_sandboxed

if TYPE_CHECKING:
    import duckdb


class Limit(enum.Enum):
    TIME = "time"
    MEMORY = "memory"


class QuestionStoppedError(Exception):
    """A query exceeded its time or memory limit; config/errors.py has the message for users."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"A query of the engine was stopped: it exceeded its {limit.value} limit.")
        self.limit = limit


TIME_LIMIT_SECONDS = 30.0  # as long as PostgreSQL may take for a request (config/database_watch.py)
MEMORY_LIMIT = "400MB"
MOST_ON_DISK = "8GB"  # spill limit

# PostgreSQL's multiranges arrive as text: {[2026-01-01,2026-02-01),[2026-03-01,)}.  The macro has the name of
# PostgreSQL's function, so that a relation's expression works in both.
MACROS = r"""
CREATE MACRO multirange_contains_elem(days, day) AS
    CASE WHEN days IS NOT NULL THEN coalesce(list_bool_or(list_transform(
        regexp_extract_all(days, '[\[(]([^,]*,[^,)]*)\)', 1),
        lambda bounds: (bounds[1] = ',' OR split_part(bounds, ',', 1) <= day::VARCHAR)
                       AND (bounds[-1] = ',' OR day::VARCHAR < split_part(bounds, ',', 2))
    )), false) END;
"""


class Row(Mapping[str, Any]):
    """A row by column name.  The rows of a result share the positions of its columns, so that a row takes a third of
    the memory of a dictionary."""

    __slots__ = ("_positions", "_values")

    def __init__(self, positions: Mapping[str, int], values: Sequence[Any]) -> None:
        self._positions = positions
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[self._positions[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class _Process:
    """The open database of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.database: duckdb.DuckDBPyConnection | None = None
        self.of_parents: list[duckdb.DuckDBPyConnection | None] = []  # never closed: their threads belong to the parent

    def forget(self) -> None:
        """Resets the state after a fork."""
        self.of_parents.append(self.database)
        self.lock, self.database = threading.Lock(), None


_process = _Process()
os.register_at_fork(after_in_child=_process.forget)


def database() -> duckdb.DuckDBPyConnection:
    """This process's database, opened on first use."""
    with _process.lock:
        if _process.database is None:
            _process.database = _open()
        return _process.database


def cursor() -> duckdb.DuckDBPyConnection:
    """A cursor for one query, to use in a with statement."""
    return database().cursor()


def fetch(opened: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a statement.

    Raises QuestionStoppedError if it exceeds `TIME_LIMIT_SECONDS` or the memory limit.
    """
    import duckdb

    timer = threading.Timer(TIME_LIMIT_SECONDS, _interrupt, [opened])
    timer.daemon = True
    timer.start()
    try:
        opened.execute(statement, parameters)
        positions = {column[0]: position for position, column in enumerate(opened.description)}
        return [Row(positions, values) for values in opened.fetchall()]
    except duckdb.InterruptException as problem:
        raise QuestionStoppedError(Limit.TIME) from problem
    except duckdb.OutOfMemoryException as problem:
        raise QuestionStoppedError(Limit.MEMORY) from problem
    finally:
        timer.cancel()


def _interrupt(opened: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with suppress(duckdb.Error):  # the statement has just finished
        opened.interrupt()


def _open() -> duckdb.DuckDBPyConnection:
    return open_sandboxed(
        MEMORY_LIMIT,
        first=MACROS,
        threads=os.cpu_count() or 1,
        max_temp_directory_size=MOST_ON_DISK,
        allocator_background_threads=True,  # returns freed memory: a process keeps 0.1 GB less
    )
