"""The work behind pages: processor seconds, statements and rows read, whatever else runs on the machine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Limit, Measured
from bench.processor_time import POSTGRES, ProcessorTime
from bench.responses import signed_in
from insights.engine import database, scan
from insights.engine.database import Row

if TYPE_CHECKING:
    import duckdb

STATEMENTS = 15  # statements of DuckDB, for a page with all its parts
ADDITIONS = 10_000_000


@dataclass(frozen=True)
class Work:
    """The cost of first responses: processor seconds of the process that gives them, with all its threads, and of
    PostgreSQL; statements, and the rows of files and tables that DuckDB's statements read.
    """

    responses: int
    seconds: float
    postgres_seconds: float | None  # None: nobody knows
    statements: int
    rows_read: int
    queries: int
    again_seconds: float  # of the process, for the same responses again

    @property
    def read(self) -> str:
        return f"{self.statements} statements of DuckDB that read {self.rows_read:,} rows, {self.queries} of PostgreSQL"


def work_of(addresses: Sequence[str], session_cookie: str) -> Work:
    """The work of one response after another in this process, with empty caches: the server's own work cannot be told
    from that of others.
    """
    client = signed_in(session_cookie)
    fetch = database.fetch
    rows_read: list[int] = []
    looking_up = 0.0

    def fetch_counted(
        opened: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, Any]
    ) -> Sequence[Row]:
        nonlocal looking_up
        found = fetch(opened, statement, parameters)
        began = time.process_time()
        ((_, profile),) = opened.execute(f"EXPLAIN (ANALYZE, FORMAT json) {statement}", parameters).fetchall()
        rows_read.append(json.loads(profile)["query"]["total_rows_scanned"])
        looking_up += time.process_time() - began
        return found

    scan.answers.clear()
    scan.results.clear()
    spent = ProcessorTime()
    with patch.object(database, "fetch", fetch_counted), CaptureQueriesContext(connection) as captured, spent.counted():
        began = time.process_time()
        for address in addresses:
            client.get(address)
        seconds = time.process_time() - began - looking_up
    return Work(
        len(addresses),
        seconds,
        spent.seconds.get(POSTGRES),
        len(rows_read),
        sum(rows_read),
        len(captured.captured_queries),
        _seconds_again(client, addresses),
    )


def _seconds_again(client: Client, addresses: Sequence[str]) -> float:
    began = time.process_time()
    for address in addresses:
        client.get(address)
    return time.process_time() - began


def measured_work(name: str, work: Work, *, goal_seconds: float, conditions: str) -> list[Measured]:
    """The processor seconds, compared with those of a fixed loop, and the statements."""
    of_postgres = "not known" if work.postgres_seconds is None else f"{work.postgres_seconds:.2f} s"
    began = time.process_time()
    sum(1 for _ in range(ADDITIONS))
    loop = time.process_time() - began
    return [
        Measured(
            name=f"{name}: processor",
            value=work.seconds,
            unit="s",
            goal=f"≤ {goal_seconds:g} s",
            met=work.seconds <= goal_seconds,
            limit=Limit(f"s: {ADDITIONS:,} additions of Python, processor time", loop),
            conditions=f"{work.responses} responses; again {work.again_seconds:.2f} s; PostgreSQL beside it "
            f"{of_postgres} at first; {work.read}; {conditions}",
        ),
        Measured(
            name=f"{name}: statements",
            value=work.statements,
            unit="of DuckDB",
            goal=f"≤ {STATEMENTS}",
            met=work.statements <= STATEMENTS,
            conditions=f"{work.read}; {conditions}",
        ),
    ]
