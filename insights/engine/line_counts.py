"""What each developer has on the lines of a comparison: facts done, and buckets in which they were on the line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from insights.catalogue.per_developer import PerDeveloper
from insights.engine.fact_query import Reading
from insights.engine.measures import IS_ON_LINE
from insights.engine.plan import Plan
from insights.engine.scan import select
from insights.query.measures import Measure, PeopleOnLine

# Developer (None: nobody known, and agents alone) and line → an amount.
Amounts = Mapping[tuple[int | None, str], int]


def facts_done(each: Plan) -> Amounts:
    """How many facts each developer has on each line of the plan's one segment."""
    need = each.needs[per_developer(each).numerator]
    return _by_developer(need.of_facts.of_whole(), need.measure, _FACTS)


def buckets_on_line(each: Plan) -> Amounts:
    """In how many of the plan's buckets each developer was on each line."""
    need = each.needs[per_developer(each).denominator]
    if not isinstance(need.measure, PeopleOnLine):
        raise TypeError(f"{each.metric.key} does not divide by the people on a line.")
    return _by_developer(each.in_buckets(need), need.measure, _WINDOWS)


def per_developer(each: Plan) -> PerDeveloper:
    """The plan's metric.  Raises TypeError where it is of another kind."""
    if not isinstance(each.metric, PerDeveloper):
        raise TypeError(f"{each.metric.key} is not per developer.")
    return each.metric


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
"""  # a constant
