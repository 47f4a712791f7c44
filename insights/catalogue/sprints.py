"""Sprints: what was committed, what became of it, and how steady delivery is, each in items and in points."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from insights.catalogue.declarations import Count, Duration, Metric, Ratio
from insights.catalogue.references import AGILE_METRICS, COEFFICIENT_OF_VARIATION
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Total
from insights.query.query import Dimension
from integrations.facts.sprints import FEWEST_SPRINTS, RECENT_SPRINTS, SPRINT_ITEMS, SPRINTS_COMPARED

AnyMetric = TypeVar("AnyMetric", bound=Metric)

SOURCE = "Sprints, and the history of work items: their sprints, statuses and estimates"
COMMITTED = (
    "Committed is what is in the sprint one working day after its start (a term of the working agreement), added what "
    "enters it later: by the history of the items, not by their fields of today. What was done before the start is "
    "left out; an item counts with its parent if that is in the sprint, too."
)
WHEN = "It counts on the day on which the sprint is closed, for the unit that owned its board then."


class Work(NamedTuple):
    """The unit that is counted: items, or their points."""

    noun: str  # of several
    ending: str  # the ending of its keys, columns and names
    words: str  # the ending of names
    how: str

    def key(self, key: str) -> str:
        return f"{key}{self.ending}"

    def keys(self, *keys: str) -> tuple[str, ...]:
        return tuple(map(self.key, keys))

    def total(self, column: str) -> Total:
        return Total(SPRINT_ITEMS, column=self.key(column))

    def formula(self, words: str) -> str:
        return f"{words}. {COMMITTED} {self.how}{WHEN}"

    @property
    def sample(self) -> str:
        """The text of the sample.  Points are not facts, so the sample of a share of points names both sides."""
        return "{numerator} for {denominator} points" if self.ending else ""


ITEMS = Work("items", "", "", "")
POINTS = Work(
    "points",
    "_points",
    ", points",
    "Points are those of that moment: what an estimate grows by in the sprint is added, what it shrinks by is removed; "
    "items without an estimate have none. ",
)


def in_items_and_points(declare: Callable[[Work], AnyMetric]) -> tuple[AnyMetric, AnyMetric]:
    return declare(ITEMS), declare(POINTS)


def points_key(key: str) -> str:
    """The key of the same metric, counted in points."""
    return POINTS.key(key)


_sprint_count = partial(
    Count,
    fact="item",
    categories=(Category.PLANNING,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.ACTIVITY),
    segments=(Dimension.SPRINT, Dimension.WORK_TYPE, Dimension.PROJECT, Dimension.REPOSITORY),
    source=SOURCE,
    reference=AGILE_METRICS,
)
_sprint_share = partial(
    Ratio,
    fact="item",
    better=Better.LOWER,
    minimum_sample=5,
    categories=(Category.PLANNING,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    segments=(Dimension.SPRINT, Dimension.WORK_TYPE, Dimension.PROJECT, Dimension.REPOSITORY),
    source=SOURCE,
    reference=AGILE_METRICS,
)

COMMIT, COMMIT_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.commit"),
        name=f"Sprint commitment{work.words}",
        meaning=f"How many {work.noun} teams commit to in their sprints.",
        formula=work.formula(f"{work.noun} committed in the sprints that were closed"),
        of=work.total("committed"),
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.delivered"),
    )
)
DELIVERED, DELIVERED_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.delivered"),
        name=f"Sprint velocity{work.words}",
        meaning=f"How many {work.noun} teams deliver in their sprints.",
        formula=work.formula(f"{work.noun} that were done when their sprint was closed, committed and added ones"),
        of=work.total("delivered"),
        better=Better.HIGHER,
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.predictability"),
        negative_indicators=("bug.ratio",),
    )
)
CREEP, CREEP_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.creep"),
        name=f"Sprint creep{work.words}",
        meaning=f"How many {work.noun} enter sprints after they were committed.",
        formula=work.formula(f"added {work.noun} of the sprints that were closed"),
        of=work.total("added"),
        better=Better.LOWER,
        positive_indicators=work.keys("sprint.scope_creep", "sprint.delivered_creep"),
    )
)
SIZE, SIZE_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.size"),
        name=f"Sprint size{work.words}",
        meaning=f"How many {work.noun} are in sprints, committed and added.",
        formula=work.formula(f"committed {work.noun} + added {work.noun} of the sprints that were closed"),
        of=work.total("size"),
        positive_indicators=work.keys("sprint.commit", "sprint.creep"),
    )
)
DELIVERED_COMMIT, DELIVERED_COMMIT_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.delivered_commit"),
        name=f"Delivered commitment{work.words}",
        meaning=f"How many of the {work.noun} that teams commit to they deliver.",
        formula=work.formula(f"committed {work.noun} that were done when the sprint was closed"),
        of=work.total("delivered_commit"),
        better=Better.HIGHER,
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.missed_commit"),
    )
)
MISSED_COMMIT, MISSED_COMMIT_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.missed_commit"),
        name=f"Missed commitment{work.words}",
        meaning=f"How many of the {work.noun} that teams commit to they do not deliver.",
        formula=work.formula(
            f"committed {work.noun} that were not done when the sprint was closed: carried over, removed or dropped"
        ),
        of=work.total("missed_commit"),
        better=Better.LOWER,
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.carry_over"),
    )
)
DELIVERED_CREEP, DELIVERED_CREEP_POINTS = in_items_and_points(
    lambda work: _sprint_count(
        key=work.key("sprint.delivered_creep"),
        name=f"Delivered creep{work.words}",
        meaning=f"How many of the {work.noun} that are added to sprints are delivered in them.",
        formula=work.formula(f"added {work.noun} that were done when the sprint was closed"),
        of=work.total("delivered_creep"),
        positive_indicators=work.keys("sprint.creep", "sprint.delivered"),
    )
)
DELIVERED_TO_COMMITTED, DELIVERED_TO_COMMITTED_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.delivered_to_committed"),
        name=f"Delivered to committed{work.words}",
        sample=work.sample or "{numerator} delivered for {denominator} committed",
        meaning=f"How many {work.noun} teams deliver, committed or added, for each that they commit to.",
        formula=work.formula(
            f"{work.noun} that were done when the sprint was closed, committed and added ones ÷ committed {work.noun} "
            "× 100; with what was added later it can be more than 100"
        ),
        numerator=work.total("delivered"),
        denominator=work.total("committed"),
        better=Better.HIGHER,
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.delivered_creep"),
    )
)
DELIVERED_VS_PLANNED, DELIVERED_VS_PLANNED_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.delivered_vs_planned"),
        name=f"Delivered vs. planned{work.words}",
        sample=work.sample,
        meaning=f"How well teams keep their commitments: the share of the committed {work.noun} that is delivered.",
        formula=work.formula(
            f"committed {work.noun} that were done when the sprint was closed ÷ committed {work.noun} × 100; what was "
            "added later is in neither. Over several sprints it is the reliability of commitment"
        ),
        numerator=work.total("delivered_commit"),
        denominator=work.total("committed"),
        better=Better.HIGHER,
        positive_indicators=work.keys("sprint.scope_creep", "sprint.carry_over", "sprint.work_removal_rate"),
        negative_indicators=work.keys("sprint.commit"),
    )
)
SCOPE_CREEP, SCOPE_CREEP_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.scope_creep"),
        name=f"Scope creep{work.words}",
        sample=work.sample or "{numerator} added to {denominator} items",
        meaning=f"How many {work.noun} enter sprints after they were committed, for each that was committed.",
        formula=work.formula(f"added {work.noun} ÷ committed {work.noun} × 100"),
        numerator=work.total("added"),
        denominator=work.total("committed"),
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.churn"),
    )
)
CHURN, CHURN_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.churn"),
        name=f"Sprint churn{work.words}",
        sample=work.sample,
        meaning=f"How many {work.noun} leave sprints that are under way, for each that was committed.",
        formula=work.formula(
            f"{work.noun} that were removed from the sprint once it was committed, for good or until they were added "
            f"again, or dropped in it ÷ committed {work.noun} × 100"
        ),
        numerator=work.total("churned"),
        denominator=work.total("committed"),
        positive_indicators=work.keys("sprint.scope_creep", "sprint.work_removal_rate"),
    )
)
WORK_REMOVAL_RATE, WORK_REMOVAL_RATE_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.work_removal_rate"),
        name=f"Work removal rate{work.words}",
        sample=work.sample,
        meaning=f"How many {work.noun} are taken out of sprints for good, for each that was committed.",
        formula=work.formula(
            f"{work.noun} that were removed from the sprint once it was committed and not in it when it was closed, or "
            f"dropped ÷ committed {work.noun} × 100"
        ),
        numerator=work.total("removed"),
        denominator=work.total("committed"),
        positive_indicators=work.keys("sprint.churn", "sprint.delivered_vs_planned"),
    )
)
CARRY_OVER, CARRY_OVER_POINTS = in_items_and_points(
    lambda work: _sprint_share(
        key=work.key("sprint.carry_over"),
        name=f"Carry-over{work.words}",
        sample=work.sample,
        meaning=f"Share of the {work.noun} in sprints that is not done when they are closed.",
        formula=work.formula(
            f"{work.noun} in the sprint and not done when it was closed ÷ committed and added {work.noun} × 100"
        ),
        numerator=work.total("carried_over"),
        denominator=work.total("size"),
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.scope_creep"),
    )
)
PREDICTABILITY, PREDICTABILITY_POINTS = in_items_and_points(
    lambda work: Duration(
        key=work.key("sprint.predictability"),
        name=f"Predictability{work.words}",
        label=f"Variation of delivery{work.words}",
        fact="board",
        unit=UnitOfMeasure.PERCENT,
        meaning=f"How much the number of {work.noun} that a team delivers varies from sprint to sprint.",
        formula=work.formula(
            f"standard deviation ÷ mean × 100 of the {work.noun} delivered in each of the last {SPRINTS_COMPARED} "
            f"closed sprints of a board, none with fewer than {FEWEST_SPRINTS}; of several boards the median. "
            "They are those before the end of the window, or today; the last was closed within twelve weeks before"
        ),
        of=Distribution(RECENT_SPRINTS, column=f"{work.noun}_variation"),
        minimum_sample=1,
        categories=(Category.PLANNING,),
        initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
        space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
        positive_indicators=work.keys("sprint.delivered_vs_planned", "sprint.delivered"),
        source=SOURCE,
        reference=COEFFICIENT_OF_VARIATION,
    )
)
ESTIMATE_ACCURACY = _sprint_share(
    key="estimate.accuracy",
    name="Estimate accuracy",
    sample="{numerator} of {denominator} points",
    meaning="How well the estimates of delivered work held while it was done.",
    formula=POINTS.formula(
        "Σ the smaller of an item's two estimates ÷ Σ the greater × 100, of delivered items: the one when it was "
        "committed or added, and the one when the sprint was closed; items that lack one of them are left out"
    ),
    numerator=Total(SPRINT_ITEMS, column="held_points"),
    denominator=Total(SPRINT_ITEMS, column="estimated_points"),
    better=Better.HIGHER,
    positive_indicators=("sprint.delivered_vs_planned_points", "sprint.scope_creep_points"),
)
