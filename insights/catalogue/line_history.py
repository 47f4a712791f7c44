"""Changes to existing lines: rework and refactoring."""

from __future__ import annotations

from insights.catalogue.declarations import Ratio
from insights.catalogue.references import WORK_BREAKDOWN
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Total
from insights.query.query import Dimension
from integrations.facts.line_history import CHANGED_LINES

CHANGED = Total(CHANGED_LINES, column="lines_changed")
SOURCE = "The history of clones: the lines that each change of the default branch touches, and when they last changed"
OF_CHANGES = (
    "A replaced, deleted or new line is one changed line. Lines of commits on the default branch count on the day of "
    "the commit, for the author of most of its lines; a merge is one change, like a squash. Generated, vendored, "
    "lock and binary files and bulk commits are left out. Without a clone there is no data."
)
DIMENSIONS = (Dimension.REPOSITORY, Dimension.ASSISTANCE)

REWORK_RATE = Ratio(
    key="code.rework_rate",
    name="Code rework rate",
    fact="line",
    meaning="Share of changed lines that had been written or changed in the previous three weeks.",
    formula=f"changed lines that were at most 21 days old ÷ changed lines × 100. {OF_CHANGES}",
    numerator=Total(CHANGED_LINES, column="lines_reworked"),
    denominator=CHANGED,
    better=Better.LOWER,
    minimum_sample=20,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=DIMENSIONS,
    positive_indicators=("code.refactor_rate", "pr.size", "dora.change_failure_rate"),
    negative_indicators=("pr.throughput",),
    source=SOURCE,
    reference=WORK_BREAKDOWN,
)

REFACTOR_RATE = Ratio(
    key="code.refactor_rate",
    name="Refactor rate",
    fact="line",
    meaning="Share of changed lines that were older than three weeks.",
    formula=f"changed lines that were older than 21 days ÷ changed lines × 100. {OF_CHANGES}",
    numerator=Total(CHANGED_LINES, column="lines_refactored"),
    denominator=CHANGED,
    better=Better.NEITHER,
    minimum_sample=20,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=DIMENSIONS,
    positive_indicators=("code.rework_rate",),
    negative_indicators=("pr.size",),
    source=SOURCE,
    reference=WORK_BREAKDOWN,
)
