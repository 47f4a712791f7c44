"""Relinks records after other records lost the values that linked them, or after an admin decided about a rollback.

relink() sees records as they are stored now; this module compares them with their earlier values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, LiteralString

from django.db import transaction
from django.utils import timezone

from core import sql
from integrations.delivery.changed_days import append_record_days
from integrations.delivery.linking.failures import recompute_failures_of_services
from integrations.delivery.linking.relink import (
    place_repositories,
    relink_deployments,
    relink_incidents,
    relink_incidents_of_pairs,
    relink_pushes,
    relink_whole_repository,
)
from integrations.delivery.linking.repeated_incidents import incidents_of
from integrations.delivery.linking.rollbacks import propose_rollbacks_in
from integrations.delivery.rollouts.recompute import recompute_rollouts_in
from integrations.enums import Kind
from integrations.models import ProposedRollback, RepeatedReport
from integrations.outbox.write_lock import lock_for_linking

Grounds = set[tuple[Any, ...]]

_GROUNDS: Mapping[Kind, LiteralString] = {
    # Parents of commits: the listed ones, and the last one listed for a merge (provided_parents.py).
    Kind.PULL_REQUEST: """
        SELECT pull_request.repository_id, listed.sha, array_to_string(listed.parents, ' '), ''
        FROM integrations_pullrequest pull_request
        JOIN integrations_pullrequestcommit listed
             ON listed.pull_request_id = pull_request.id AND listed.parents <> '{}'
        WHERE pull_request.id = ANY (%(ids)s)
        UNION ALL
        SELECT pull_request.repository_id, pull_request.merge_sha, last.sha,
               concat(pull_request.merged_at, ' ', pull_request.target_branch)
        FROM integrations_pullrequest pull_request
        JOIN LATERAL (
            SELECT listed.sha FROM integrations_pullrequestcommit listed
            WHERE listed.pull_request_id = pull_request.id AND listed.parents <> '{}'
            ORDER BY listed.position DESC LIMIT 1
        ) AS last ON true
        WHERE pull_request.id = ANY (%(ids)s) AND pull_request.state = 'merged' AND pull_request.merge_sha <> ''
          AND pull_request.deleted_at IS NULL
    """,
    # The time at which a commit, and any commit at all, first reached production.
    Kind.DEPLOYMENT: """
        SELECT repository_id, service, sha, finished_at, started_at
        FROM integrations_deployment
        WHERE id = ANY (%(ids)s) AND environment = 'production' AND finished_at IS NOT NULL AND deleted_at IS NULL
    """,
    # Where and when an incident may be the same as one of another connection.
    Kind.INCIDENT: """
        SELECT repository_id, service, started_at FROM integrations_incident
        WHERE id = ANY (%(ids)s) AND started_at IS NOT NULL AND deleted_at IS NULL
    """,
}
# Squashes off the default branch: their places do not show what pull requests listed for them.
_SQUASHED_BESIDE: LiteralString = """
    SELECT DISTINCT place.repository_id
    FROM unnest(%(repositories)s::bigint[], %(merges)s::text[], %(heads)s::text[]) AS added (repository_id, merge, head)
    JOIN integrations_commitplace place
         ON place.repository_id = added.repository_id AND place.sha = added.merge AND place.position IS NULL
    JOIN integrations_commit commit ON commit.sha = added.merge
    WHERE added.head <> added.merge AND added.head <> ALL (commit.parents)
"""


def grounds_of(kind: Kind, ids: Collection[int]) -> Grounds:
    """The values of these records that others are linked by; the first column is the repository."""
    statement = _GROUNDS.get(kind)
    return set(sql.rows(statement, {"ids": sorted(ids)})) if statement and ids else set()


def relink_corrected(kind: Kind, ids: Collection[int], before: Grounds) -> None:
    """Relink other records after these changed from the values in `before`; these themselves are already relinked."""
    now = grounds_of(kind, ids)
    if kind == Kind.INCIDENT:
        relink_incidents((), [(repository, service, at) for repository, service, at in before - now])
        return
    withdrawn = {repository for repository, *_ in before - now}
    if kind == Kind.PULL_REQUEST:
        place_repositories(withdrawn | _squashed_beside(now - before))
        return
    for repository in sorted(withdrawn):
        propose_rollbacks_in(repository)
        relink_whole_repository(repository)
    relink_incidents_of_pairs((repository, service) for repository, service, *_ in before - now)
    recompute_failures_of_services(withdrawn, {service for _, service, *_ in before - now})
    relink_pushes(withdrawn)


def _squashed_beside(added: Grounds) -> set[int]:
    merged = [(repository, sha, head) for repository, sha, head, merge in added if merge]
    if not merged:
        return set()
    repositories, merges, heads = zip(*merged, strict=True)
    return sql.ids(_SQUASHED_BESIDE, {"repositories": list(repositories), "merges": list(merges), "heads": list(heads)})


@transaction.atomic
def decide_rollbacks(proposals: Collection[int], state: ProposedRollback.State, *, by: str) -> int:
    """Confirm, refuse or reset proposed rollbacks; return how many changed.

    A confirmed one counts as a rollback: the deployment before it failed, and it delivered nothing new itself.
    """
    lock_for_linking({Kind.DEPLOYMENT})
    proposed = ProposedRollback.objects.select_for_update().filter(pk__in=proposals).exclude(state=state)
    deployments = list(proposed.values_list("pk", flat=True))
    is_open = state == ProposedRollback.State.PROPOSED
    ProposedRollback.objects.filter(pk__in=deployments).update(
        state=state, decided_by="" if is_open else by, decided_at=None if is_open else timezone.now()
    )
    relink_deployments(deployments)
    append_record_days(Kind.DEPLOYMENT, deployments)
    return len(deployments)


@transaction.atomic
def decide_repeated_reports(chosen: Collection[int], state: RepeatedReport.State, *, by: str) -> int:
    """Count reports that two connections share once, or apart; return how many decisions changed."""
    lock_for_linking({Kind.DEPLOYMENT, Kind.INCIDENT})
    decided = list(RepeatedReport.objects.select_for_update().filter(pk__in=chosen).exclude(state=state))
    incidents = incidents_of(report for report in decided if report.kind == Kind.INCIDENT)
    of_deployments = {report.repository_id for report in decided if report.kind == Kind.DEPLOYMENT}
    is_open = state == RepeatedReport.State.ONCE
    RepeatedReport.objects.filter(pk__in=[report.pk for report in decided]).update(
        state=state, decided_by="" if is_open else by, decided_at=None if is_open else timezone.now()
    )
    relink_deployments(recompute_rollouts_in({repository for repository in of_deployments if repository}))
    relink_incidents(incidents)
    return len(decided)
