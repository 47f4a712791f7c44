"""Versions of the small tables that the engine joins: memberships, ownership, attributes, people.

Triggers append a row for each statement that changes one of them.  A transaction sees such a row exactly if it sees the
change, so the version differs after every change, concurrent ones included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import sql

HIGHEST_PERSON = "highest id of a person"
LONGEST = 200  # rows of a table before they are replaced by one


def versions() -> Mapping[str, Any]:
    """The version of each table as the current transaction sees it, if it ever changed; "" is the database.

    HIGHEST_PERSON has the highest id that a person ever had, so that no separate statement is needed for it.
    """
    rows = sql.rows(
        """
        SELECT '', oid::bigint, 0 FROM pg_database WHERE datname = current_database()
        UNION ALL
        SELECT "table", count(*), sum(id)::bigint FROM insights_tablechange
        GROUP BY "table"
        UNION ALL
        SELECT %s, greatest(max(id), pg_sequence_last_value(pg_get_serial_sequence('orgtree_person', 'id')), 0), 0
        FROM orgtree_person
        """,
        [HIGHEST_PERSON],
    )
    return {table: tuple(version) for table, *version in rows}


def shorten() -> None:
    """Replace the rows of tables that have many by a single new row, whose version was never used before."""
    sql.execute(
        """
        WITH long AS (
            SELECT "table" FROM insights_tablechange GROUP BY "table" HAVING count(*) > %s
        ), gone AS (
            DELETE FROM insights_tablechange USING long
            WHERE insights_tablechange."table" = long."table" RETURNING long."table"
        )
        INSERT INTO insights_tablechange ("table") SELECT DISTINCT "table" FROM gone
        """,
        [LONGEST],
    )
