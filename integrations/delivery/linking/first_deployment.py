"""Pull request → the first successful production deployment that contains its merge.

The content of a deployment is known if the parents of the merge are known and the deployment names a commit of the
graph (docs/decisions/0018).  Otherwise the first deployment that started after the merge and is no rollback counts.  A
sha contains nothing that was merged after its first deployment anywhere in the repository; an unknown sha contains
nothing new when it is deployed again to the same place.  A deployment that contains a copy of the merge counts as well
(copies.py), and so does one of the branch's own head, unless it was deployed before the merge: a squash and the commits
of its branch are one change.

A running minimum finds the first one: deployments and merges are sorted together, from the newest commit to the oldest
or from the latest time to the earliest.  The deployments above a merge contain it, and the one that finished earliest
is the first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, LiteralString

from core import sql
from integrations.delivery.linking.copies import Copy, all_copies, copies_of
from integrations.delivery.linking.side_branches import Beside, deployed_beside
from integrations.delivery.pull_requests.changed_days import note_services
from integrations.facts.delivery import IN_ORDER, IN_PRODUCTION, IS_ROLLBACK
from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes, insert_days
from orgtree.models import Organisation

_OF_PULL_REQUESTS: LiteralString = "pull_request.id = ANY (%(ids)s)"
_OF_ALL: LiteralString = "true"
OF_REPOSITORIES: LiteralString = "deployment.repository_id = ANY (%(repositories)s)"
_MERGED_PULL_REQUESTS: LiteralString = """
    SELECT pull_request.id, pull_request.repository_id, pull_request.merged_at, pull_request.head_sha,
           place.position,
           coalesce(place.parents_known, false) AS known, coalesce(touched.service, '') AS track,
           beside.deployment_id AS beside_id
    FROM integrations_pullrequest pull_request
    LEFT JOIN integrations_commitplace place
         ON place.repository_id = pull_request.repository_id AND place.sha = pull_request.merge_sha
    LEFT JOIN integrations_touchedservice touched ON touched.pull_request_id = pull_request.id
    LEFT JOIN beside
         ON beside.repository_id = pull_request.repository_id AND beside.sha = pull_request.merge_sha
         AND beside.track = coalesce(touched.service, '')
    WHERE pull_request.state = 'merged' AND pull_request.merged_at IS NOT NULL
      AND pull_request.deleted_at IS NULL AND {pull_requests}
"""
# `linked`: the deployment of each row of `merges`, which is a pull request or a push.
_LINKED: LiteralString = """
    beside AS MATERIALIZED (
        SELECT * FROM unnest(%(beside_repositories)s::bigint[], %(beside_tracks)s::text[], %(beside_shas)s::text[],
                             %(beside_deployments)s::bigint[]) AS beside (repository_id, track, sha, deployment_id)
    ), merge AS MATERIALIZED ({merges}), copy AS MATERIALIZED (
        SELECT merge.id, merge.repository_id, merge.track, place.position, beside.deployment_id AS beside_id
        FROM unnest(%(copied)s::bigint[], %(copies)s::text[]) AS copied (merge_id, sha)
        JOIN merge ON merge.id = copied.merge_id
        JOIN integrations_commitplace place
             ON place.repository_id = merge.repository_id AND place.sha = copied.sha AND place.parents_known
        LEFT JOIN beside ON beside.repository_id = merge.repository_id AND beside.sha = copied.sha
             AND beside.track = merge.track
    ), rollout AS MATERIALIZED (
        SELECT deployment.id, deployment.repository_id, deployment.service, deployment.finished_at,
               began.started_at, deployment.sha, place.sha IS NULL AS is_unknown,
               CASE WHEN deployment.sha = '' THEN began.started_at
                    ELSE min(began.started_at) OVER (PARTITION BY deployment.repository_id, deployment.sha)
                    END AS sha_started_at,
               place.base, {is_rollback} AS is_rollback,
               row_number() OVER (ORDER BY {in_order}) AS rank
        FROM integrations_deployment deployment
        LEFT JOIN integrations_commitplace place
             ON place.repository_id = deployment.repository_id AND place.sha = deployment.sha
        CROSS JOIN LATERAL (
            SELECT coalesce(deployment.rollout_started_at, deployment.started_at, deployment.finished_at) AS started_at
        ) AS began
        WHERE {in_production} AND {deployments}
    ), on_track AS MATERIALIZED (
        SELECT tracked.*,
               is_unknown AND (sha = '' OR row_number() OVER (PARTITION BY repository_id, track, sha ORDER BY rank) = 1)
                   AS is_new_and_unknown
        FROM (
            SELECT rollout.*, '' AS track FROM rollout
            UNION ALL
            SELECT rollout.*, paths.service FROM rollout
            JOIN integrations_servicepaths paths
                 ON paths.repository_id = rollout.repository_id AND rollout.service IN ('', paths.service)
        ) AS tracked
    ), known_since AS MATERIALIZED (
        SELECT merge.id AS merge_id,
               merge.merged_at < min(since.finished_at) - make_interval(days => %(history)s) AS predates
        FROM merge
        JOIN (
            SELECT repository_id, track, min(finished_at) AS finished_at FROM on_track GROUP BY repository_id, track
        ) AS since USING (repository_id, track)
        GROUP BY merge.id, merge.merged_at
    ), by_position AS (
        SELECT merge_id, first, preference FROM (
            SELECT merge_id, preference,
                   min(rank) OVER (PARTITION BY repository_id, track ORDER BY position DESC, merge_id NULLS FIRST
                                   ROWS UNBOUNDED PRECEDING) AS first
            FROM (
                SELECT repository_id, track, base AS position, rank, NULL::bigint AS merge_id, NULL::int AS preference
                FROM on_track WHERE base IS NOT NULL
                UNION ALL
                SELECT repository_id, track, position, NULL, id, 1 FROM merge WHERE known AND position IS NOT NULL
                UNION ALL
                SELECT repository_id, track, position, NULL, id, 3 FROM copy WHERE position IS NOT NULL
            ) AS in_order
        ) AS ranked
        WHERE merge_id IS NOT NULL AND first IS NOT NULL
    ), by_time AS (
        SELECT merge_id, CASE WHEN known THEN first_unknown ELSE first END AS first FROM (
            SELECT merge_id, known, min(rank) OVER since AS first, min(new_rank) OVER since AS first_unknown
            FROM (
                SELECT repository_id, track, sha_started_at AS at, rank,
                       CASE WHEN is_new_and_unknown THEN rank END AS new_rank,
                       NULL::bigint AS merge_id, NULL::boolean AS known
                FROM on_track WHERE NOT is_rollback
                UNION ALL
                SELECT repository_id, track, merged_at, NULL, NULL, id, known FROM merge
                WHERE NOT known OR repository_id IN (SELECT repository_id FROM rollout WHERE is_unknown)
            ) AS in_order
            WINDOW since AS (PARTITION BY repository_id, track ORDER BY at DESC, merge_id NULLS LAST
                             ROWS UNBOUNDED PRECEDING)
        ) AS ranked
        WHERE merge_id IS NOT NULL
    ), by_head AS (
        SELECT merge.id AS merge_id, min(on_track.rank) AS first
        FROM merge
        JOIN on_track ON on_track.repository_id = merge.repository_id AND on_track.track = merge.track
             AND on_track.sha = merge.head_sha AND on_track.sha_started_at >= merge.merged_at
        WHERE merge.head_sha <> ''
        GROUP BY merge.id
    ), earliest AS (
        SELECT merge_id, first, preference FROM by_position
        UNION ALL
        SELECT merge.id, rollout.rank, 2 FROM merge JOIN rollout ON rollout.id = merge.beside_id WHERE merge.known
        UNION ALL
        SELECT copy.id, rollout.rank, 3 FROM copy JOIN rollout ON rollout.id = copy.beside_id
        UNION ALL
        SELECT merge_id, first, 3 FROM by_head
        UNION ALL
        SELECT merge_id, first, 4 FROM by_time WHERE first IS NOT NULL
    ), linked AS (
        SELECT DISTINCT ON (earliest.merge_id) earliest.merge_id, rollout.id AS deployment_id,
               (ARRAY['chain', 'graph', 'pick', 'time'])[earliest.preference] AS method,
               rollout.finished_at AS deployed_at, rollout.finished_at::date AS deployed_on,
               known_since.predates
        FROM earliest
        JOIN rollout ON rollout.rank = earliest.first
        JOIN known_since USING (merge_id)
        ORDER BY earliest.merge_id, earliest.first, earliest.preference
    )
"""
_RECOMPUTE: LiteralString = """
    WITH {linked}, gone AS (
        DELETE FROM integrations_deployedpullrequest stored
        USING integrations_pullrequest pull_request
        WHERE pull_request.id = stored.pull_request_id AND {pull_requests}
          AND NOT EXISTS (SELECT FROM linked WHERE linked.merge_id = stored.pull_request_id)
        RETURNING stored.pull_request_id, stored.deployed_on
    ), before AS MATERIALIZED (
        SELECT stored.pull_request_id, stored.deployed_on, linked.deployed_on AS now_on
        FROM linked JOIN integrations_deployedpullrequest stored ON stored.pull_request_id = linked.merge_id
        WHERE (stored.deployment_id, stored.method, stored.deployed_at, stored.deployed_on, stored.predates)
              IS DISTINCT FROM (linked.deployment_id, linked.method, linked.deployed_at, linked.deployed_on,
                                linked.predates)
    ), put AS (
        INSERT INTO integrations_deployedpullrequest AS stored
            (pull_request_id, deployment_id, method, deployed_at, deployed_on, predates)
        SELECT * FROM linked
        {update_changed}
        RETURNING stored.pull_request_id, stored.deployed_on
    ), changed AS (
        SELECT pull_request_id, deployed_on FROM gone
        UNION ALL SELECT pull_request_id, deployed_on FROM before
        UNION ALL SELECT pull_request_id, deployed_on FROM put
    ), noted AS ({note_changed})
    SELECT DISTINCT pull_request_id FROM changed
"""
_UPDATE_CHANGED = sql.update_changed(
    "pull_request_id", ("deployment_id", "method", "deployed_at", "deployed_on", "predates")
)
_NOTE_CHANGED = insert_days({FactFamily.DEPLOYMENT: "SELECT deployed_on, deployed_on + 1 FROM changed"})


def recompute_first_deployments(pull_requests: Collection[int]) -> int:
    """Relink these pull requests to their first deployments; return how many changed."""
    if not pull_requests:
        return 0
    ids = sorted(pull_requests)
    copies = copies_of(ids)
    return _recompute(_OF_PULL_REQUESTS, OF_REPOSITORIES, deployed_beside(ids, copies), copies, ids)


def recompute_all_first_deployments() -> int:
    """Relink all pull requests to their first deployments; return how many changed."""
    copies = all_copies()
    return _recompute(_OF_ALL, _OF_ALL, deployed_beside(None, copies), copies, [])


def _recompute(
    pull_requests: LiteralString,
    deployments: LiteralString,
    beside: Collection[Beside],
    copies: Collection[Copy],
    ids: Collection[int],
) -> int:
    linked = linked_merges(_MERGED_PULL_REQUESTS.format(pull_requests=pull_requests), deployments)
    changed = sql.column(
        _RECOMPUTE.format(
            linked=linked, pull_requests=pull_requests, note_changed=_NOTE_CHANGED, update_changed=_UPDATE_CHANGED
        ),
        {"ids": list(ids), **params_of_linked(_repositories_of(ids), beside, copies)},
    )
    note_services(changed)
    if changed:
        announce_changes()
    return len(changed)


def linked_merges(merges: LiteralString, deployments: LiteralString) -> str:
    """CTEs, the last of which, `linked`, has the deployment of each row of `merges`.

    Columns of `merges`: as in _MERGED_PULL_REQUESTS.  `deployments` is a condition on the deployments considered.
    """
    return _LINKED.format(
        merges=merges, deployments=deployments, in_production=IN_PRODUCTION, is_rollback=IS_ROLLBACK, in_order=IN_ORDER
    )


def params_of_linked(
    repositories: Collection[int], beside: Collection[Beside], copies: Collection[Copy]
) -> dict[str, Any]:
    """The parameters of these CTEs."""
    return {
        "repositories": list(repositories),
        "history": Organisation.current().lead_time_history_days,
        "copied": [copy.merge_id for copy in copies],
        "copies": [copy.sha for copy in copies],
        "beside_repositories": [commit.repository_id for commit in beside],
        "beside_tracks": [commit.track for commit in beside],
        "beside_shas": [commit.sha for commit in beside],
        "beside_deployments": [commit.deployment_id for commit in beside],
    }


def _repositories_of(pull_requests: Collection[int]) -> list[int]:
    """The pull requests' repositories, read beforehand: inside the statement, the planner would expect hundreds of them
    and read every deployment.
    """
    return sql.column(
        "SELECT DISTINCT repository_id FROM integrations_pullrequest WHERE id = ANY (%s)", [list(pull_requests)]
    )
