"""What merged pull requests and delivered work items cost in AI."""

from __future__ import annotations

from insights.catalogue.ai_spend import BOTH_INITIATIVES, OUTCOME_SOURCE, SPEND_SOURCE
from insights.catalogue.declarations import Count, Duration
from insights.catalogue.references import PRICES
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.costs import (
    ABANDONED_PULL_REQUESTS_WITH_SPEND,
    DONE_WORK_ITEMS_WITH_SPEND,
    MERGED_PULL_REQUESTS_WITH_SPEND,
)

BEHIND = (
    "A session is behind the pull requests that brought its AI lines, each with the share of its lines; one without "
    "such lines behind the pull request of the branch that its telemetry names, else behind those that list its lost "
    "commits"
)
COST_SOURCE = f"{SPEND_SOURCE}; {OUTCOME_SOURCE}; pull requests and their links to work items"
DIMENSIONS = (Dimension.REPOSITORY, Dimension.WORK_TYPE, Dimension.SIZE_CLASS)
ITEM_DIMENSIONS = (Dimension.EPIC, Dimension.INITIATIVE, Dimension.PROJECT, Dimension.WORK_TYPE)

SPEND_PER_MERGED_PR = Duration(
    key="ai.spend_per_merged_pr",
    version=1,
    name="Spend per merged PR",
    meaning="What agents cost for a pull request that was merged, attempts that were given up included.",
    formula="Σ spend of the sessions behind merged pull requests, and behind those closed without a merge whose place "
    f"they took, ÷ merged pull requests with any, on the day of the merge. {BEHIND}. A closed one is replaced by the "
    "first of the same work item that was merged after it was opened, else by the last",
    of=Distribution(MERGED_PULL_REQUESTS_WITH_SPEND, column="spend"),
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.CURRENCY,
    better=Better.NEITHER,
    minimum_sample=5,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_commit", "ai.spend_per_item", "pr.size"),
    negative_indicators=("ai.spend_abandoned", "pr.revert_rate"),
    source=COST_SOURCE,
    reference=PRICES,
)

SPEND_ABANDONED = Count(
    key="ai.spend_abandoned",
    version=1,
    name="Spend on abandoned PRs",
    meaning="What agents cost for pull requests that were closed without a merge.",
    formula="Σ spend of the sessions behind pull requests closed without a merge, on the day on which they were "
    f"closed. {BEHIND}",
    of=Total(ABANDONED_PULL_REQUESTS_WITH_SPEND, column="spend"),
    unit=UnitOfMeasure.CURRENCY,
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("ai.spend_per_merged_pr", "ai.spend_wasted", "ai.pr_fate"),
    source=COST_SOURCE,
    reference=PRICES,
)

SPEND_PER_ITEM = Duration(
    key="ai.spend_per_item",
    version=1,
    name="Spend per work item",
    meaning="What agents cost for a work item that was delivered, attempts that were given up included.",
    formula="Σ spend behind delivered work items ÷ delivered work items with any, on the day of completion: of their "
    "pull requests, whatever became of these, in equal parts where one is linked to several items; and of sessions "
    f"that name the item and have no pull request. {BEHIND}",
    of=Distribution(DONE_WORK_ITEMS_WITH_SPEND, column="spend"),
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.CURRENCY,
    better=Better.NEITHER,
    minimum_sample=5,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=ITEM_DIMENSIONS,
    facets=ITEM_DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_merged_pr", "work.delivered", "pr.linked_rate"),
    negative_indicators=("ai.spend_abandoned",),
    source=COST_SOURCE,
    reference=PRICES,
)
