"""The backlog: its age and health."""

from __future__ import annotations

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.references import WORK_VISIBILITY
from insights.query.enums import Better, Category, SpaceDimension
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension
from integrations.facts.work_items import BACKLOG

SOURCE = "Work items with their history of statuses and assignees"
DIMENSIONS = (Dimension.WORK_TYPE, Dimension.PROJECT, Dimension.REPOSITORY)
STANDING = "not started at the end of the window's last day, or today, for the last assignee"

BACKLOG_AGE = Duration(
    key="backlog.age",
    name="Backlog age",
    fact="item",
    meaning="How long unstarted work items have been waiting.",
    formula=f"creation → end of the window, of the work items {STANDING}; in whole local days",
    of=Distribution(BACKLOG, column="age_seconds"),
    categories=(Category.HYGIENE, Category.PLANNING),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    positive_indicators=("backlog.health", "issue.lead_time"),
    negative_indicators=("wip.count",),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)

BACKLOG_HEALTH = Ratio(
    key="backlog.health",
    name="Backlog health",
    fact="item",
    meaning="Share of unstarted work items that are ready to start.",
    formula=f"work items {STANDING}, with an estimate, an assignee, a description and a change within the last 30 days "
    "÷ all unstarted work items then × 100. Estimate and description are those of today; an item whose tool reports "
    "no description does not count as lacking one",
    numerator=Total(BACKLOG, column="healthy_items"),
    denominator=Facts(BACKLOG),
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.HYGIENE, Category.PLANNING),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.COMMUNICATION),
    segments=DIMENSIONS,
    positive_indicators=("backlog.age", "issue.lead_time"),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)
