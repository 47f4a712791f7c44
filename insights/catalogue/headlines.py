"""The headline metrics by which the AI and delivery pages compare units, with their labels."""

from __future__ import annotations

from collections.abc import Mapping

AI: Mapping[str, str] = {
    "ai.active_developers": "Active developers",
    "ai.adoption_rate": "Adoption",
    "ai.sessions_per_developer": "Sessions/dev",
    "ai.committed_code_share": "AI committed",
    "ai.spend": "Spend",
    "ai.spend_per_developer": "Spend/dev",
    "ai.spend_wasted": "Wasted",
    "ai.cache_hit_rate": "Cache hits",
    "ai.error_rate": "Error rate",
    "ai.ship_rate": "Ship rate",
}
DELIVERY: Mapping[str, str] = {
    "dora.deployment_frequency": "Deployments",
    "dora.lead_time": "Lead time",
    "dora.change_failure_rate": "Failure rate",
    "dora.recovery_time": "Recovery",
    "dora.rework_rate": "Rework",
    "pr.cycle_time": "Cycle time",
    "pr.pickup_time": "Pickup",
    "pr.throughput": "Merged PRs",
    "pr.size": "PR size",
    "pr.unreviewed_rate": "Unreviewed",
}
