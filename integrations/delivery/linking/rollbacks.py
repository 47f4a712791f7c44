"""Redeployments of an older state, proposed as rollbacks for an admin to confirm.

A deployment of a service goes back if its commit precedes that of the previous deployment or, if the graph cannot
decide, if its commit had been deployed before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, LiteralString

from core import sql
from integrations.facts.delivery import IN_ORDER, IN_PRODUCTION

_OF_THESE: LiteralString = """
    (deployment.repository_id, deployment.service) IN (
        SELECT repository_id, service FROM integrations_deployment WHERE id = ANY (%(deployments)s)
    )
"""
_OF_REPOSITORY: LiteralString = "deployment.repository_id = %(repository)s"
# One row per deployment that goes back, with the one before it.
_RECOMPUTE: LiteralString = """
    WITH rollout AS (
        SELECT deployment.id, deployment.repository_id, deployment.service, deployment.sha, deployment.rollback_of,
               place.base, deployment.finished_at,
               lag(deployment.id) OVER in_order AS before_id,
               lag(deployment.sha) OVER in_order AS sha_before,
               lag(place.base) OVER in_order AS base_before,
               row_number() OVER (
                   PARTITION BY deployment.repository_id, deployment.service, deployment.sha
                   ORDER BY {in_order}
               ) > 1 AS is_known
        FROM integrations_deployment deployment
        LEFT JOIN integrations_commitplace place
             ON place.repository_id = deployment.repository_id AND place.sha = deployment.sha
        WHERE {in_production} AND {scope}
        WINDOW in_order AS (
            PARTITION BY deployment.repository_id, deployment.service ORDER BY {in_order}
        )
    ), going_back AS MATERIALIZED (
        SELECT id, before_id FROM rollout
        WHERE sha <> '' AND rollback_of = '' AND sha_before <> '' AND sha <> sha_before
          AND (CASE WHEN base <> base_before THEN base < base_before ELSE is_known END)
    ), gone AS (
        DELETE FROM integrations_proposedrollback proposed
        USING integrations_deployment deployment
        WHERE deployment.id = proposed.deployment_id AND {scope} AND proposed.state = 'proposed'
          AND NOT EXISTS (SELECT FROM going_back WHERE going_back.id = proposed.deployment_id)
    )
    INSERT INTO integrations_proposedrollback AS proposed (deployment_id, rolled_back_id)
    SELECT id, before_id FROM going_back
    ON CONFLICT (deployment_id) DO UPDATE SET rolled_back_id = excluded.rolled_back_id
    WHERE proposed.state = 'proposed' AND proposed.rolled_back_id <> excluded.rolled_back_id
"""


def propose_rollbacks(deployments: Collection[int]) -> None:
    """Recompute which deployments of these deployments' services go back; admins' decisions stay."""
    if deployments:
        _recompute(_OF_THESE, {"deployments": sorted(deployments)})


def propose_rollbacks_in(repository_id: int) -> None:
    """Recompute proposed rollbacks for all deployments of a repository whose commits changed."""
    _recompute(_OF_REPOSITORY, {"repository": repository_id})


def propose_all_rollbacks() -> None:
    """Recompute proposed rollbacks for all deployments."""
    _recompute("true", {})


def _recompute(scope: LiteralString, params: Mapping[str, Any]) -> None:
    sql.execute(_RECOMPUTE.format(scope=scope, in_production=IN_PRODUCTION, in_order=IN_ORDER), params)
