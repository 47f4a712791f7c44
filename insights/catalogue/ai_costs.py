"""The AI cost of merged pull requests and delivered work items."""

from __future__ import annotations

from functools import partial

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
    "A session's spend is divided among the pull requests that contain its AI lines, by lines; without such lines, it "
    "goes to the pull request of the branch that its telemetry names, else to those that list its lost commits"
)
COST_SOURCE = f"{SPEND_SOURCE}; {OUTCOME_SOURCE}; pull requests and their links to work items"
DIMENSIONS = (Dimension.REPOSITORY, Dimension.WORK_TYPE, Dimension.SIZE_CLASS)
ITEM_DIMENSIONS = (Dimension.EPIC, Dimension.INITIATIVE, Dimension.PROJECT, Dimension.WORK_TYPE)

_spend_per = partial(
    Duration,
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.CURRENCY,
    better=Better.NEITHER,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    source=COST_SOURCE,
    reference=PRICES,
)

SPEND_PER_MERGED_PR = _spend_per(
    key="ai.spend_per_merged_pr",
    name="Spend per merged PR",
    fact="PR",
    meaning="What agents cost per merged pull request, including abandoned attempts.",
    formula=(
        "Σ spend of the sessions behind merged pull requests, and behind closed ones that they replaced, ÷ merged pull "
        f"requests with any, on the day of the merge. {BEHIND}. A pull request closed without a merge is replaced by "
        "the first one of the same work item that was merged after it was opened, else by the last"
    ),
    of=Distribution(MERGED_PULL_REQUESTS_WITH_SPEND, column="spend"),
    segments=DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_commit", "ai.spend_per_item", "pr.size"),
    negative_indicators=("ai.spend_abandoned", "pr.revert_rate"),
)

SPEND_ABANDONED = Count(
    key="ai.spend_abandoned",
    name="Spend on abandoned PRs",
    fact="closed PR",
    sample="{facts:closed PR}",
    meaning="What agents cost for pull requests closed without a merge.",
    formula=f"Σ spend of the sessions behind pull requests closed without a merge, on the day of closing. {BEHIND}",
    of=Total(ABANDONED_PULL_REQUESTS_WITH_SPEND, column="spend"),
    unit=UnitOfMeasure.CURRENCY,
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    positive_indicators=("ai.spend_per_merged_pr", "ai.spend_wasted", "ai.pr_fate"),
    source=COST_SOURCE,
    reference=PRICES,
)

SPEND_PER_ITEM = _spend_per(
    key="ai.spend_per_item",
    name="Spend per work item",
    fact="item",
    sample="{facts:item}",
    meaning="What agents cost per delivered work item, including abandoned attempts.",
    formula=(
        "Σ spend behind delivered work items ÷ delivered work items with any, on the day of completion. It includes "
        "the spend of all their pull requests, merged or not, in equal parts where one is linked to several items, and "
        f"of sessions that name the item and have no pull request. {BEHIND}"
    ),
    of=Distribution(DONE_WORK_ITEMS_WITH_SPEND, column="spend"),
    segments=ITEM_DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_merged_pr", "work.delivered", "pr.linked_rate"),
    negative_indicators=("ai.spend_abandoned",),
)
