"""The people of the generated organisation, numbered: the authors in the statements of the bench."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def numbered_authors() -> Iterator[None]:
    """Provide, within the block, the table bench_author: number (from 0), identity_id, and the days of employment."""
    with connection.cursor() as cursor:
        cursor.execute(AUTHORS)
        cursor.execute("ANALYZE bench_author")
        yield
        cursor.execute("DROP TABLE bench_author")


# Whoever has an employment came with the organisation; other entries of the bench send telemetry of people without.
AUTHORS = """
    CREATE TEMPORARY TABLE bench_author AS
    SELECT row_number() OVER (ORDER BY identity.id) - 1 AS number, identity.id AS identity_id, employment.days
    FROM orgtree_identity identity
    JOIN (
        SELECT person_id, range_agg(during) AS days FROM orgtree_employment GROUP BY person_id
    ) AS employment USING (person_id)
    WHERE identity.kind = 'email'
"""
