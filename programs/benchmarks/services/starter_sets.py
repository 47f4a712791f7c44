"""Starter sets: three to five indicators to start with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from insights.catalogue.declarations import Metric
from programs.benchmarks.services.fields import offered_metrics


@dataclass(frozen=True)
class StarterSet:
    slug: str
    name: str
    why: str
    keys: tuple[str, ...]

    @property
    def metrics(self) -> list[Metric]:
        """Those that there are, in order."""
        by_key = {metric.key: metric for metric in offered_metrics()}
        return [by_key[key] for key in self.keys if key in by_key]


_ALL = (
    StarterSet(
        "dora",
        "DORA",
        "How fast and how safely changes reach users: the four keys with rework. Trading one off against another "
        "becomes visible.",
        (
            "dora.deployment_frequency",
            "dora.lead_time",
            "dora.change_failure_rate",
            "dora.recovery_time",
            "dora.rework_rate",
        ),
    ),
    StarterSet(
        "space",
        "SPACE",
        "Four of the five dimensions of the framework, at least one indicator of each: performance, activity, "
        "communication, and efficiency and flow. Satisfaction comes from surveys, not from measurement.",
        (
            "dora.change_failure_rate",
            "work.features_per_week",
            "pr.pickup_time",
            "pr.review_depth",
            "pr.cycle_time",
        ),
    ),
    StarterSet(
        "ai",
        "AI adoption",
        "How far coding agents are adopted, whether their code is kept, and whether it lasts.",
        ("ai.adoption_rate", "ai.ship_rate", "ai.committed_code_share", "pr.review_time", "dora.change_failure_rate"),
    ),
    StarterSet(
        "hygiene",
        "Review hygiene",
        "Small pull requests, linked to work and reviewed soon: the basis of lead time and quality.",
        ("pr.size", "pr.pickup_time", "pr.unreviewed_rate", "pr.linked_rate", "ci.success_rate"),
    ),
)
STARTER_SETS: Mapping[str, StarterSet] = {starter_set.slug: starter_set for starter_set in _ALL}
