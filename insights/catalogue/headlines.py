"""The headline metrics by which the AI and delivery pages compare units."""

from __future__ import annotations

AI = (
    "ai.active_developers",
    "ai.adoption_rate",
    "ai.sessions_per_developer",
    "ai.committed_code_share",
    "ai.spend",
    "ai.spend_per_developer",
    "ai.spend_wasted",
    "ai.cache_hit_rate",
    "ai.error_rate",
    "ai.ship_rate",
)
DELIVERY = (
    "dora.deployment_frequency",
    "dora.lead_time",
    "dora.change_failure_rate",
    "dora.recovery_time",
    "dora.rework_rate",
    "pr.cycle_time",
    "pr.pickup_time",
    "pr.throughput",
    "pr.size",
    "pr.unreviewed_rate",
)
