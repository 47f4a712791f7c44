"""Which deployments count, as conditions on a row that is called deployment."""

from __future__ import annotations

from typing import Final, LiteralString

IN_PRODUCTION: Final[LiteralString] = """(
    deployment.status = 'success' AND deployment.environment = 'production'
    AND deployment.finished_at IS NOT NULL AND deployment.deleted_at IS NULL
)"""
"""A successful rollout to production: what users got."""

IS_ROLLBACK: Final[LiteralString] = """(
    deployment.rollback_of <> '' OR EXISTS (
        SELECT FROM integrations_proposedrollback proposed
        WHERE proposed.deployment_id = deployment.id AND proposed.state = 'confirmed'
    )
)"""
"""It says so itself, or somebody confirmed it."""

IN_ORDER: Final[LiteralString] = 'deployment.finished_at, deployment.external_id COLLATE "C", deployment.id'
"""The earliest first.  Of several that finished at one moment the name decides, not the order of their telling."""

LATEST_FIRST: Final[LiteralString] = (
    'deployment.finished_at DESC, deployment.external_id COLLATE "C" DESC, deployment.id DESC'
)
