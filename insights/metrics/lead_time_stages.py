"""Where lead time goes: the stages from an idea to production, of the pull requests that reached it.

The five stages of lead time are given for pull requests of which all five are known, so that their means add up; how
many lack one is counted as left out.
"""

from __future__ import annotations

from insights.metrics.declarations import Duration
from insights.metrics.dora import AT_DEPLOYMENT, LEAD_TIME_DIMENSIONS, LEAD_TIME_SOURCE, spread_of_lead_times
from insights.metrics.query import Statistic
from insights.metrics.terms import Better, Category, Initiative, SpaceDimension, UnitOfMeasure

ALL_FIVE = "Of pull requests with all five stages: coding, pickup, review, merge and deploy; the others are left out."
LINKED = "Pull requests without a linked work item have none and are left out."


def _stage(key: str, name: str, meaning: str, formula: str, column: str, *chain: str) -> Duration:
    return Duration(
        key=key,
        version=1,
        name=name,
        meaning=meaning,
        formula=f"{formula} {AT_DEPLOYMENT}",
        of=spread_of_lead_times(column),
        statistic=Statistic.MEDIAN,
        unit=UnitOfMeasure.SECONDS,
        better=Better.LOWER,
        minimum_sample=5,
        categories=(Category.DORA, Category.EFFICIENCY),
        initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
        space=(SpaceDimension.EFFICIENCY,),
        segments=LEAD_TIME_DIMENSIONS,
        facets=LEAD_TIME_DIMENSIONS,
        chain=("dora.lead_time", *chain),
        source=LEAD_TIME_SOURCE,
    )


CODING = _stage(
    "dora.lead_time_coding",
    "Lead time: coding",
    "How much of the lead time passes before a change is open for review.",
    f"first own commit → open. {ALL_FIVE}",
    "whole_coding_seconds",
)
PICKUP = _stage(
    "dora.lead_time_pickup",
    "Lead time: pickup",
    "How much of the lead time a change waits for its first review.",
    f"open → first review by somebody else. {ALL_FIVE}",
    "whole_pickup_seconds",
)
REVIEW = _stage(
    "dora.lead_time_review",
    "Lead time: review",
    "How much of the lead time passes between the first review and the approval.",
    f"first review → last approval before the merge. {ALL_FIVE}",
    "whole_review_seconds",
)
MERGE = _stage(
    "dora.lead_time_merge",
    "Lead time: merge",
    "How much of the lead time an approved change waits for its merge.",
    f"that approval → merge. {ALL_FIVE}",
    "whole_merge_seconds",
)
DEPLOY = _stage(
    "dora.lead_time_deploy",
    "Lead time: deploy",
    "How much of the lead time a merged change waits for production.",
    f"merge → deployed. {ALL_FIVE}",
    "whole_deploy_seconds",
    "pr.deploy_time",
)
DEPLOY_TIME = _stage(
    "pr.deploy_time",
    "Deploy time",
    "How long a merged change waits for production.",
    "merge → first successful production deployment that contains it; left out where that finished before the merge.",
    "deploy_seconds",
    "dora.deployment_frequency",
)
PLANNING_TIME = _stage(
    "delivery.planning_time",
    "Planning time",
    "How long work is in progress before its first commit.",
    f"linked work item first in progress → first own commit. {LINKED}",
    "planning_seconds",
    "delivery.idea_to_production",
)
BACKLOG_TIME = _stage(
    "delivery.backlog_time",
    "Backlog time",
    "How long an idea lies before somebody begins to work on it.",
    f"linked work item created → first in progress. {LINKED}",
    "backlog_seconds",
    "delivery.idea_to_production",
)
IDEA_TO_PRODUCTION = _stage(
    "delivery.idea_to_production",
    "Idea to production",
    "How long it takes from writing an idea down until users have it.",
    f"linked work item created (the first, of several) → deployed. {LINKED}",
    "idea_seconds",
    "delivery.backlog_time",
    "delivery.planning_time",
)
