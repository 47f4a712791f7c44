"""The days on which records count, for the outbox.

Work items and pipeline runs report their own changes: work_items/changed_days.py and pipeline_runs/figures.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import LiteralString

from core import sql
from integrations.delivery.pipeline_runs.pull_requests import assign_runs_of
from integrations.delivery.pull_requests.changed_days import note_services_of_deployments
from integrations.delivery.work_items.changed_days import note_items_of
from integrations.enums import Kind
from integrations.models import FAMILY_OF_KIND
from integrations.outbox.fact_changes import Change, append_changes, append_days

# (record, first moment, last moment): an open record counts on every day until now.
_MOMENTS: Mapping[Kind, LiteralString] = {
    Kind.PULL_REQUEST: """
        SELECT id, least(created_at, merged_at, closed_at), coalesce(merged_at, closed_at, now())
        FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
        UNION ALL
        SELECT pull_request_id, submitted_at, submitted_at
        FROM integrations_pullrequestreview WHERE pull_request_id = ANY (%(ids)s)
    """,
    Kind.DEPLOYMENT: """
        SELECT id, least(created_at, started_at, finished_at), greatest(created_at, started_at, finished_at)
        FROM integrations_deployment WHERE id = ANY (%(ids)s)
        UNION ALL
        SELECT deployment_id, restored_at, restored_at
        FROM integrations_faileddeployment WHERE deployment_id = ANY (%(ids)s)
    """,
    Kind.INCIDENT: """
        SELECT id, least(started_at, resolved_at), coalesce(resolved_at, now())
        FROM integrations_incident WHERE id = ANY (%(ids)s)
    """,
    Kind.TEST_REPORT: """
        SELECT id, finished_at, finished_at FROM integrations_testreport WHERE id = ANY (%(ids)s)
    """,
    # A report counts until the next one, and ends the one before it.
    Kind.COVERAGE_REPORT: """
        SELECT id, measured_at, greatest(measured_at, now())
        FROM integrations_coveragereport WHERE id = ANY (%(ids)s)
    """,
    Kind.CODE_SCANNING_ALERT: """
        SELECT id, created_at, greatest(created_at, coalesce(fixed_at, dismissed_at, now()))
        FROM integrations_codescanningalert WHERE id = ANY (%(ids)s)
    """,
    # Spend of the days since the report before waits for this one; a seat may have been used in the week before.
    Kind.VENDOR_REPORT: """
        SELECT report.id,
               least(report.day - CASE report.content WHEN 'seats' THEN 6 ELSE 0 END,
                     (SELECT max(before.day) FROM integrations_vendorreport before
                      WHERE before.connection_id = report.connection_id AND before.content = report.content
                        AND before.day < report.day AND before.deleted_at IS NULL)),
               greatest(report.day + CASE report.content WHEN 'seats' THEN 6 ELSE 0 END, now()::date)
        FROM integrations_vendorreport report WHERE report.id = ANY (%(ids)s)
    """,
}
_DAYS: LiteralString = """
    SELECT {columns} least(first::date, last::date), greatest(first::date, last::date) + 1
    FROM ({moments}) AS moment (record_id, first, last)
    WHERE first IS NOT NULL
"""

CountedDays = tuple[int, date, date]  # record, day_from, day_to


def days_of(kind: Kind, ids: Iterable[int]) -> list[CountedDays]:
    """The local days on which these records currently count."""
    ordered = sorted(ids)
    if kind not in _MOMENTS or not ordered:
        return []
    return [
        (record, start, end)
        for record, start, end in sql.rows(_DAYS.format(columns="record_id,", moments=_MOMENTS[kind]), {"ids": ordered})
    ]


def append_record_days(kind: Kind, ids: Iterable[int], before: Iterable[CountedDays] = ()) -> None:
    """Append to the outbox the days on which these records count, and counted before, in the caller's transaction.

    Other records in `before` are ignored.
    """
    ordered = set(ids)
    if kind not in _MOMENTS or not ordered:
        return
    family = FAMILY_OF_KIND[kind]
    if kind == Kind.PULL_REQUEST:
        note_items_of(ordered)
        assign_runs_of(ordered)
    if kind == Kind.DEPLOYMENT:
        note_services_of_deployments(ordered)
    append_changes(Change(family, start, end) for record, start, end in before if record in ordered)
    append_days({family: _DAYS.format(columns="", moments=_MOMENTS[kind])}, {"ids": sorted(ordered)})
