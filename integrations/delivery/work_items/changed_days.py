"""The days on which work items count differently after a change, for the outbox.

An item can be open for years.  Reporting all its days whenever it moves would recompute years of figures, so only the
difference is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core import sql
from integrations.delivery.sprints.figures import note_sprints_of
from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes, append_days, insert_days


def _day(column: str) -> str:
    """The single day as a multirange, which is empty if the column is null."""
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
_UNTIL_TODAY = "datemultirange(daterange(NULL, now()::date + 1))"
DAYS_OF_ITEM = f"{_all_days('figures')} * {_UNTIL_TODAY}"
"""The days on which an item is counted so far, as a multirange, from its row of figures."""

_NOTE = insert_days(
    {
        FactFamily.WORK_ITEM: f"""
            SELECT lower(date_range), upper(date_range)
            FROM entered CROSS JOIN unnest(entered.days * {_UNTIL_TODAY}) AS date_range
        """  # noqa: S608  # constants of this module
    }
)
NOTE_CHANGED_DAYS = f"""
    entered AS (
        SELECT {_all_days("gone")} AS days FROM gone
        UNION ALL
        SELECT {_all_days("put")}
        FROM put LEFT JOIN before USING (work_item_id)
        WHERE before.work_item_id IS NULL
        UNION ALL
        SELECT CASE WHEN {_differs("credited_id", "repository_id", "work_type")}
               THEN {_all_days("before")} + {_all_days("put")} ELSE {_ENTERED_ANEW} END
        FROM put JOIN before USING (work_item_id)
    ),
    noted AS ({_NOTE})
"""  # noqa: S608  # constants of this module
"""entered AS (…), noted AS (…): for a statement with gone, before and put, which are rows of work items' figures."""
_DROP = f"""
    WITH gone AS (
        DELETE FROM integrations_workitemfigures WHERE work_item_id = ANY (%(ids)s) RETURNING *
    ), entered AS (SELECT {_all_days("gone")} AS days FROM gone)
    {_NOTE}
"""  # noqa: S608  # constants of this module
_DAYS_OF_DONE = """
    SELECT figures.done_on, figures.done_on + 1
    FROM integrations_workitemlink link
    JOIN integrations_workitemfigures figures ON figures.work_item_id = link.work_item_id
    WHERE link.pull_request_id = ANY (%(ids)s) AND figures.done_on <= now()::date
"""
_DAYS_OF_UNLINKED = """
    SELECT done_on, done_on + 1
    FROM integrations_workitemfigures WHERE work_item_id = ANY (%(ids)s) AND done_on <= now()::date
"""
_DAYS_OF_MOVED = f"""
    SELECT lower(date_range), upper(date_range)
    FROM integrations_workitemfigures figures CROSS JOIN unnest({DAYS_OF_ITEM}) AS date_range
    WHERE work_item_id = ANY (%(ids)s)
"""  # noqa: S608  # constants of this module


def note_moved_items(ids: Collection[int]) -> None:
    """Append to the outbox that these work items moved to another project."""
    _append(_DAYS_OF_MOVED, ids)
    note_sprints_of(ids)


def drop_item_figures(ids: Collection[int]) -> None:
    """Delete the figures of these work items, which are about to be deleted, and append them to the outbox."""
    sql.execute(_DROP, {"ids": sorted(ids)})
    announce_changes()


def note_items_of(pull_requests: Collection[int]) -> None:
    """Append to the outbox that items finished with these pull requests may now count as done with or without an agent.

    Call it after any change of pull requests, in the same transaction.
    """
    _append(_DAYS_OF_DONE, pull_requests)


def items_of(pull_requests: Collection[int]) -> Sequence[tuple[int, int]]:
    """(Pull request, linked work item) of these pull requests."""
    if not pull_requests:
        return []
    rows = sql.rows(
        "SELECT pull_request_id, work_item_id FROM integrations_workitemlink"
        " WHERE pull_request_id = ANY (%s) AND work_item_id IS NOT NULL",
        [sorted(pull_requests)],
    )
    return [(pull_request, item) for pull_request, item in rows]


def note_unlinked(items: Collection[int]) -> None:
    """Append to the outbox that these items, once linked to pull requests, may no longer be."""
    _append(_DAYS_OF_UNLINKED, items)


def _append(days: str, ids: Collection[int]) -> None:
    if ids:
        append_days({FactFamily.WORK_ITEM: days}, {"ids": sorted(ids)})
