"""Merged pull requests: how long they take, stage by stage, and how many there are."""

from __future__ import annotations

from insights.metrics.declarations import Count, Duration
from insights.metrics.measures import Distribution, Facts, Measure, Total
from insights.metrics.query import Dimension, Statistic
from insights.metrics.terms import Better, Category, SpaceDimension, UnitOfMeasure
from integrations.facts.pull_requests import MERGED_PULL_REQUESTS, MERGED_PULL_REQUESTS_BY_AGENT

SOURCE = "Pull requests with their commits, reviews and events"
MERGED = (
    "Of merged pull requests, on the day of the merge, whatever the target branch; those of bots are left out, and "
    "those of coding agents count for whoever asked."
)
DIMENSIONS = (
    *(Dimension.ASSISTANCE, Dimension.AGENT, Dimension.WORK_TYPE),
    *(Dimension.REPOSITORY, Dimension.SIZE_CLASS),
)


def spread_of_merged(column: str) -> Distribution:
    by_agent = Distribution(MERGED_PULL_REQUESTS_BY_AGENT, column=column)
    return Distribution(MERGED_PULL_REQUESTS, column=column, instead=((Dimension.AGENT, by_agent),))


def total_of_merged(column: str) -> Total:
    by_agent = Total(MERGED_PULL_REQUESTS_BY_AGENT, column=column)
    return Total(MERGED_PULL_REQUESTS, column=column, instead=((Dimension.AGENT, by_agent),))


MERGED_COUNT: Measure = Facts(MERGED_PULL_REQUESTS, instead=((Dimension.AGENT, Facts(MERGED_PULL_REQUESTS_BY_AGENT)),))

CYCLE_TIME = Duration(
    key="pr.cycle_time",
    version=1,
    name="Cycle time",
    meaning="How long a pull request takes from when it is open for review until it is merged.",
    formula=f"open → merge; open is the creation, or for one created as a draft when it was first ready. {MERGED}",
    of=spread_of_merged("cycle_seconds"),
    statistic=Statistic.MEDIAN,
    unit=UnitOfMeasure.SECONDS,
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    chain=("pr.throughput",),
    source=SOURCE,
)

THROUGHPUT = Count(
    key="pr.throughput",
    version=1,
    name="Merged pull requests",
    meaning="How many pull requests were merged.",
    formula=f"number of merged pull requests. {MERGED}",
    of=MERGED_COUNT,
    unit=UnitOfMeasure.COUNT,
    better=Better.HIGHER,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.ACTIVITY,),
    segments=DIMENSIONS,
    facets=DIMENSIONS,
    chain=("pr.cycle_time",),
    source=SOURCE,
)
