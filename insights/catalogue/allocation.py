"""Allocation: where people's time goes, by category of investment."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from insights.catalogue.declarations import Breakdown, Count, Ratio
from insights.catalogue.references import INVESTMENT_BALANCE, WORK_VISIBILITY
from insights.query.enums import Better, Category, Initiative, SpaceDimension
from insights.query.measures import Total
from insights.query.query import Dimension
from integrations.facts.people_time import PEOPLE_TIME

SOURCE = "Work items in progress, commits and reviews, and the rules of allocation"
SHARED = (
    "A person's days at work in a week are divided in proportion to what they worked on: each working day weighs 1 for "
    "all items in progress together, a commit 1, a review 0.5. They never add up to more or less than these days. "
    "Holidays, leave and days outside the employment are no time; bots are nobody"
)
BY_RULE = (
    "The first rule that matches gives the category; a sub-item follows its parent unless a rule matches it itself"
)
WHEN = "A week counts on its first day at work; one that spans two months is two parts"
DIMENSIONS = (
    Dimension.INVESTMENT,
    Dimension.EPIC,
    Dimension.INITIATIVE,
    Dimension.PROJECT,
    Dimension.REPOSITORY,
    Dimension.WORK_TYPE,
)
DAYS = Total(PEOPLE_TIME, column="days")
ITEMS, POINTS = Total(PEOPLE_TIME, column="items"), Total(PEOPLE_TIME, column="points")

_share = partial(
    Ratio,
    fact="part-week",
    sample="{numerator} of {denominator} days",
    categories=(Category.ALLOCATION,),
    initiatives=(Initiative.BUSINESS_ALIGNMENT,),
    space=(SpaceDimension.ACTIVITY, SpaceDimension.EFFICIENCY),
    segments=DIMENSIONS,
    source=SOURCE,
)
_composition = partial(
    Breakdown,
    fact="part-week",
    categories=(Category.ALLOCATION,),
    initiatives=(Initiative.BUSINESS_ALIGNMENT,),
    space=(SpaceDimension.ACTIVITY, SpaceDimension.EFFICIENCY),
    by=Dimension.INVESTMENT,
    segments=DIMENSIONS,
    better=Better.NEITHER,
    source=SOURCE,
    reference=INVESTMENT_BALANCE,
)

SHARE = _composition(
    key="allocation.share",
    name="Allocation",
    meaning="What share of people's time goes to each category of investment.",
    formula=f"Σ days of the category ÷ Σ days at work × 100. {SHARED}. {BY_RULE}. {WHEN}",
    numerator=DAYS,
    denominator=replace(DAYS, not_split_by=DIMENSIONS),
    sample="{numerator} of {denominator} days",
    positive_indicators=("allocation.unlinked_share", "allocation.unmatched_share", "work.features_per_week"),
)
SHARE_ITEMS = _composition(
    key="allocation.share_items",
    name="Allocation, items",
    meaning="What share of the completed work items belongs to each category of investment.",
    formula=f"completed items of the category ÷ completed items × 100, of matched people. {BY_RULE}. {WHEN}",
    numerator=ITEMS,
    denominator=replace(ITEMS, not_split_by=DIMENSIONS),
    sample="{numerator} of {denominator} items",
    positive_indicators=("allocation.share",),
)
SHARE_POINTS = _composition(
    key="allocation.share_points",
    name="Allocation, points",
    meaning="What share of the completed points belongs to each category of investment.",
    formula=(
        "Σ estimates of the category's completed items ÷ Σ estimates of completed items × 100, of matched people; "
        f"items without an estimate have none. {BY_RULE}. {WHEN}"
    ),
    numerator=POINTS,
    denominator=replace(POINTS, not_split_by=DIMENSIONS),
    sample="{numerator} of {denominator} points",
    positive_indicators=("allocation.share",),
)
TIME = Count(
    fact="part-week",
    categories=(Category.ALLOCATION, Category.CAPACITY),
    initiatives=(Initiative.BUSINESS_ALIGNMENT,),
    space=(SpaceDimension.ACTIVITY,),
    source=SOURCE,
    reference=INVESTMENT_BALANCE,
    key="allocation.time",
    name="People-time",
    label="Days at work",
    sample="{people} people",
    meaning="How many days at work people spent, and on what.",
    formula=f"Σ days. {SHARED}. {WHEN}",
    of=DAYS,
    segments=DIMENSIONS,
    positive_indicators=("allocation.share", "allocation.unlinked_share"),
)


def _share_of_kind(kind: str, words: str, *, name: str, label: str, meaning: str, better: Better, **more: Any) -> Ratio:
    """The share of one kind of investment; `words` names it within sentences."""
    return _share(
        reference=INVESTMENT_BALANCE,
        key=f"allocation.{kind}_share",
        name=f"Share of {name}",
        label=label,
        meaning=meaning,
        formula=f"Σ days of categories of the kind {words} ÷ Σ days at work × 100. {SHARED}. {BY_RULE}. {WHEN}",
        numerator=Total(PEOPLE_TIME, column=f"{kind}_days"),
        denominator=DAYS,
        better=better,
        **more,
    )


NEW_SHARE = _share_of_kind(
    "new",
    "new features",
    name="new features",
    label="New features",
    meaning="What share of people's time goes to new features.",
    better=Better.HIGHER,
    positive_indicators=("allocation.share", "work.features_per_week"),
    negative_indicators=("bug.ratio", "allocation.maintenance_share"),
)
IMPROVEMENT_SHARE = _share_of_kind(
    "improvement",
    "improvements",
    name="improvements",
    label="Improvements",
    meaning="What share of people's time goes to improving what is there.",
    better=Better.NEITHER,
    positive_indicators=("allocation.share", "allocation.new_share"),
)
MAINTENANCE_SHARE = _share_of_kind(
    "maintenance",
    "keeping the lights on",
    name="keeping the lights on",
    label="Keeping the lights on",
    meaning="What share of people's time goes to bugs, operations and other upkeep.",
    better=Better.LOWER,
    positive_indicators=("bug.ratio", "incident.count", "allocation.share"),
    negative_indicators=("allocation.new_share",),
)
PRODUCTIVITY_SHARE = _share_of_kind(
    "productivity",
    "productivity",
    name="productivity work",
    label="Productivity",
    meaning="What share of people's time goes to tech debt, tooling and other work on how we work.",
    better=Better.NEITHER,
    positive_indicators=("allocation.share", "allocation.new_share"),
)
UNLINKED_SHARE = _share(
    key="allocation.unlinked_share",
    name="Unlinked time",
    label="Unlinked",
    meaning="What share of people's time went to commits and reviews that no work item is linked to.",
    formula=(
        "Σ days of commits and reviews without a work item ÷ Σ days at work × 100. A commit has the items that its "
        f"pull request or its subject names; nothing is guessed. {SHARED}. {WHEN}"
    ),
    reference=WORK_VISIBILITY,
    numerator=Total(PEOPLE_TIME, column="unlinked_days"),
    denominator=DAYS,
    better=Better.LOWER,
    positive_indicators=("pr.linked_rate", "allocation.share", "allocation.unmatched_share"),
)
UNMATCHED_SHARE = _share(
    reference=INVESTMENT_BALANCE,
    key="allocation.unmatched_share",
    name="Unmatched time",
    label="Unmatched",
    meaning="What share of people's time went to work items that no rule assigns to a category.",
    formula=f"Σ days of work items without a category ÷ Σ days at work × 100. {SHARED}. {BY_RULE}. {WHEN}",
    numerator=Total(PEOPLE_TIME, column="unmatched_days"),
    denominator=DAYS,
    better=Better.LOWER,
    positive_indicators=("allocation.share", "allocation.unlinked_share"),
)
