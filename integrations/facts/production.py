"""SQL conditions on a row named `deployment`: which deployments count."""

from __future__ import annotations

from typing import Final, LiteralString

IN_PRODUCTION: Final[LiteralString] = """(
    deployment.status = 'success' AND deployment.environment = 'production'
    AND deployment.finished_at IS NOT NULL AND deployment.deleted_at IS NULL AND deployment.exclusion_reason = ''
)"""
"""A successful rollout to production: of several deployments that are one, the one by which it counts."""

ROLLED_OUT: Final[LiteralString] = """(
    deployment.status IN ('success', 'failure') AND deployment.environment = 'production'
    AND deployment.rollout_started_at IS NOT NULL AND deployment.finished_at IS NOT NULL
    AND deployment.deleted_at IS NULL AND deployment.exclusion_reason = ''
)"""
"""A rollout to production that has ended, successful or not: an incident may blame either."""

IS_ROLLBACK: Final[LiteralString] = """(
    deployment.rollback_of <> '' OR EXISTS (
        SELECT FROM integrations_proposedrollback proposed
        WHERE proposed.deployment_id = deployment.id AND proposed.state = 'confirmed'
    ) OR EXISTS (
        SELECT FROM integrations_deployment part WHERE part.part_of_id = deployment.id AND part.rollback_of <> ''
    )
)"""
"""Marked as a rollback by the tool, or confirmed by a person."""

IN_ORDER: Final[LiteralString] = 'deployment.finished_at, deployment.external_id COLLATE "C", deployment.id'
"""The earliest first.  Ties are broken by name, not by order of arrival."""

LATEST_START_FIRST: Final[LiteralString] = (
    'deployment.rollout_started_at DESC, deployment.finished_at DESC, deployment.external_id COLLATE "C" DESC, '
    "deployment.id DESC"
)

LATEST_FIRST: Final[LiteralString] = (
    'deployment.finished_at DESC, deployment.external_id COLLATE "C" DESC, deployment.id DESC'
)
