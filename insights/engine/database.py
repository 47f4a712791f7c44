"""The process's DuckDB: in memory, shut in to one folder, with a limit on what a question may take.

It is opened at the first question, so that a process that asks none does not pay for it, and after a fork anew: the
threads of DuckDB do not follow into the child.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from insights.columns.shut_in import open_shut_in
from insights.engine.errors import Limit, QuestionStoppedError

if TYPE_CHECKING:
    import duckdb

TIME_LIMIT_SECONDS = 30.0  # as long as PostgreSQL may take for a request (config/database_watch.py)
MEMORY_LIMIT = "1GB"
MOST_ON_DISK = "8GB"  # what a question may spill

# PostgreSQL's multiranges come as its text: {[2026-01-01,2026-02-01),[2026-03-01,)}.  The macro is named as there, so
# that a relation's expression reads the same in both.
MACROS = r"""
CREATE MACRO multirange_contains_elem(days, day) AS
    CASE WHEN days IS NOT NULL THEN coalesce(list_bool_or(list_transform(
        regexp_extract_all(days, '[\[(]([^,]*,[^,)]*)\)', 1),
        lambda bounds: (bounds[1] = ',' OR split_part(bounds, ',', 1) <= day::VARCHAR)
                       AND (bounds[-1] = ',' OR day::VARCHAR < split_part(bounds, ',', 2))
    )), false) END;
"""


class _Process:
    """What this process has open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.database: duckdb.DuckDBPyConnection | None = None
        self.of_parents: list[duckdb.DuckDBPyConnection | None] = []  # never closed here: their threads are not ours

    def forget(self) -> None:
        """After a fork."""
        self.of_parents.append(self.database)
        self.lock, self.database = threading.Lock(), None


_process = _Process()
os.register_at_fork(after_in_child=_process.forget)


def database() -> duckdb.DuckDBPyConnection:
    """This process's database, to take cursors of."""
    with _process.lock:
        if _process.database is None:
            _process.database = _open()
        return _process.database


@contextmanager
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor for one question."""
    opened = database().cursor()
    try:
        yield opened
    finally:
        opened.close()


def fetch(opened: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The rows of a statement, by the names of its columns.

    Raises QuestionStoppedError where it takes longer than `TIME_LIMIT_SECONDS`, or more memory than there is.
    """
    import duckdb

    timer = threading.Timer(TIME_LIMIT_SECONDS, _interrupt, [opened])
    timer.daemon = True
    timer.start()
    try:
        opened.execute(statement, parameters)
        names = [column[0] for column in opened.description]
        return [dict(zip(names, row, strict=True)) for row in opened.fetchall()]
    except duckdb.InterruptException as problem:
        raise QuestionStoppedError(Limit.TIME) from problem
    except duckdb.OutOfMemoryException as problem:
        raise QuestionStoppedError(Limit.MEMORY) from problem
    finally:
        timer.cancel()


def _interrupt(opened: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with suppress(duckdb.Error):  # it has just ended by itself
        opened.interrupt()


def _open() -> duckdb.DuckDBPyConnection:
    threads = os.cpu_count() or 1
    return open_shut_in(MEMORY_LIMIT, first=MACROS, threads=threads, max_temp_directory_size=MOST_ON_DISK)
