"""What each developer has on the lines of a comparison: facts done, and buckets in which they were on the line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from insights.engine.measures import IS_ON_LINE
from insights.engine.scan import select
from insights.metrics.measures import Measure, PeopleOnLine
from insights.metrics.per_developer import PerDeveloper
from insights.metrics.plan import Plan
from insights.metrics.reading import Placement, Reading

# Developer (None: nobody known, and agents alone) and line → an amount.
Amounts = Mapping[tuple[int | None, str], int]


def facts_done(each: Plan, placement: Placement | None = None) -> Amounts:
    """How many facts each developer has on each line of the plan's one segment; where given, of another placement."""
    need = each.needs[per_developer(each).numerator]
    reading = _placed(need.of_facts, placement).of_whole()
    return _by_developer(reading, need.measure, _FACTS)


def buckets_on_line(each: Plan, placement: Placement | None = None) -> Amounts:
    """In how many of the plan's buckets each developer was on each line."""
    need = each.needs[per_developer(each).denominator]
    if not isinstance(need.measure, PeopleOnLine):
        raise TypeError(f"{each.metric.key} does not divide by the people on a line.")
    reading = _placed(each.in_buckets(need), placement)
    return _by_developer(reading, need.measure, _WINDOWS)


def counts_for_owners(each: Plan) -> bool:
    """Whether facts of nobody may count for a unit that owns what they are of."""
    return each.needs[per_developer(each).numerator].reading.relation.falls_to_owners


def per_developer(each: Plan) -> PerDeveloper:
    """The plan's metric.  Raises TypeError where it is of another kind."""
    if not isinstance(each.metric, PerDeveloper):
        raise TypeError(f"{each.metric.key} is not per developer.")
    return each.metric


def _placed(reading: Reading, placement: Placement | None) -> Reading:
    return reading if placement is None else replace(reading, placement=placement)


def _by_developer(reading: Reading, measure: Measure, amounts: str) -> Amounts:
    found: Counter[tuple[int | None, str]] = Counter()
    for row in select(reading, [measure], amounts):
        person = row["person_id"] if row["person_id"] > 0 else None
        found[person, row["segment_0"]] += row["amount"]
    return found


_FACTS = "SELECT person_id, segment_0, count(DISTINCT fact_id) AS amount FROM counted GROUP BY ALL"
_WINDOWS = f"""
    SELECT person_id, segment_0, count(*) AS amount
    FROM (
        SELECT person_id, segment_0, window_id, bit_or(c_0) AS signs FROM counted WHERE person_id <> 0 GROUP BY ALL
    )
    WHERE {IS_ON_LINE}
    GROUP BY ALL
"""  # noqa: S608  # a constant
