"""Writes many rows at once: references are not checked, and indexes are built afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection


@contextmanager
def references_unchecked() -> Iterator[None]:
    """Skip foreign keys and triggers within a transaction; without the right to do so, keys are checked at its end.

    The full size has 100 million references, and checking them takes as long as writing their rows.  Triggers do not
    run either: the tables of insights/columns/table_changes.py are written outside.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHECK_REFERENCES, {"role": "replica"})
        yield
        cursor.execute(CHECK_REFERENCES, {"role": "origin"})


@contextmanager
def without_indexes(tables: Sequence[str]) -> Iterator[None]:
    """Drop the tables' indexes within the block, except unique ones.

    Adding five million rows to them one by one takes far longer than rebuilding them.
    """
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, {"tables": list(tables)})
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)


INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT indisunique
"""

CHECK_REFERENCES = """
    SELECT set_config('session_replication_role', %(role)s, true)
    WHERE has_parameter_privilege('session_replication_role', 'SET')
"""
