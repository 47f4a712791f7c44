"""The built-in templates: dashboards that answer a leader's questions on one screen, as a starting point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.dashboards.document import Json


@dataclass(frozen=True)
class Template:
    """A template: the cards of a dashboard, whom they are for and which question they answer."""

    name: str
    title: str
    purpose: str
    cards: Sequence[Json]


TEMPLATES: Mapping[str, Template] = {
    "engineering-leader": Template(
        "Engineering leader",
        "Why are we late?",
        "Why we are late, where work waits, and what AI yields for its money. For leaders of several teams.",
        (
            {"kind": "tile", "metric": "dora.lead_time", "width": 3},
            {"kind": "tile", "metric": "pr.pickup_time", "width": 3},
            {"kind": "tile", "metric": "wip.count", "width": 3},
            {"kind": "tile", "metric": "ai.spend_per_merged_pr", "width": 3},
            {"kind": "findings", "width": 12},
            {"kind": "stages", "title": "Where lead time goes", "width": 6},
            {
                "kind": "units",
                "title": "Where work waits, by unit",
                "metrics": [
                    *("dora.lead_time", "dora.lead_time_pickup", "dora.lead_time_merge", "dora.lead_time_deploy"),
                    "wip.count",
                ],
                "width": 6,
            },
            {
                "kind": "comparison",
                "title": "What AI yields",
                "metrics": ["pr.merged_per_developer", "pr.cycle_time", "pr.rewritten_rate"],
                "width": 8,
            },
            {"kind": "breakdown", "title": "AI spend by outcome", "metric": "ai.spend", "by": "outcome", "width": 4},
        ),
    ),
    "team-lead": Template(
        "Team lead",
        "How is my team doing?",
        "Which work waits, which changes were slowest, and what is open too long. For a team and its lead.",
        (
            {"kind": "tile", "metric": "pr.cycle_time", "width": 3},
            {"kind": "tile", "metric": "pr.pickup_time", "width": 3},
            {"kind": "tile", "metric": "wip.age", "width": 3},
            {"kind": "tile", "metric": "ai.adoption_rate", "width": 3},
            {"kind": "findings", "width": 12},
            {
                "kind": "trend",
                "title": "Where cycle time goes",
                "metric": "pr.pickup_time",
                "beside": ["pr.review_time", "pr.merge_time"],
                "width": 6,
            },
            {"kind": "slowest", "title": "Longest wait for a review", "metric": "pr.pickup_time", "width": 6},
            {
                "kind": "comparison",
                "title": "What AI yields",
                "metrics": ["pr.cycle_time", "pr.failed_runs", "pr.rewritten_rate"],
                "width": 7,
            },
            {"kind": "breakdown", "title": "AI spend by outcome", "metric": "ai.spend", "by": "outcome", "width": 5},
        ),
    ),
    "platform-owner": Template(
        "Platform owner",
        "What slows delivery down?",
        "What pipelines, deployments and agents cost in time and money. For those who run what others build on.",
        (
            {"kind": "tile", "metric": "dora.deployment_frequency", "width": 3},
            {"kind": "tile", "metric": "dora.change_failure_rate", "width": 3},
            {"kind": "tile", "metric": "ci.wait_per_pull_request", "width": 3},
            {"kind": "tile", "metric": "ai.spend", "width": 3},
            {
                "kind": "trend",
                "title": "Pipelines: waiting and running",
                "metric": "ci.queue_time",
                "beside": ["ci.duration"],
                "width": 6,
            },
            {"kind": "slowest", "title": "Slowest pipeline runs", "metric": "ci.duration", "width": 6},
            {
                "kind": "units",
                "title": "Waits and cost, by unit",
                "metrics": ["ci.queue_time", "dora.lead_time_deploy", "dora.change_failure_rate", "ai.spend"],
                "width": 7,
            },
            {"kind": "breakdown", "title": "AI spend by outcome", "metric": "ai.spend", "by": "outcome", "width": 5},
        ),
    ),
}
