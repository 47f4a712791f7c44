"""What follows from stored records, in whichever table, once some of a kind were told of."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection as database

from integrations.delivery.changed_days import append_days
from integrations.delivery.deployments_of_runs import settle_runs, settle_runs_beside
from integrations.delivery.linking.relink import follow
from integrations.delivery.mappings.effective import effective_meanings
from integrations.delivery.mappings.mapped_columns import ENVIRONMENT, SEVERITY, settle_words_of
from integrations.delivery.ownership.seen import note_named
from integrations.delivery.pipeline_runs.figures import settle_run_figures
from integrations.delivery.pull_requests.figures import settle_figures
from integrations.delivery.pull_requests.pipeline_waits import settle_waits_for
from integrations.delivery.pull_requests.ready_and_work_type import settle_pull_requests
from integrations.delivery.pull_requests.work_item_links import settle_links
from integrations.delivery.work_items.figures import settle_item_figures
from integrations.delivery.work_items.work_type_and_status import settle_work_items
from integrations.enums import Kind
from integrations.models import Connection


def derive(connection: Connection, kind: Kind, ids: Collection[int]) -> set[int]:
    """Bring up to date what follows from these records of the connection; those of this kind that changed by it.

    What changes in records of other kinds is appended to the outbox here.
    """
    if not ids:
        return set()
    note_named(kind, ids)
    if kind == Kind.PULL_REQUEST:
        changed = settle_links(pull_requests=ids) | settle_pull_requests(ids)
        follow(kind, changed.union(ids))
        return changed | settle_figures(ids)  # where commits stand tells whose they are
    meanings = effective_meanings(connection)
    if kind == Kind.WORK_ITEM:
        changed = settle_work_items(meanings, ids)
        settle_pull_requests_naming(ids)
        settle_item_figures(meanings, ids)
        follow(kind, ids)
        return changed
    if kind == Kind.DEPLOYMENT:
        changed = settle_words_of(ENVIRONMENT, meanings, ids)
        settle_runs_beside(ids)
        follow(kind, ids)
        return changed
    if kind == Kind.PIPELINE_RUN:
        settle_runs(connection, meanings, ids)
        settle_run_figures(ids)
        append_days(Kind.PULL_REQUEST, settle_waits_for(ids))
    if kind == Kind.INCIDENT:
        follow(kind, ids)
        return settle_words_of(SEVERITY, meanings, ids)
    return set()


def settle_pull_requests_naming(work_items: Collection[int]) -> int:
    """Link the pull requests that name these work items, or did, and let them be of their type; how many changed."""
    linked_anew = settle_links(work_items=work_items)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT pull_request_id FROM integrations_workitemlink WHERE work_item_id = ANY (%s)",
            [sorted(work_items)],
        )
        naming = {row[0] for row in cursor.fetchall()}
    changed = linked_anew | settle_pull_requests(naming | linked_anew)
    changed |= settle_figures(changed)
    follow(Kind.PULL_REQUEST, changed)
    append_days(Kind.PULL_REQUEST, changed)
    return len(changed)
