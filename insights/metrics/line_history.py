"""What clones tell beside commits: rework and refactoring of lines that were there, and branches left behind."""

from __future__ import annotations

from insights.metrics.declarations import Count, Ratio
from insights.metrics.measures import Facts, Total
from insights.metrics.query import Dimension
from insights.metrics.terms import BelongsTo, Better, Category, SpaceDimension, UnitOfMeasure
from integrations.facts.branches import STALE_BRANCHES
from integrations.facts.line_history import CHANGED_LINES

CHANGED = Total(CHANGED_LINES, column="lines_changed")
SOURCE = "The history of clones: which lines each change of the default branch touches, and when they were last changed"
REFERENCE = "https://linearb.helpdocs.io/article/tpxx3m8cwb-work-breakdown"
OF_CHANGES = (
    "A line that gives way to another, or is deleted, is one changed line; so is a new one. Of commits of the default "
    "branch on their day, for whoever wrote most of them; a merge is one change, as a squash is. Generated, vendored, "
    "lock and binary files and bulk commits are left out. Without a clone there is no data."
)
DIMENSIONS = (Dimension.REPOSITORY, Dimension.ASSISTANCE)

REWORK_RATE = Ratio(
    key="code.rework_rate",
    version=1,
    name="Rework rate",
    meaning="Share of the changed lines that had been written or changed within the three weeks before.",
    formula=f"changed lines that were at most 21 days old ÷ changed lines × 100. {OF_CHANGES}",
    numerator=Total(CHANGED_LINES, column="lines_reworked"),
    denominator=CHANGED,
    unit=UnitOfMeasure.PERCENT,
    better=Better.LOWER,
    minimum_sample=20,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    chain=("code.refactor_rate", "pr.size", "dora.change_failure_rate"),
    source=SOURCE,
    reference=REFERENCE,
)

REFACTOR_RATE = Ratio(
    key="code.refactor_rate",
    version=1,
    name="Refactor rate",
    meaning="Share of the changed lines that had stood for longer than three weeks.",
    formula=f"changed lines that were older than 21 days ÷ changed lines × 100. {OF_CHANGES}",
    numerator=Total(CHANGED_LINES, column="lines_refactored"),
    denominator=CHANGED,
    unit=UnitOfMeasure.PERCENT,
    better=Better.NEITHER,
    minimum_sample=20,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    chain=("code.rework_rate", "pr.size"),
    source=SOURCE,
    reference=REFERENCE,
)

STALE_BRANCH_COUNT = Count(
    key="branch.stale_count",
    version=1,
    name="Stale branches",
    meaning="How many branches nobody goes on with and nobody merged.",
    formula="branches beside the default one with commits that are not merged, neither as they are nor as a squash, of "
    "which the last is older than 30 days at the end of the window's last day, or today; for the unit that owned the "
    "repository then. Without a clone there is no data.",
    of=Facts(STALE_BRANCHES),
    unit=UnitOfMeasure.COUNT,
    better=Better.LOWER,
    belongs_to=BelongsTo.OWNER,
    categories=(Category.HYGIENE,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.REPOSITORY,),
    facets=(Dimension.REPOSITORY,),
    chain=("pr.stale_count", "wip.count"),
    source="Branches of clones",
)
