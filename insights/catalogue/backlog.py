"""The backlog: its age and health."""

from __future__ import annotations

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.references import WORK_VISIBILITY
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.work_items import BACKLOG

SOURCE = "Work items with their history of statuses and assignees"
DIMENSIONS = (Dimension.WORK_TYPE, Dimension.PROJECT, Dimension.REPOSITORY)
STANDING = "that are to do at the end of the window's last day, or today, for the last assignee"

BACKLOG_AGE = Duration(
    key="backlog.age",
    version=1,
    name="Age of the backlog",
    meaning="For how long the work items that nobody has begun have been waiting.",
    formula=f"creation → end of the window, of the work items {STANDING}; in whole days of the local calendar",
    of=Distribution(BACKLOG, column="age_seconds"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.SECONDS,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.HYGIENE, Category.PLANNING),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("backlog.health", "issue.lead_time"),
    negative_indicators=("wip.count",),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)

BACKLOG_HEALTH = Ratio(
    key="backlog.health",
    version=1,
    name="Backlog health",
    meaning="Which share of the work items that nobody has begun is ready to be begun.",
    formula=f"work items {STANDING}, with an estimate, an assignee, a description and a change within the last 30 days "
    "÷ all that are to do then × 100. Of estimate and description only the present is known; a description of which the"
    " tool does not tell lacks nowhere",
    numerator=Total(BACKLOG, column="healthy_items"),
    denominator=Facts(BACKLOG),
    unit=UnitOfMeasure.PERCENT,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.HYGIENE, Category.PLANNING),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.COMMUNICATION),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    positive_indicators=("backlog.age", "issue.lead_time"),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)
