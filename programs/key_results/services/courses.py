"""How a metric of a whole quarter comes from its weeks: that decides what can be said of the end of the quarter."""

from __future__ import annotations

import enum

from insights.catalogue.declarations import Count, CountPerTime, Metric, Ratio
from insights.catalogue.per_developer import PerDeveloper
from insights.query.measures import (
    Facts,
    Gini,
    People,
    PeopleOfWindow,
    PeopleOnLine,
    PersonShare,
    StandingAtEnd,
    Total,
)
from insights.query.terms import UnitOfMeasure


class Course(enum.Enum):
    LEVEL = "its weeks weigh as much as happens in them: shares, means, medians, rates per day"
    SUM = "its weeks add up: it grows until the quarter's end"
    STOCK = "it is what stands at the end"
    PEOPLE = "people, or repositories, count once over all its weeks: these neither add up nor weigh"


COUNTED_ONCE = (People, PeopleOfWindow, PeopleOnLine, PersonShare, Gini, StandingAtEnd)


def course_of(metric: Metric | None) -> Course:
    """None: entered by hand, which says how something stands on the day of the check-in."""
    if metric is None or metric.is_stock:
        return Course.STOCK
    if isinstance(metric, CountPerTime | PerDeveloper):
        return Course.LEVEL
    if any(isinstance(measure, COUNTED_ONCE) for measure in metric.measures):
        return Course.PEOPLE
    if isinstance(metric, Count):
        return Course.SUM if isinstance(metric.of, Facts | Total) and not metric.parts_overlap else Course.PEOPLE
    return Course.LEVEL


def grows(metric: Metric | None) -> bool:
    """Whether its value is nothing when a quarter begins and grows with the days: sums, and sums per developer."""
    if metric is None or metric.is_stock:
        return False
    if course_of(metric) is Course.SUM:
        return True
    per_person = isinstance(metric, Ratio) and isinstance(metric.denominator, People) and not metric.per_period
    return (
        isinstance(metric, Ratio)
        and per_person
        and not isinstance(metric, PerDeveloper)
        and isinstance(metric.numerator, Facts | Total)
        and metric.unit is not UnitOfMeasure.PERCENT
    )
