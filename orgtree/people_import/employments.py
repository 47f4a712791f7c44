"""Stores employments.

A start is that of the first employment still open on or starting after that day; a start after all others is a return.
An end belongs to that employment, without a start to the last one.  An empty end removes a future end, and makes
leavers return.
"""

from __future__ import annotations

from datetime import date

from django.db import connection

from core import sql
from orgtree.people_import.drafts import RowError

# One row per person with an employment, before anything changes, to compare with afterwards.
_SNAPSHOT = """
    DROP TABLE IF EXISTS presence_before;
    CREATE TEMPORARY TABLE presence_before ON COMMIT DROP AS
    SELECT person_id, range_agg(during) AS days FROM orgtree_employment GROUP BY person_id;
    ALTER TABLE presence_before ADD PRIMARY KEY (person_id)
"""
_BEGIN = (
    # The employment that the start belongs to.
    """
    UPDATE orgtree_employment employment SET during = daterange(matched.starts_on, upper(employment.during))
    FROM (
        SELECT DISTINCT ON (draft.person_id) stored.id, draft.starts_on
        FROM draft JOIN orgtree_employment stored USING (person_id)
        WHERE NOT draft.refused AND draft.starts_on IS NOT NULL
          AND COALESCE(upper(stored.during), 'infinity') > draft.starts_on
        ORDER BY draft.person_id, lower(stored.during) NULLS FIRST
    ) AS matched
    WHERE employment.id = matched.id AND lower(employment.during) IS DISTINCT FROM matched.starts_on
    """,
    # People without an employment so far, and people who return on a given day.
    """
    INSERT INTO orgtree_employment (person_id, during)
    SELECT draft.person_id, daterange(draft.starts_on, CASE WHEN draft.is_first THEN draft.ends_on END)
    FROM draft
    WHERE NOT draft.refused AND (draft.is_first AND (draft.starts_on IS NULL OR draft.ends_on IS NULL
                                                   OR draft.starts_on < draft.ends_on)
       OR draft.starts_on IS NOT NULL AND NOT EXISTS (
            SELECT FROM orgtree_employment stored
            WHERE stored.person_id = draft.person_id AND COALESCE(upper(stored.during), 'infinity') > draft.starts_on
       ))
    ORDER BY draft.person_id
    """,
)
_MATCHED = """
    DROP TABLE IF EXISTS matched;
    CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
    SELECT DISTINCT ON (draft.person_id) draft.row, draft.person_id, stored.id, stored.during, draft.ends_on
    FROM draft JOIN orgtree_employment stored USING (person_id)
    WHERE NOT draft.refused AND draft.has_end AND NOT draft.is_first
      AND (draft.ends_on IS NULL OR draft.starts_on IS NULL OR lower(stored.during) = draft.starts_on)
    ORDER BY draft.person_id, lower(stored.during) DESC NULLS LAST;
    ANALYZE matched
"""
_ENDS_TOO_EARLY = "SELECT row, ends_on, lower(during) FROM matched WHERE ends_on <= lower(during) ORDER BY row"
_END = (
    "DELETE FROM matched WHERE ends_on <= lower(during)",
    """
    DELETE FROM orgtree_employment later USING matched
    WHERE later.person_id = matched.person_id AND later.id <> matched.id AND matched.ends_on IS NOT NULL
      AND later.during && daterange(lower(matched.during), matched.ends_on)
    """,
    """
    UPDATE orgtree_employment employment SET during = daterange(lower(employment.during), matched.ends_on)
    FROM matched
    WHERE employment.id = matched.id AND upper(employment.during) IS DISTINCT FROM matched.ends_on
      AND (matched.ends_on IS NOT NULL OR upper(employment.during) >= %(effective)s)
    """,
    """
    INSERT INTO orgtree_employment (person_id, during)
    SELECT person_id, daterange(%(effective)s, NULL) FROM matched
    WHERE ends_on IS NULL AND upper(during) < %(effective)s
    """,
)
# People who start on that day or later have no employment to end yet.
_ABSENT_LEAVE = (
    """
    DELETE FROM orgtree_employment absent
    WHERE lower(absent.during) >= %(effective)s AND absent.person_id IN (
        SELECT person_id FROM orgtree_employment
        WHERE person_id NOT IN (SELECT person_id FROM draft WHERE person_id IS NOT NULL)
        GROUP BY person_id
        HAVING bool_or(during @> %(effective)s) AND bool_or(COALESCE(lower(during), '-infinity') < %(effective)s)
    )
    """,
    """
    UPDATE orgtree_employment absent SET during = daterange(lower(absent.during), %(effective)s)
    WHERE absent.during @> %(effective)s AND COALESCE(lower(absent.during), '-infinity') < %(effective)s
      AND NOT EXISTS (SELECT FROM draft WHERE draft.person_id = absent.person_id)
    """,
)


def snapshot_presences() -> None:
    """Call it before employments change; `changed_presences` compares with the snapshot."""
    sql.execute(_SNAPSHOT)


def store_employments(effective: date, errors: list[RowError], *, complete: bool) -> None:
    """Store the rows' employments; with a complete file, people who are not listed leave on the effective date.

    Only people with an employment can leave: provisional people from synced data have none.
    """
    snapshot_presences()
    parameters = {"effective": effective}
    with connection.cursor() as cursor:
        for statement in (*_BEGIN, _MATCHED, _ENDS_TOO_EARLY):
            cursor.execute(statement)
        errors += [
            RowError(
                row,
                "end",
                f"The end, {end}, is not after the start, {start}. The end is the first day after employment.",
            )
            for row, end, start in cursor.fetchall()
        ]
        for statement in (*_END, *(_ABSENT_LEAVE if complete else ())):
            cursor.execute(statement, parameters)


def changed_presences() -> list[tuple[int, date | None, bool]]:
    """Person, first day whose employment status changed (None: all time), and whether they leave, or leave earlier."""
    return list(sql.rows(_CHANGED))


_CHANGED = """
    WITH after AS (
        SELECT person_id, range_agg(during) AS days FROM orgtree_employment GROUP BY person_id
    ), compared AS (
        SELECT person_id, COALESCE(before.days, '{(,)}') AS before, COALESCE(after.days, '{}') AS after
        FROM presence_before before FULL JOIN after USING (person_id)
        WHERE before.days IS DISTINCT FROM after.days
    )
    SELECT person_id, lower((before - after) + (after - before)),
           NOT upper_inf(after) AND (upper_inf(before) OR isempty(after) OR upper(after) < upper(before))
    FROM compared WHERE before <> after
"""
