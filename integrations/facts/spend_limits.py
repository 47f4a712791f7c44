"""Limits that agents' vendors set on people's monthly spend, summed up by the level at which they were set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import LiteralString, NamedTuple

from core import sql

NEAR = Decimal("0.8")  # of a limit
# Of the last report of each connection.
_LEVELS: LiteralString = """
    WITH last AS (
        SELECT DISTINCT ON (report.connection_id) report.id, report.connection_id, report.day
        FROM integrations_vendorreport report
        WHERE report.content = 'limits' AND report.deleted_at IS NULL
        ORDER BY report.connection_id, report.day DESC
    )
    SELECT connection.name, last.day, usage.product, usage.currency, count(*), count(usage.spend_limit),
           sum(usage.spend_limit), sum(usage.cost),
           count(*) FILTER (WHERE usage.cost >= usage.spend_limit),
           count(*) FILTER (WHERE usage.cost >= usage.spend_limit * %(near)s AND usage.cost < usage.spend_limit)
    FROM last
    JOIN integrations_connection connection ON connection.id = last.connection_id
    JOIN integrations_vendorusage usage ON usage.report_id = last.id
    GROUP BY connection.name, last.day, usage.product, usage.currency
    ORDER BY connection.name, count(*) DESC, usage.product
"""


class LevelOfLimits(NamedTuple):
    """The people whose limit a connection's vendor set at a level, according to its last report.

    `limit` sums up the limits of the people who have one, `spent` is what all of them have spent in the month of `day`;
    `reached` of them are at their limit or above it, `near` at 80 % of it or more but below it.
    """

    vendor: str
    day: date
    level: str
    currency: str
    people: int
    limited: int
    limit: Decimal | None
    spent: Decimal | None
    reached: int
    near: int


def levels_of_limits() -> list[LevelOfLimits]:
    """The levels of each connection that reports limits."""
    return [LevelOfLimits(*row) for row in sql.rows(_LEVELS, {"near": NEAR})]
