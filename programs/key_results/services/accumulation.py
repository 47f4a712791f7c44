"""How weekly values of a metric accumulate to the quarter's: this decides how it can be forecast."""

from __future__ import annotations

import enum

from insights.catalogue.declarations import Count, CountPerTime, Metric, Ratio
from insights.catalogue.per_developer import PerDeveloper
from insights.query.enums import UnitOfMeasure
from insights.query.measures import (
    Facts,
    Gini,
    People,
    PeopleOfWindow,
    PeopleOnLine,
    PersonShare,
    StockAtEnd,
    Total,
)


class Accumulation(enum.Enum):
    LEVEL = "its weeks weigh as much as happens in them: shares, means, medians, rates per day"
    SUM = "its weeks add up: it grows until the quarter's end"
    STOCK = "it is what stands at the end"
    PEOPLE = "people, or repositories, count once over all its weeks: these neither add up nor weigh"


COUNTED_ONCE = (People, PeopleOfWindow, PeopleOnLine, PersonShare, Gini, StockAtEnd)


def accumulation_of(metric: Metric | None) -> Accumulation:
    """None: entered by hand, which says how something stands on the day of the check-in."""
    if metric is None or metric.is_stock:
        return Accumulation.STOCK
    if isinstance(metric, CountPerTime | PerDeveloper):
        return Accumulation.LEVEL
    if any(isinstance(measure, COUNTED_ONCE) for measure in metric.measures):
        return Accumulation.PEOPLE
    if isinstance(metric, Count):
        return (
            Accumulation.SUM
            if isinstance(metric.of, Facts | Total) and not metric.parts_overlap
            else Accumulation.PEOPLE
        )
    return Accumulation.LEVEL


def grows(metric: Metric | None) -> bool:
    """Whether its value is nothing when a quarter begins and grows with the days: sums, and sums per developer."""
    if metric is None or metric.is_stock:
        return False
    if accumulation_of(metric) is Accumulation.SUM:
        return True
    per_person = isinstance(metric, Ratio) and isinstance(metric.denominator, People) and not metric.per_period
    return (
        isinstance(metric, Ratio)
        and per_person
        and not isinstance(metric, PerDeveloper)
        and isinstance(metric.numerator, Facts | Total)
        and metric.unit is not UnitOfMeasure.PERCENT
    )
