"""Published findings that are not thresholds: dated, and shown next to a metric with their source."""

from __future__ import annotations

from dataclasses import dataclass

DORA_2025 = "DORA 2025"
SECONDARY_DORA_2025 = "several concordant accounts of the report"


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about a metric, with its source; `secondary` names a secondary source."""

    metric_key: str
    text: str
    source: str
    year: int | None
    secondary: str = ""


REMARKS = (
    Remark(
        "dora.deployment_frequency",
        "16.2 % deploy on demand, 21.9 % between daily and weekly, 23.9 % less than monthly.",
        DORA_2025,
        2025,
        SECONDARY_DORA_2025,
    ),
    Remark(
        "dora.lead_time",
        "A day to a week is the most common (31.9 %); 43.5 % need more than a week.",
        DORA_2025,
        2025,
        SECONDARY_DORA_2025,
    ),
    Remark("dora.change_failure_rate", "It is above 16 % for 39.5 %.", DORA_2025, 2025, SECONDARY_DORA_2025),
    Remark("dora.rework_rate", "It is below 2 % for 7.3 %.", DORA_2025, 2025, SECONDARY_DORA_2025),
    Remark(
        "pr.merged_per_developer",
        "Elite teams merge 2 pull requests per developer per week, strong ones 1.5, fair ones 1.",
        "LinearB's help centre, 3.69 million pull requests",
        None,
    ),
    Remark(
        "dora.deployment_frequency",
        "Elite teams deploy 0.2 times per developer per week, strong ones 0.09 times, fair ones 0.03 times.",
        "LinearB's help centre, 3.69 million pull requests",
        None,
    ),
    Remark(
        "pr.merged_per_developer",
        "The median is 3.5 merged pull requests per developer per week.",
        "DX Core 4",
        2024,
        "an account of it",
    ),
    Remark(
        "allocation.share",
        "10–15 % productivity work, less than 30 % keeping the lights on, about 60 % new things and improvements.",
        "Swarmia's investment balance",
        None,
    ),
    Remark("ai.adoption_rate", "The median of weekly active users is 71 %.", "Studies of 2025–26", 2026, "accounts"),
    Remark(
        "ai.committed_code_share",
        "22 % of merged code was written by AI in Q4 2025, 26.9 % in Q1 2026.",
        "Studies of 2025–26",
        2026,
        "accounts",
    ),
    Remark(
        "ai.spend_per_developer",
        "The median is 86 USD per developer and month, the top quartile 195 USD.",
        "Studies of 2025–26",
        2026,
        "accounts",
    ),
    Remark(
        "pr.pickup_time",
        "Pull requests of AI wait 4.6 times longer for their first review, those of agents 5.3 times.",
        "Studies of 2025–26",
        2026,
        "accounts",
    ),
)


def remarks_on(metric_key: str) -> tuple[Remark, ...]:
    """Published remarks about a metric that are not thresholds."""
    return tuple(remark for remark in REMARKS if remark.metric_key == metric_key)
