"""Recomputes everything derived from records, in every table, after records of a kind were stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import LiteralString

from core import sql
from integrations.code.attribution.label_evidence import update_label_evidence
from integrations.delivery.changed_days import append_record_days
from integrations.delivery.deployments_of_runs import recompute_deployments_beside, recompute_deployments_of
from integrations.delivery.flaky_tests import recompute_flaky_tests
from integrations.delivery.linking.named_commits import resolve_named_commits
from integrations.delivery.linking.relink import relink, relink_named_commits
from integrations.delivery.linking.work_item_origins import linked_to
from integrations.delivery.mappings.effective import value_mappings_of
from integrations.delivery.mappings.mapped_columns import ENVIRONMENT, SEVERITY, recompute_mapped_column
from integrations.delivery.ownership.seen import note_named
from integrations.delivery.pipeline_runs.figures import recompute_run_figures
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.delivery.pull_requests.merge_bots import recompute_merges_of_bots
from integrations.delivery.pull_requests.pipeline_waits import recompute_pipeline_waits_for
from integrations.delivery.pull_requests.ready_and_work_type import recompute_ready_and_work_type
from integrations.delivery.pull_requests.work_item_links import recompute_work_item_links
from integrations.delivery.rollouts.recompute import deployments_naming, recompute_outcomes
from integrations.delivery.sprints.figures import note_sprints, recompute_sprints
from integrations.delivery.work_items.figures import recompute_item_figures
from integrations.delivery.work_items.work_type_and_status import recompute_work_type_and_status
from integrations.enums import Kind
from integrations.models import Connection
from integrations.outbox.attribution_queue import enqueue_commits_in_reports
from integrations.telemetry.sessions.places import resolve_again_for_items

_REPOSITORIES: Mapping[Kind, LiteralString] = {
    Kind.PIPELINE_RUN: "SELECT DISTINCT repository_id FROM integrations_pipelinerun WHERE id = ANY (%(ids)s)",
    Kind.RELEASE: "SELECT DISTINCT repository_id FROM integrations_release WHERE id = ANY (%(ids)s)",
}


def derive(connection: Connection, kind: Kind, ids: Collection[int]) -> set[int]:
    """Recompute what is derived from these records of the connection; return the records of this kind that changed.

    Changes of other kinds are appended to the outbox here.
    """
    if not ids:
        return set()
    note_named(kind, ids)
    if kind == Kind.PULL_REQUEST:
        changed = recompute_merges_of_bots(ids) | recompute_work_item_links(pull_requests=ids)
        changed |= recompute_ready_and_work_type(ids)
        relink(kind, changed.union(ids))
        update_label_evidence(ids)
        return changed | recompute_figures(ids)  # commit positions decide which pull request owns a commit
    meanings = value_mappings_of(connection)
    if kind == Kind.WORK_ITEM:
        changed = recompute_work_type_and_status(meanings, ids)
        recompute_pull_requests_naming(ids)
        resolve_again_for_items(ids)
        recompute_item_figures(meanings, ids)
        relink(kind, ids)
        return changed
    if kind == Kind.DEPLOYMENT:
        resolve_named_commits(ids)
        changed = recompute_mapped_column(ENVIRONMENT, meanings, ids)
        with_outcome, made_active = recompute_outcomes(ids)
        recompute_deployments_beside(ids)
        relink(kind, made_active.union(ids))
        return changed | with_outcome
    if kind == Kind.PIPELINE_RUN:
        recompute_deployments_of(connection, meanings, ids)
        relink(Kind.DEPLOYMENT, deployments_naming(ids))
        recompute_run_figures(ids)
        append_record_days(Kind.PULL_REQUEST, recompute_pipeline_waits_for(ids))
    if kind == Kind.SPRINT:
        note_sprints(ids)  # it may have another name
        recompute_sprints(ids)
    if kind == Kind.VENDOR_REPORT:
        enqueue_commits_in_reports(ids)
    if kind in (Kind.PIPELINE_RUN, Kind.RELEASE):
        relink_named_commits(sql.ids(_REPOSITORIES[kind], {"ids": sorted(ids)}))
    if kind == Kind.INCIDENT:
        relink(kind, ids)
        return recompute_mapped_column(SEVERITY, meanings, ids)
    return recompute_flaky_tests(ids) if kind == Kind.TEST_REPORT else set()


def recompute_pull_requests_naming(work_items: Collection[int]) -> int:
    """Relink pull requests that name, or named, these work items, and recompute their work types; return how many
    changed.
    """
    linked_anew = recompute_work_item_links(work_items=work_items)
    changed = linked_anew | recompute_ready_and_work_type(linked_to(work_items) | linked_anew)
    changed |= recompute_figures(changed)
    relink(Kind.PULL_REQUEST, changed)
    append_record_days(Kind.PULL_REQUEST, changed)
    return len(changed)
