"""Recomputes work items, pipeline runs and queued pull requests for reasons other than an update.

Their days follow the organisation's calendar, and records stored before figures existed have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import LiteralString

from django.db import transaction

from core import sql
from core.batches import batched
from core.locks import Lock
from core.queue import drain, take
from integrations.code.attribution.label_evidence import update_label_evidence
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.linking.relink import relink
from integrations.delivery.mappings.effective import value_mappings_of
from integrations.delivery.pipeline_runs.figures import recompute_run_figures
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.pull_requests.merge_bots import recompute_merges_of_bots
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.delivery.work_items.figures import recompute_item_figures
from integrations.delivery.work_items.work_type_and_status import recompute_work_type_and_status
from integrations.enums import Kind
from integrations.models import Connection, PullRequestWork
from integrations.outbox.write_lock import lock_for_write

RECORDS_PER_TRANSACTION = 5000

_RECORDS: LiteralString = """
    SELECT stored.id
    FROM {table} stored LEFT JOIN {figures} figures ON figures.{key} = stored.id
    WHERE stored.connection_id = %(connection)s AND stored.deleted_at IS NULL {which}
    ORDER BY stored.id
"""
_ITEMS = {"table": "integrations_workitem", "figures": "integrations_workitemfigures", "key": "work_item_id"}
_RUNS = {"table": "integrations_pipelinerun", "figures": "integrations_pipelinerunfigures", "key": "run_id"}
_SPRINTS = {"table": "integrations_sprint", "figures": "integrations_sprintfigures", "key": "sprint_id"}
_WITHOUT = "AND figures.{key} IS NULL"


def recompute_all_figures() -> int:
    """Recompute all items' and runs' days in the current time zone, and items' completion; return how many changed.

    Works in batches with a transaction each, so that records can be stored meanwhile; after a crash, repeat it.
    """
    return _recompute_all("")


def recompute_missing_figures() -> int:
    """Compute the figures of items and runs without any; return how many there were."""
    return _recompute_all(_WITHOUT)


def _recompute_items(connection: Connection, ids: Sequence[int]) -> int:
    meanings = value_mappings_of(connection)
    recompute_work_type_and_status(meanings, ids)  # the category it began in follows from its first move
    return len(recompute_item_figures(meanings, ids))


def _recompute_sprints(_connection: Connection, ids: Sequence[int]) -> int:
    return len(recompute_sprints(ids))


def _recompute_runs(_connection: Connection, ids: Sequence[int]) -> int:
    return recompute_run_figures(ids)


_KINDS = (
    (Kind.WORK_ITEM, _ITEMS, _recompute_items),
    (Kind.SPRINT, _SPRINTS, _recompute_sprints),
    (Kind.PIPELINE_RUN, _RUNS, _recompute_runs),
)


def _recompute_all(which: str) -> int:
    changed = 0
    for connection in Connection.objects.order_by("pk"):
        for kind, tables, recompute in _KINDS:
            ids = _stored(connection, tables, which)
            for some in batched(ids, RECORDS_PER_TRANSACTION):
                with transaction.atomic():
                    lock_for_write(connection, {kind})
                    changed += recompute(connection, some)
    return changed


def _stored(connection: Connection, tables: Mapping[str, str], which: str) -> list[int]:
    return sql.column(_RECORDS.format(**tables, which=which.format(**tables)), {"connection": connection.pk})


PULL_REQUESTS_PER_TRANSACTION = 2000
PULL_REQUESTS = Lock("figures of pull requests")  # one process at a time empties the queue


def recompute_waiting_pull_requests() -> int:
    """Recompute everything in the queue; return how many rows there were.

    If another process is already doing so, the rows are left to it: it continues until the queue is empty.
    """
    return drain(_recompute_some, enter=PULL_REQUESTS.try_hold)


def _recompute_some() -> int:
    """Recompute a batch of one connection, under the lock for storing its records; return how many rows it had."""
    queue = PullRequestWork.objects.order_by("pk")
    oldest = queue.values_list("pull_request__connection", flat=True).first()
    if oldest is None:
        return 0
    lock_for_write(Connection.objects.get(pk=oldest), {Kind.PULL_REQUEST})
    rows = take(queue.filter(pull_request__connection=oldest), PULL_REQUESTS_PER_TRANSACTION)
    recompute_pull_requests({row.pull_request_id for row in rows})
    return len(rows)


def recompute_pull_requests(pull_requests: set[int]) -> None:
    """Recompute everything about these pull requests, and append their days; under the lock for storing records."""
    before = days_of(Kind.PULL_REQUEST, pull_requests)
    update_label_evidence(pull_requests)
    merged = recompute_merges_of_bots(pull_requests)
    relink(Kind.PULL_REQUEST, merged)
    changed = merged | recompute_figures(pull_requests)
    append_record_days(Kind.PULL_REQUEST, changed, before)
