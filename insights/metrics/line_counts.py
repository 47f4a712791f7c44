"""What each developer has on the lines of a comparison: facts done, and buckets in which they were on the line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from django.db import connection
from psycopg import sql

from insights.metrics.measures import PeopleOnLine
from insights.metrics.per_developer import PerDeveloper
from insights.metrics.plan import Plan
from insights.metrics.reading import Placement, Reading
from insights.metrics.source import parameters
from insights.metrics.statement import people_on_line_statement, people_statement

# Developer (None: nobody known, and agents alone) and line → an amount.
Amounts = Mapping[tuple[int | None, str], int]


def facts_done(each: Plan, placement: Placement | None = None) -> Amounts:
    """How many facts each developer has on each line of the plan's one segment; where given, of another placement."""
    need = each.needs[per_developer(each).numerator]
    reading = _placed(need.of_facts, placement).of_whole()
    return _by_developer(people_statement(reading, need.measure), reading, "facts")


def buckets_on_line(each: Plan, placement: Placement | None = None) -> Amounts:
    """In how many of the plan's buckets each developer was on each line."""
    need = each.needs[per_developer(each).denominator]
    if not isinstance(need.measure, PeopleOnLine):
        raise TypeError(f"{each.metric.key} does not divide by the people on a line.")
    reading = _placed(each.in_buckets(need), placement)
    return _by_developer(people_on_line_statement(reading, need.measure), reading, "windows")


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


def _by_developer(statement: sql.Composed, reading: Reading, column: str) -> Amounts:
    found: Counter[tuple[int | None, str]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters(reading))
        names = [each.name for each in cursor.description]
        person, segment, amount = (names.index(name) for name in ("person_id", "segment_0", column))
        for row in cursor.fetchall():
            is_developer = row[person] is not None and row[person] > 0
            found[row[person] if is_developer else None, row[segment]] += int(row[amount])
    return found
