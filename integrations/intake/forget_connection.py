"""Deletes all of a connection's records, with everything derived from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from core import sql
from core.batches import batched
from integrations.delivery.changed_days import append_record_days
from integrations.delivery.deployments_of_runs import recompute_deployments_in
from integrations.delivery.linking.relink import relink_deployments, relink_pull_requests
from integrations.delivery.linking.unlink import UnlinkedRecords
from integrations.delivery.pipeline_runs.figures import drop_run_figures, recompute_run_figures
from integrations.delivery.pipeline_runs.pull_requests import detach_runs_of
from integrations.delivery.pull_requests.figures import drop_figures
from integrations.delivery.pull_requests.pipeline_waits import waiting_for
from integrations.delivery.pull_requests.ready_and_work_type import recompute_ready_and_work_type
from integrations.delivery.pull_requests.work_item_links import recompute_work_item_links
from integrations.delivery.rollouts.recompute import recompute_rollouts_in
from integrations.delivery.sprints.figures import drop_sprint_figures
from integrations.delivery.work_items.changed_days import drop_item_figures
from integrations.enums import Kind
from integrations.intake.tables import TABLES, RecordTable
from integrations.models import Connection, PredictedWorkType, PullRequest
from integrations.outbox.attribution_queue import enqueue_commits_in_reports
from integrations.outbox.pull_request_queue import enqueue_pull_requests
from integrations.outbox.write_lock import lock_for_write
from integrations.telemetry.sessions.places import forget_items

AT_ONCE = 5000
# Referencing records before the referenced ones.
_ORDER = (
    Kind.DEPLOYMENT,
    Kind.PIPELINE_RUN,
    Kind.PULL_REQUEST,
    Kind.SPRINT,
    Kind.WORK_ITEM,
    Kind.INCIDENT,
    Kind.RELEASE,
    Kind.TEST_REPORT,
    Kind.COVERAGE_REPORT,
    Kind.CODE_SCANNING_ALERT,
    Kind.VENDOR_REPORT,
)


def count_records(connection: Connection) -> Mapping[Kind, int]:
    """The number of the connection's records by kind; kinds without any are left out."""
    numbers = {kind: TABLES[kind].model._default_manager.filter(connection=connection).count() for kind in _ORDER}
    return {kind: number for kind, number in numbers.items() if number}


def forget_records(connection: Connection) -> None:
    """Delete the connection's records, in the caller's transaction, and recompute everything that they affected.

    Pull requests of other connections are linked again; pipeline runs of others in the same repositories may become
    deployments.
    """
    lock_for_write(connection, frozenset(Kind))
    repositories = _repositories_with_deployments(connection)
    naming = _unlink_others(connection)
    loose, following, attempts = UnlinkedRecords(), set[int](), set[int]()
    for kind in _ORDER:
        table = TABLES[kind]
        for ids in _batches(table, connection):
            append_record_days(kind, ids)
            loose.loosen(kind, ids)
            following |= drop_figures(ids) if kind == Kind.PULL_REQUEST else set()
            if kind == Kind.PULL_REQUEST:
                attempts |= detach_runs_of(ids)
            if kind == Kind.PIPELINE_RUN:
                following |= waiting_for(ids)
                attempts |= drop_run_figures(ids)
            if kind == Kind.SPRINT:
                drop_sprint_figures(ids)
            if kind == Kind.VENDOR_REPORT:
                enqueue_commits_in_reports(ids)
            if kind == Kind.WORK_ITEM:
                drop_item_figures(ids)
                PredictedWorkType.objects.filter(work_item__in=ids).delete()
                forget_items(ids)
            _delete(table, ids)
    relink_deployments(recompute_rollouts_in(repositories))
    loose.relink_rest()
    recompute_deployments_in(repositories)
    recompute_run_figures(attempts)
    changed = recompute_work_item_links(pull_requests=naming) | recompute_ready_and_work_type(naming)
    append_record_days(Kind.PULL_REQUEST, changed | naming)
    left = list(PullRequest.objects.filter(pk__in=naming | following).values_list("pk", flat=True))
    relink_pull_requests(left)
    enqueue_pull_requests(left)


def _batches(table: RecordTable, connection: Connection) -> Iterator[Sequence[int]]:
    ids = sql.column(f"SELECT id FROM {table.name} WHERE connection_id = %s ORDER BY id", [connection.pk])  # noqa: S608  # name of a table
    return batched(ids, AT_ONCE)


def _delete(table: RecordTable, ids: Collection[int]) -> None:
    for part in table.parts:
        sql.execute(f"DELETE FROM {part.name} WHERE {part.owner} = ANY (%s)", [list(ids)])  # noqa: S608  # name of a table
    sql.execute(f"DELETE FROM {table.name} WHERE id = ANY (%s)", [list(ids)])  # noqa: S608  # name of a table


def _unlink_others(connection: Connection) -> set[int]:
    """Unlink pull requests of other connections from items of this one; return those that were linked."""
    return sql.ids(
        """
        UPDATE integrations_workitemlink link SET work_item_id = NULL
        FROM integrations_workitem item, integrations_pullrequest pull_request
        WHERE item.id = link.work_item_id AND item.connection_id = %(connection)s
          AND pull_request.id = link.pull_request_id AND pull_request.connection_id <> %(connection)s
        RETURNING link.pull_request_id
        """,
        {"connection": connection.pk},
    )


def _repositories_with_deployments(connection: Connection) -> set[int]:
    return sql.ids(
        """
        SELECT DISTINCT repository_id FROM integrations_deployment
        WHERE connection_id = %s AND pipeline_run_id IS NULL
        """,
        [connection.pk],
    )
