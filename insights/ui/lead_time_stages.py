"""The stages of lead time that add up: their metrics, how they are labelled, and which of them is the longest."""

from __future__ import annotations

from collections.abc import Mapping

LEAD_TIME = "dora.lead_time"
# In order: the metric, a label for the bar, and one for a sentence.
STAGES: Mapping[str, tuple[str, str, str]] = {
    "coding": ("dora.lead_time_coding", "Coding", "coding"),
    "pickup": ("dora.lead_time_pickup", "Waiting for review", "waiting for review"),
    "review": ("dora.lead_time_review", "In review", "review"),
    "merge": ("dora.lead_time_merge", "Waiting for merge", "waiting for the merge"),
    "deploy": ("dora.lead_time_deploy", "Waiting for deployment", "waiting for deployment"),
}


def longest_stage(means: Mapping[str, float]) -> str:
    """The first of the longest stages; empty if all are 0."""
    longest = max(means, key=lambda name: means[name], default="")
    return longest if longest and means[longest] > 0 else ""
