"""The days on which work items count differently after a change, for the outbox.

An item can be open for years.  Reporting all its days whenever it moves would recompute years of figures: so only the
difference is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection as database

from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes


def _day(column: str) -> str:
    """The one day as a multirange, which has none where the column is null."""
    return f"CASE WHEN {column} IS NULL THEN '{{}}' ELSE datemultirange(daterange({column}, {column} + 1)) END"


def _all_days(row: str) -> str:
    return f"({_day(f'{row}.created_on')} + {_day(f'{row}.done_on')} + {row}.todo_days + {row}.in_progress_days)"


def _differs(*columns: str) -> str:
    rows = (f"ROW ({', '.join(f'{row}.{column}' for column in columns)})" for row in ("before", "put"))
    return " IS DISTINCT FROM ".join(rows)


def _difference(column: str) -> str:
    return f"(before.{column} - put.{column}) + (put.{column} - before.{column})"


def _where(condition: str, *days: str) -> str:
    return f"CASE WHEN {condition} THEN {' + '.join(days)} ELSE '{{}}' END"


_ENTERED_ANEW = " + ".join(
    (
        _difference("todo_days"),
        _difference("in_progress_days"),
        _difference("healthy_days"),
        _where(
            _differs("created_on", "found_in_production", "found_by_customer"),
            *(_day("before.created_on"), _day("put.created_on")),
        ),
        _where(
            _differs("done_on", "lead_seconds", "cycle_seconds", "active_seconds", "reopened"),
            *(_day("before.done_on"), _day("put.done_on")),
        ),
        _where(_differs("created_on"), "before.todo_days", "put.todo_days"),
        _where(_differs("started_on"), "before.in_progress_days", "put.in_progress_days"),
    )
)
DAYS_OF_ITEM = f"{_all_days('figures')} * datemultirange(daterange(NULL, now()::date + 1))"
"""The days on which an item is counted so far, as a multirange, from its row of figures."""

_NOTE = """
        INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
        SELECT '{family}', person_id, lower(days), upper(days)
        FROM (
            SELECT identity.person_id,
                   unnest(range_agg(entered.days) * datemultirange(daterange(NULL, now()::date + 1))) AS days
            FROM entered
            LEFT JOIN orgtree_identity identity ON identity.id = entered.credited_id
            GROUP BY identity.person_id
        ) AS of_people
"""
NOTE_CHANGED_DAYS = f"""
    entered AS (
        SELECT credited_id, {_all_days("gone")} AS days FROM gone
        UNION ALL
        SELECT put.credited_id, {_all_days("put")}
        FROM put LEFT JOIN before USING (work_item_id)
        WHERE before.work_item_id IS NULL
        UNION ALL
        SELECT whole.credited_id, whole.days
        FROM put JOIN before USING (work_item_id)
        CROSS JOIN LATERAL (
            VALUES (before.credited_id, {_all_days("before")}), (put.credited_id, {_all_days("put")})
        ) AS whole (credited_id, days)
        WHERE {_differs("credited_id", "repository_id", "work_type")}
        UNION ALL
        SELECT put.credited_id, {_ENTERED_ANEW}
        FROM put JOIN before USING (work_item_id)
        WHERE NOT ({_differs("credited_id", "repository_id", "work_type")})
    ),
    noted AS ({_NOTE.format(family=FactFamily.WORK_ITEM.value)})
"""  # noqa: S608  # constants of this module
"""entered AS (…), noted AS (…): for a statement with gone, before and put, which are rows of work items' figures."""

_DROP = f"""
    WITH gone AS (
        DELETE FROM integrations_workitemfigures WHERE work_item_id = ANY (%(ids)s) RETURNING *
    ),
    entered AS (SELECT credited_id, {_all_days("gone")} AS days FROM gone)
    {_NOTE.format(family=FactFamily.WORK_ITEM.value)}
"""  # noqa: S608  # constants of this module
_NOTE_DONE = f"""
    WITH entered AS (
        SELECT figures.credited_id, datemultirange(daterange(figures.done_on, figures.done_on + 1)) AS days
        FROM integrations_workitemlink link
        JOIN integrations_workitemfigures figures ON figures.work_item_id = link.work_item_id
        WHERE link.pull_request_id = ANY (%(ids)s) AND figures.done_on IS NOT NULL
    )
    {_NOTE.format(family=FactFamily.WORK_ITEM.value)}
"""  # noqa: S608  # constants of this module


_NOTE_UNLINKED = f"""
    WITH entered AS (
        SELECT credited_id, datemultirange(daterange(done_on, done_on + 1)) AS days
        FROM integrations_workitemfigures WHERE work_item_id = ANY (%(ids)s) AND done_on IS NOT NULL
    )
    {_NOTE.format(family=FactFamily.WORK_ITEM.value)}
"""  # noqa: S608  # constants of this module


_NOTE_MOVED = f"""
    WITH entered AS (
        SELECT credited_id, {_all_days("figures")} AS days
        FROM integrations_workitemfigures figures WHERE work_item_id = ANY (%(ids)s)
    )
    {_NOTE.format(family=FactFamily.WORK_ITEM.value)}
"""  # noqa: S608  # constants of this module


def note_moved_items(ids: Collection[int]) -> None:
    """Append to the outbox that these work items moved to another project."""
    _execute(_NOTE_MOVED, ids)


def drop_item_figures(ids: Collection[int]) -> None:
    """Delete the figures of these work items, which are about to be deleted, and append them to the outbox."""
    _execute(_DROP, ids)


def note_items_of(pull_requests: Collection[int]) -> None:
    """Append to the outbox that items done with these pull requests may have been done with an agent, or not.

    Call it after any change of pull requests, in the same transaction.
    """
    _execute(_NOTE_DONE, pull_requests)


def items_of(pull_requests: Collection[int]) -> Sequence[tuple[int, int]]:
    """(Pull request, work item that it is linked to), of these."""
    if not pull_requests:
        return []
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pull_request_id, work_item_id FROM integrations_workitemlink"
            " WHERE pull_request_id = ANY (%s) AND work_item_id IS NOT NULL",
            [sorted(pull_requests)],
        )
        return [(pull_request, item) for pull_request, item in cursor.fetchall()]


def note_unlinked(items: Collection[int]) -> None:
    """As `note_items_of`, for items that were linked to pull requests, and may no longer be."""
    _execute(_NOTE_UNLINKED, items)


def _execute(statement: str, ids: Collection[int]) -> None:
    if not ids:
        return
    with database.cursor() as cursor:
        cursor.execute(statement, {"ids": sorted(ids)})
    announce_changes()
