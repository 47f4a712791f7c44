"""The figures in which the delivery page sets units side by side."""

from __future__ import annotations

from insights.metrics.registry import get
from insights.views.units import Column

LABELS = {
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
DELIVERY_COLUMNS = tuple(Column(key, LABELS[key], key, get(key).unit) for key in LABELS)
