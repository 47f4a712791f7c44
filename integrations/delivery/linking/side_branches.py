"""Merges off the default branch: the content of deployments of release branches, found by walking the graph.

Only repositories that deployed a commit off the chain are walked, and each commit once, whatever the number of
deployments: only the first deployment that contains it matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from core import sql
from integrations.delivery.linking.commit_graph import first_deployed
from integrations.delivery.linking.copies import Copy
from integrations.delivery.linking.provided_parents import LISTED, add_merges, merges_of
from integrations.facts.delivery import IN_ORDER, IN_PRODUCTION

DEPLOYED_BESIDE = f"""
    SELECT DISTINCT deployment.repository_id
    FROM integrations_deployment deployment
    JOIN integrations_commitplace place ON place.repository_id = deployment.repository_id
         AND place.sha = deployment.sha AND NOT place.on_chain
    WHERE deployment.repository_id = ANY (%(repositories)s) AND {IN_PRODUCTION}
"""  # noqa: S608  # a constant
"""Those of %(repositories)s with a deployment of a commit beside the chain."""

# Repositories with both a deployment and one of the given merges (or a copy of one) off the chain.
# Once per repository: otherwise its deployments would be looked up again for every merge.
_REPOSITORIES = f"""
    WITH merged_beside AS MATERIALIZED (
        SELECT DISTINCT merge.repository_id
        FROM (
            SELECT pull_request.repository_id, pull_request.merge_sha AS sha
            FROM integrations_pullrequest pull_request
            WHERE %(ids)s::bigint[] IS NULL OR pull_request.id = ANY (%(ids)s)
            UNION ALL
            SELECT * FROM unnest(%(copied_in)s::bigint[], %(copies)s::text[])
        ) AS merge
        JOIN integrations_commitplace place
             ON place.repository_id = merge.repository_id AND place.sha = merge.sha AND NOT place.on_chain
    )
    SELECT repository_id FROM merged_beside
    WHERE EXISTS (
        SELECT FROM integrations_deployment deployment
        JOIN integrations_commitplace place ON place.repository_id = deployment.repository_id
             AND place.sha = deployment.sha AND NOT place.on_chain
        WHERE deployment.repository_id = merged_beside.repository_id AND {IN_PRODUCTION}
    )
"""  # noqa: S608  # constants of this module
_COMMITS = f"""
    SELECT place.sha, commit.parents
    FROM integrations_commitplace place
    JOIN integrations_commit commit ON commit.sha = place.sha
    WHERE place.repository_id = %(repository)s AND NOT place.on_chain
    UNION ALL
    {LISTED}
"""  # noqa: S608  # a constant
_CHAIN = "SELECT sha FROM integrations_commitplace WHERE repository_id = %s AND on_chain AND sha = ANY (%s)"
_DEPLOYMENTS = f"""
    SELECT deployment.id, deployment.sha, deployment.service
    FROM integrations_deployment deployment
    JOIN integrations_commitplace place
         ON place.repository_id = deployment.repository_id AND place.sha = deployment.sha AND NOT place.on_chain
    WHERE deployment.repository_id = %s AND {IN_PRODUCTION}
    ORDER BY {IN_ORDER}
"""  # noqa: S608  # constants of this module


class Beside(NamedTuple):
    """The first deployment of one service, or (track empty) of any, that contains a commit off the chain."""

    repository_id: int
    track: str
    sha: str
    deployment_id: int


def deployed_beside(pull_requests: Sequence[int] | None, copies: Collection[Copy]) -> Collection[Beside]:
    """Deployed commits off the chains of these pull requests' repositories (None: of all repositories)."""
    repositories = sql.column(
        _REPOSITORIES,
        {
            "ids": None if pull_requests is None else list(pull_requests),
            "copied_in": [copy.repository_id for copy in copies],
            "copies": [copy.sha for copy in copies],
        },
    )
    return [deployed for repository in repositories for deployed in _deployed_beside(repository)]


def _deployed_beside(repository: int) -> Collection[Beside]:
    parents: dict[str, Sequence[str]] = {}
    tracks: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for sha, own_parents in sql.rows(_COMMITS, {"repository": repository}):
        if own_parents or sha not in parents:
            parents[sha] = own_parents
    add_merges(parents, merges_of(repository))
    around = {parent for of in parents.values() for parent in of}
    on_chain = frozenset(sql.column(_CHAIN, [repository, list(around)]))
    services = sql.column("SELECT service FROM integrations_servicepaths WHERE repository_id = %s", [repository])
    for deployment, sha, service in sql.rows(_DEPLOYMENTS, [repository]):
        for track in ("", *(name for name in services if service in ("", name))):
            tracks[track].append((deployment, sha))
    return [
        Beside(repository, track, sha, deployment)
        for track, deployments in tracks.items()
        for sha, deployment in first_deployed(parents, deployments, on_chain).items()
    ]
