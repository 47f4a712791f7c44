"""Recomputes the figures that working agreements affect after a change: an edited agreement, a new owner, a moved unit,
or a board whose sub-tasks are counted differently.

The agreement that was applied to each owned thing is stored and compared with the one in force, so any change is found
within a minute, whatever caused it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from celery import shared_task
from django.db import transaction

from core import sql
from integrations.delivery.linking.failures import recompute_failures
from integrations.delivery.linking.relink import relink_deployments, relink_pushes
from integrations.delivery.rollouts.recompute import recompute_rollouts
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.enums import Kind
from integrations.facts.working_agreements import AGREED
from integrations.outbox.pull_request_queue import enqueue_pull_requests
from integrations.outbox.write_lock import lock_for_linking

# One row per owned thing whose terms in force differ from those that it was derived with.  How sub-tasks of a board
# count is one of these.
_DIFFERING = f"""
    WITH agreed AS ({AGREED}), now AS (
        SELECT owned.id AS owned_id, concat_ws(E'\\n', terms.words, CASE WHEN owned.parts_alone THEN 'parts alone' END)
                   AS words
        FROM integrations_owned owned
        LEFT JOIN (
            SELECT owned_id, string_agg(
                       concat_ws(' ', during, size_thresholds, hotfix_branches, hotfix_labels,
                                 'trunk ' || trunk, 'grace ' || sprint_grace_days, depth, agreement_id,
                                 'lines ' || most_lines, 'review ' || review_hours, 'item ' || needs_work_item,
                                 'ignored ' || ignored_labels::text, 'window ' || link_window_hours,
                                 'gap ' || rollout_gap_minutes, 'marks ' || marks_pull_requests),
                       E'\\n' ORDER BY agreement_id, during
                   ) AS words
            FROM agreed
            GROUP BY owned_id
        ) AS terms ON terms.owned_id = owned.id
        WHERE terms.words IS NOT NULL OR owned.parts_alone
    )
    SELECT coalesce(now.owned_id, followed.owned_id), now.words
    FROM now FULL JOIN integrations_followedagreement followed USING (owned_id)
    WHERE now.words IS DISTINCT FROM followed.words
"""  # noqa: S608  # constants
_FORGET = "DELETE FROM integrations_followedagreement WHERE owned_id = ANY (%s)"
_KEEP = """
    INSERT INTO integrations_followedagreement (owned_id, words)
    SELECT * FROM unnest(%s::bigint[], %s::text[])
"""
_PULL_REQUESTS = """
    SELECT figures.pull_request_id
    FROM integrations_owned owned
    JOIN integrations_pullrequestfigures figures ON figures.repository_id = owned.repository_id
    WHERE owned.id = ANY (%(owned)s)
      AND (%(since)s::date IS NULL
           OR coalesce(figures.merged_on, figures.opened_on) BETWEEN %(since)s::date AND %(until)s::date)
"""
_SPRINTS = """
    SELECT sprint.id
    FROM integrations_owned owned
    JOIN integrations_sprint sprint ON sprint.connection_id = owned.connection_id AND sprint.board = owned.name
    WHERE owned.id = ANY (%s)
"""
_REPOSITORIES = "SELECT repository_id FROM integrations_owned WHERE id = ANY (%s) AND repository_id IS NOT NULL"
_DEPLOYMENTS = """
    SELECT deployment.id
    FROM integrations_owned owned
    JOIN integrations_deployment deployment
      ON deployment.repository_id = owned.repository_id OR owned.kind = 'service' AND deployment.service = owned.name
    WHERE owned.id = ANY (%s) AND deployment.environment = 'production'
      AND deployment.status IN ('success', 'failure')
"""


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def apply_agreements() -> None:
    """Recompute owned things whose agreement in force differs from the applied one."""
    if _differing():
        _follow()


@transaction.atomic
def _follow() -> None:
    lock_for_linking(frozenset(Kind))
    differing = _differing()
    chosen = {owned_id: words for owned_id, words in differing.items() if words is not None}
    sql.execute(_FORGET, [list(differing)])
    sql.execute(_KEEP, [list(chosen), list(chosen.values())])
    recompute(list(differing), enqueue_pull_requests)


def recompute(
    owned: list[int],
    pull_requests: Callable[[set[int]], object],
    *,
    since: date | None = None,
    until: date | None = None,
) -> None:
    """Re-derive the figures that depend on the terms of these owned things; `pull_requests` recomputes their pull
    requests.

    Given two days, only pull requests merged between them, or opened between them and not merged.  The caller holds the
    lock.
    """
    pull_requests(sql.ids(_PULL_REQUESTS, {"owned": owned, "since": since, "until": until}))
    recompute_sprints(sql.ids(_SPRINTS, [owned]))
    deployments = sql.ids(_DEPLOYMENTS, [owned])
    if regrouped := recompute_rollouts(deployments):
        relink_deployments(regrouped)
    recompute_failures(deployments=deployments)
    relink_pushes(sql.ids(_REPOSITORIES, [owned]))


def differing_owned() -> list[int]:
    """Owned things whose terms in force differ from the terms that their figures were derived with."""
    return list(_differing())


def _differing() -> dict[int, str | None]:
    return dict(sql.rows(_DIFFERING))
