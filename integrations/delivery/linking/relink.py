"""Relinks what stored records affect, in the same transaction; called by intake."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import LiteralString

from django.db import transaction

from core import sql
from core.queue import drain, take
from integrations.delivery.linking.commit_positions import place_new_commits, place_repository
from integrations.delivery.linking.copies import copied_by
from integrations.delivery.linking.failures import recompute_all_failures, recompute_failures
from integrations.delivery.linking.first_deployment import recompute_all_first_deployments, recompute_first_deployments
from integrations.delivery.linking.named_commits import (
    note_all_unknown_commits,
    note_unknown_commits,
    resolve_all_named_commits,
    resolve_named_commits_in,
)
from integrations.delivery.linking.provided_parents import with_merges_to_place
from integrations.delivery.linking.pushes import recompute_pushes, repositories_with_pushes
from integrations.delivery.linking.repeated_incidents import (
    Place,
    incidents_first_paired_by,
    incidents_of_pairs,
    recompute_all_repeated_incidents,
    recompute_repeated_incidents,
)
from integrations.delivery.linking.rollbacks import propose_all_rollbacks, propose_rollbacks, propose_rollbacks_in
from integrations.delivery.linking.service_paths import (
    recompute_touched_services,
    recompute_touched_services_in,
    touching,
    touching_placed,
)
from integrations.delivery.linking.work_item_origins import (
    linked_to,
    recompute_all_work_item_origins,
    recompute_work_item_origins,
)
from integrations.delivery.pull_requests.changed_days import note_lead_times
from integrations.delivery.rollouts.recompute import recompute_all_rollouts, recompute_rollouts
from integrations.enums import Kind
from integrations.models import CommitPlace, PlacingWork, Repository, ServicePaths
from integrations.outbox.pull_request_queue import enqueue_pull_requests_naming
from integrations.outbox.write_lock import lock_for_linking

LARGE = 5_000  # commits: numbering this many takes a few hundredths of a second
# Pull requests linked to one of these deployments, to one that finished no earlier, or to none yet.  A deployment of an
# unknown sha gives way to an earlier one of the same sha.
_MAY_CHANGE: LiteralString = """
    WITH touched AS (
        SELECT deployment.repository_id, least(min(deployment.finished_at), min(same.finished_at)) AS since
        FROM integrations_deployment deployment
        LEFT JOIN integrations_deployment same ON same.repository_id = deployment.repository_id
             AND same.sha = deployment.sha AND same.sha <> ''
        WHERE deployment.id = ANY (%(deployments)s) AND deployment.environment = 'production'
        GROUP BY deployment.repository_id
    )
    SELECT pull_request.id FROM touched
    JOIN integrations_pullrequest pull_request ON pull_request.repository_id = touched.repository_id
         AND pull_request.state = 'merged'
    LEFT JOIN integrations_deployedpullrequest stored ON stored.pull_request_id = pull_request.id
    WHERE stored.deployed_at IS NULL OR stored.deployed_at >= touched.since
    UNION
    SELECT pull_request_id FROM integrations_deployedpullrequest WHERE deployment_id = ANY (%(deployments)s)
"""
# Commits that are listed with their parents, but not placed with them yet.
_LISTED_WITH_PARENTS: LiteralString = """
    SELECT DISTINCT pull_request.repository_id
    FROM integrations_pullrequest pull_request
    JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id AND listed.parents <> '{}'
    WHERE pull_request.id = ANY (%(ids)s) AND NOT EXISTS (
        SELECT FROM integrations_commitplace place
        WHERE place.repository_id = pull_request.repository_id AND place.sha = listed.sha AND place.parents_known
    )
"""
# Commits that a merge or deployment names and another repository has, but that are not placed in their own.
_KNOWN_ELSEWHERE: LiteralString = """
    SELECT DISTINCT named.repository_id
    FROM {table} named
    JOIN integrations_commit commit ON commit.sha = named.{sha}
    WHERE named.id = ANY (%(ids)s) AND NOT EXISTS (
        SELECT FROM integrations_commitplace place
        WHERE place.repository_id = named.repository_id AND place.sha = named.{sha} AND place.parents_known
    )
"""
_OF_MERGE: LiteralString = _KNOWN_ELSEWHERE.format(table="integrations_pullrequest", sha="merge_sha")
_OF_DEPLOYMENT: LiteralString = _KNOWN_ELSEWHERE.format(table="integrations_deployment", sha="sha")
_DEPLOYED_MERGES: LiteralString = """
    SELECT deployment.id FROM integrations_pullrequest pull_request
    JOIN integrations_deployment deployment
      ON deployment.sha = pull_request.merge_sha AND deployment.repository_id = pull_request.repository_id
    WHERE pull_request.id = ANY (%(ids)s) AND pull_request.merge_sha <> ''
"""
# Deployments that working agreements may make hotfixes, because of these pull requests.
_DEPLOYED_BY_RULE: LiteralString = f"{_DEPLOYED_MERGES} AND EXISTS (SELECT FROM integrations_workingagreement)"
_NAMING_SHAS: LiteralString = """
    SELECT id FROM {table} WHERE repository_id = %(repository)s AND {sha} = ANY (%(shas)s)
"""
_DEPLOYED_BESIDE: LiteralString = """
    SELECT deployment.id FROM integrations_deployment deployment
    JOIN integrations_commitplace place ON place.repository_id = deployment.repository_id
         AND place.sha = deployment.sha AND NOT place.on_chain
    WHERE deployment.repository_id = %(repository)s
"""
_REPOSITORIES_OF: LiteralString = "SELECT repository_id FROM integrations_pullrequest WHERE id = ANY (%(ids)s)"
_REPOSITORIES_OF_DEPLOYMENTS: LiteralString = (
    "SELECT repository_id FROM integrations_deployment WHERE id = ANY (%(ids)s)"
)
_OF_REPOSITORY: LiteralString = "SELECT id FROM integrations_pullrequest WHERE repository_id = %(repository)s"
_INCIDENTS_OF_REPOSITORY: LiteralString = """
    SELECT id FROM integrations_incident WHERE repository_id = %(repository)s AND service = ''
    UNION
    SELECT id FROM integrations_incident WHERE repository_id IS NULL AND service <> '' AND (
        service = ANY (%(services)s)
        OR service IN (SELECT service FROM integrations_servicepaths WHERE repository_id = %(repository)s)
    )
"""
_MERGES_NAMING: LiteralString = _NAMING_SHAS.format(table="integrations_pullrequest", sha="merge_sha")
_DEPLOYMENTS_NAMING: LiteralString = _NAMING_SHAS.format(table="integrations_deployment", sha="sha")


def relink(kind: Kind, ids: Collection[int]) -> None:
    """Relink everything that depends on these records, which were stored, changed or deleted."""
    if not ids:
        return
    if kind == Kind.PULL_REQUEST:
        relink_pull_requests(ids)
    elif kind == Kind.WORK_ITEM:
        relink_work_items(ids)
    elif kind == Kind.DEPLOYMENT:
        relink_deployments(ids)
    elif kind == Kind.INCIDENT:
        relink_incidents(ids)


def relink_pull_requests(ids: Collection[int]) -> None:
    """Relink pull requests whose merges, parents of commits, work items or paths may have changed."""
    relink_named_commits(_ids(_REPOSITORIES_OF, ids=ids))
    note_unknown_commits(_ids(_DEPLOYED_MERGES, ids=ids))
    place_repositories(_ids(_LISTED_WITH_PARENTS, ids=ids) | _ids(_OF_MERGE, ids=ids) | with_merges_to_place(ids))
    recompute_first_deployments(recompute_touched_services(ids).union(ids))
    recompute_failures(deployments=_ids(_DEPLOYED_BY_RULE, ids=ids))
    note_lead_times(recompute_work_item_origins(ids))
    _queue(repositories_with_pushes(_ids(_REPOSITORIES_OF, ids=ids)))


def relink_work_items(ids: Collection[int]) -> None:
    """Relink work items whose creation, or first time in progress, may have changed."""
    note_lead_times(recompute_work_item_origins(linked_to(ids)))


def relink_incidents(ids: Collection[int], before: Iterable[Place] = ()) -> None:
    """Relink incidents that may be new or gone, or had another place in `before`, and those that repeat them."""
    recompute_failures(incidents=recompute_repeated_incidents(ids, before).union(ids))


def relink_incidents_of_pairs(pairs: Iterable[tuple[int, str]]) -> None:
    """Relink incidents of these pairs of repository and service, which a deployment may no longer state to belong
    together.
    """
    relink_incidents(incidents_of_pairs(pairs))


def relink_deployments(ids: Collection[int]) -> None:
    """Relink deployments that may be new or gone, have other times, belong to another rollout, or repair others."""
    ids = recompute_rollouts(ids).union(ids)
    place_repositories(_ids(_OF_DEPLOYMENT, ids=ids))
    note_unknown_commits(ids)
    propose_rollbacks(ids)
    relink_incidents(incidents_first_paired_by(ids))
    recompute_failures(deployments=ids)
    recompute_first_deployments(_ids(_MAY_CHANGE, deployments=ids))
    relink_pushes(_ids(_REPOSITORIES_OF_DEPLOYMENTS, ids=ids))


def relink_commits(repository: Repository, commits: Collection[int]) -> None:
    """Place commits that the repository gained or lost, and relink what that affects."""
    placed = place_new_commits(repository, commits)
    if placed is None:
        _number_again(repository)
    else:
        relink_placed_commits(repository, placed)
        relink_pushes({repository.pk})
    of_paths = touching(repository.pk, commits)
    recompute_first_deployments(recompute_touched_services(of_paths) | copied_by(repository.pk, commits=commits))


def place_waiting_commits() -> int:
    """Number the repositories in the queue, one transaction each; return how many there were."""
    return drain(_place_next)


def _place_next() -> int:
    lock_for_linking({Kind.COMMIT})
    waiting = take(PlacingWork.objects.select_related("repository").order_by("pk"), 1)
    for work in waiting:
        _number(work.repository)
    return len(waiting)


def _number(repository: Repository) -> None:
    """Number the repository, and relink what that affects."""
    relink_placed_commits(repository, place_repository(repository))
    beside = _ids(_DEPLOYED_BESIDE, repository=repository.pk)
    if beside:  # their places do not show everything that they contain
        recompute_first_deployments(_ids(_MAY_CHANGE, deployments=beside))
    recompute_pushes([repository.pk])


def relink_pushes(repositories: Collection[int]) -> None:
    """Relink the pushes of these repositories; those of a large one in the worker, once it is numbered."""
    concerned = repositories_with_pushes(repositories) if repositories else set()
    large = {repository for repository in concerned if _is_large(repository)}
    _queue(large)
    recompute_pushes(concerned - large)


def relink_placed_commits(repository: Repository, shas: Collection[str]) -> None:
    """Relink the records that name these commits, whose place changed."""
    if not shas:
        return
    relink_named_commits({repository.pk})
    enqueue_pull_requests_naming(repository.pk, shas)
    merges = _ids(_MERGES_NAMING, repository=repository.pk, shas=shas) | copied_by(repository.pk, shas=shas)
    merges |= recompute_touched_services(touching_placed(repository.pk, shas))
    deployments = _ids(_DEPLOYMENTS_NAMING, repository=repository.pk, shas=shas)
    note_unknown_commits(deployments)
    if deployments:
        propose_rollbacks_in(repository.pk)
        merges |= _ids(_MAY_CHANGE, deployments=deployments)
    recompute_first_deployments(merges)


def relink_named_commits(repositories: Collection[int]) -> None:
    """Relink the deployments whose named commit in these repositories changed, because more or fewer commits
    are known.
    """
    changed = resolve_named_commits_in(repositories)
    if not changed:
        return
    relink_deployments(changed)
    for repository in sorted(_ids(_REPOSITORIES_OF_DEPLOYMENTS, ids=changed)):
        propose_rollbacks_in(repository)
        relink_whole_repository(repository)


def relink_paths(repository_id: int, services: Collection[str] = ()) -> None:
    """Relink a repository's pull requests and incidents by its current path rules, and incidents of the services that
    had others.
    """
    recompute_touched_services_in(repository_id)
    relink_whole_repository(repository_id)
    relink_incidents(_ids(_INCIDENTS_OF_REPOSITORY, repository=repository_id, services=list(services)))
    _queue(repositories_with_pushes([repository_id]))


def relink_whole_repository(repository_id: int) -> None:
    """Relink all pull requests of a repository whose deployments were deleted."""
    recompute_first_deployments(_ids(_OF_REPOSITORY, repository=repository_id))


def place_repositories(repositories: Iterable[int]) -> None:
    """Number these repositories, and relink what that affects; large ones in the worker."""
    for repository in Repository.objects.filter(pk__in=set(repositories)).order_by("pk"):
        _number_again(repository)


def _number_again(repository: Repository) -> None:
    """Number the repository; a large one in the worker, within seconds, and once for many pages.

    Otherwise, a history that is read newest first would be renumbered with each page.
    """
    if _is_large(repository.pk):
        _queue({repository.pk})
    else:
        _number(repository)


def _is_large(repository_id: int) -> bool:
    return CommitPlace.objects.filter(repository=repository_id)[LARGE:].exists()


def _queue(repositories: Collection[int]) -> None:
    """Have the worker number these repositories, and relink their pushes, under the exclusive lock."""
    PlacingWork.objects.bulk_create(
        [PlacingWork(repository_id=repository) for repository in sorted(repositories)], ignore_conflicts=True
    )


def _ids(statement: LiteralString, **params: int | Collection[int] | Collection[str]) -> set[int]:
    return sql.ids(
        statement, {name: value if isinstance(value, int) else list(value) for name, value in params.items()}
    )


def relink_everything() -> None:
    """Place every commit, and relink every pull request, deployment and incident.  Idempotent."""
    place_everything()
    with transaction.atomic():
        link_everything()


def link_everything() -> None:
    """Relink everything without renumbering commits, in the caller's transaction."""
    for repository in ServicePaths.objects.values_list("repository", flat=True).distinct():
        recompute_touched_services_in(repository)
    note_all_unknown_commits()
    recompute_all_rollouts()
    propose_all_rollbacks()
    recompute_all_repeated_incidents()
    recompute_all_failures()
    note_lead_times(recompute_all_work_item_origins())
    recompute_all_first_deployments()
    recompute_pushes()


def place_everything() -> None:
    """Place the commits of every repository, one transaction each, and resolve the commits that deployments name."""
    for repository in Repository.objects.order_by("pk"):
        with transaction.atomic():
            place_repository(repository)
    resolve_all_named_commits()
    sql.execute("ANALYZE integrations_commitplace")
