"""Statements that the receiver runs with every write: the server keeps their plans.

Django puts parameters into the text of a statement, so that the server plans it anew each time; planning cost a small
request more than running.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from django.db import connection
from psycopg import Cursor


def fetch_prepared(statement: LiteralString, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement, which is prepared on this connection where it is not yet.

    In the caller's transaction.  Lists of numbers have to be of one type, such as Int8: each combination of types is
    a statement of its own.
    """
    connection.ensure_connection()
    server = connection.connection
    server.prepare_threshold = 0
    with connection.wrap_database_errors, Cursor(server) as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchall()
