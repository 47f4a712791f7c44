"""The stages of lead time from an idea to production, for pull requests that reached it; and how pages label them.

The five stages of lead time are computed over pull requests with all five stages, so that their means add up; those
without are counted as left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from insights.catalogue.declarations import Duration
from insights.catalogue.dora import AT_DEPLOYMENT, LEAD_TIME_DIMENSIONS, LEAD_TIME_SOURCE
from insights.catalogue.references import FOUR_KEYS, PULL_REQUEST_STAGES, WORK_VISIBILITY
from insights.query.enums import Category, Initiative, SpaceDimension
from insights.query.measures import Distribution
from integrations.facts.delivery import LEAD_TIMES

ALL_FIVE = (
    "Only pull requests with all five stages count (coding, pickup, review, merge and deploy), and pushes with both of "
    "theirs (coding and deploy)."
)
LINKED = "Pull requests without a linked work item are left out."


def _stage(
    key: str,
    name: str,
    meaning: str,
    formula: str,
    column: str,
    *,
    improves_with: tuple[str, ...] = (),
    at_the_cost_of: str,
    reference: str,
) -> Duration:
    return Duration(
        key=key,
        name=name,
        fact="PR",
        meaning=meaning,
        formula=f"{formula} {AT_DEPLOYMENT}",
        of=Distribution(LEAD_TIMES, column=column),
        needs_pull_requests=True,
        categories=(Category.DORA, Category.EFFICIENCY),
        initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
        space=(SpaceDimension.EFFICIENCY,),
        segments=LEAD_TIME_DIMENSIONS,
        positive_indicators=("dora.lead_time", *improves_with),
        negative_indicators=(at_the_cost_of,),
        source=LEAD_TIME_SOURCE,
        reference=reference,
    )


CODING = _stage(
    "dora.lead_time_coding",
    "Lead time: coding",
    "The part of the lead time before a change is open for review.",
    f"first own commit → open. {ALL_FIVE}",
    "whole_coding_seconds",
    improves_with=("pr.coding_time",),
    at_the_cost_of="code.rework_rate",
    reference=FOUR_KEYS,
)
PICKUP = _stage(
    "dora.lead_time_pickup",
    "Lead time: pickup",
    "The part of the lead time in which a change waits for its first review.",
    f"open → first review by somebody else. {ALL_FIVE}",
    "whole_pickup_seconds",
    improves_with=("pr.pickup_time",),
    at_the_cost_of="review.load_concentration",
    reference=FOUR_KEYS,
)
REVIEW = _stage(
    "dora.lead_time_review",
    "Lead time: review",
    "The part of the lead time between the first review and the approval.",
    f"first review → last approval before the merge. {ALL_FIVE}",
    "whole_review_seconds",
    improves_with=("pr.review_time",),
    at_the_cost_of="pr.review_depth",
    reference=FOUR_KEYS,
)
MERGE = _stage(
    "dora.lead_time_merge",
    "Lead time: merge",
    "The part of the lead time in which an approved change waits for its merge.",
    f"that approval → merge. {ALL_FIVE}",
    "whole_merge_seconds",
    improves_with=("pr.merge_time",),
    at_the_cost_of="pr.self_merged_rate",
    reference=FOUR_KEYS,
)
DEPLOY = _stage(
    "dora.lead_time_deploy",
    "Lead time: deploy",
    "The part of the lead time in which a merged change waits for production.",
    f"merge → deployed. {ALL_FIVE}",
    "whole_deploy_seconds",
    improves_with=("pr.deploy_time",),
    at_the_cost_of="dora.change_failure_rate",
    reference=FOUR_KEYS,
)
DEPLOY_TIME = _stage(
    "pr.deploy_time",
    "Deploy time",
    "How long a merged change waits for production.",
    "merge → first successful production deployment that contains it; left out if it finished before the merge.",
    "deploy_seconds",
    improves_with=("dora.deployment_frequency",),
    at_the_cost_of="dora.change_failure_rate",
    reference=PULL_REQUEST_STAGES,
)
PLANNING_TIME = _stage(
    "delivery.planning_time",
    "Planning time",
    "How long a work item is in progress before its first commit.",
    f"linked work item first in progress → first own commit. {LINKED}",
    "planning_seconds",
    improves_with=("delivery.idea_to_production",),
    at_the_cost_of="code.rework_rate",
    reference=WORK_VISIBILITY,
)
BACKLOG_TIME = _stage(
    "delivery.backlog_time",
    "Backlog time",
    "How long an idea waits before work on it begins.",
    f"linked work item created → first in progress. {LINKED}",
    "backlog_seconds",
    improves_with=("delivery.idea_to_production",),
    at_the_cost_of="wip.count",
    reference=WORK_VISIBILITY,
)
IDEA_TO_PRODUCTION = _stage(
    "delivery.idea_to_production",
    "Idea to production",
    "How long it takes from the first record of an idea until users have it.",
    f"linked work item created (the first, of several) → deployed. {LINKED}",
    "idea_seconds",
    improves_with=("delivery.backlog_time", "delivery.planning_time"),
    at_the_cost_of="dora.change_failure_rate",
    reference=WORK_VISIBILITY,
)


LEAD_TIME = "dora.lead_time"
# In order: the metric, a label for the bar, and one for a sentence.
STAGES: Mapping[str, tuple[str, str, str]] = {
    "coding": ("dora.lead_time_coding", "Coding", "coding"),
    "pickup": ("dora.lead_time_pickup", "Waiting for review", "waiting for review"),
    "review": ("dora.lead_time_review", "In review", "review"),
    "merge": ("dora.lead_time_merge", "Waiting for merge", "waiting for the merge"),
    "deploy": ("dora.lead_time_deploy", "Waiting for deployment", "waiting for deployment"),
}


# The stages in which nobody works on the change.
WAITS = ("pickup", "merge", "deploy")


def longest_wait(means: Mapping[str, float]) -> str:
    """The bottleneck: the first of the longest waits; empty if all are 0.  Coding and review are work."""
    waits = {name: means[name] for name in WAITS if name in means}
    longest = max(waits, key=lambda name: waits[name], default="")
    return longest if longest and waits[longest] > 0 else ""
