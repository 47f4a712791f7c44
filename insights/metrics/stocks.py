"""Stocks: facts counted at the end of a window's last day, instead of in the window (integrations/facts/relation.py).

A row of a stock stands once for each last day at whose end it does.  Windows that end on the same day have the same
figure: what is added up is the days, of which there are fewer, and a stock's span is the position of its day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import sql

from insights.metrics.query import Window
from insights.metrics.reading import Reading
from integrations.facts.relation import STANDING_ON, Relation


def rows_of(relation: Relation) -> sql.Composable:
    """The relation as SQL; of a stock with `stock_parameters`: its rows by the last days on which they stand.

    Which days these are is looked up in two arrays: comparing each row with each day would take most of the time.
    """
    if relation.stock is None:
        return sql.SQL(relation.sql)
    return sql.SQL(
        """
        SELECT source.*, standing.day AS {standing_on} {columns}
        FROM ({relation}) AS source
        CROSS JOIN LATERAL unnest(source.{days} * datemultirange({asked})) AS stretch (during)
        CROSS JOIN LATERAL unnest((%(last_days)s::date[])[
            (%(last_days_from)s::int[])[lower(stretch.during) - %(first_last_day)s::date + 1] :
            (%(last_days_from)s::int[])[upper(stretch.during) - %(first_last_day)s::date + 1] - 1
        ]) AS standing (day)
        WHERE source.{days} && {asked}
        """
    ).format(
        standing_on=sql.Identifier(STANDING_ON),
        columns=sql.Composed(
            [
                sql.SQL(", {} AS {}").format(sql.SQL(expression), sql.Identifier(name))
                for name, expression in relation.stock.columns
            ]
        ),
        relation=sql.SQL(relation.sql),
        days=sql.Identifier(relation.stock.days),
        asked=sql.SQL("daterange(%(first_last_day)s, %(after_last_day)s)"),
    )


def stock_parameters(reading: Reading) -> dict[str, Any]:
    """Nothing for what is no stock.

    `last_days_from` has for each day from the first last day to the one after the last the position, from 1, of the
    first last day that is not before it.
    """
    if reading.relation.stock is None:
        return {}
    last_days = list(reading.windows_by_last_day)
    first = last_days[0] if last_days else reading.hull.start
    after = last_days[-1] + timedelta(days=1) if last_days else first
    days = (first + timedelta(days=offset) for offset in range((after - first).days + 1))
    return {
        "last_days": last_days,
        "last_days_from": [bisect_left(last_days, day) + 1 for day in days],
        "first_last_day": first,
        "after_last_day": after,
    }


def stock_stretches(reading: Reading) -> tuple[list[int], list[int], list[int]]:
    """As the stretches of insights/metrics/source.py, of which each is one last day."""
    positions = {day: position for position, day in enumerate(reading.windows_by_last_day, start=1)}
    start = reading.hull.start
    numbers = [positions.get(start + timedelta(days=offset), 0) for offset in range(reading.hull.days)]
    return numbers, list(range(1, len(positions) + 2)), list(range(len(positions)))


def windows_by_span(reading: Reading) -> Sequence[Sequence[Window]]:
    """The windows of each span that a statement tells of."""
    if reading.relation.stock is None:
        return [(window,) for window in reading.windows]
    return list(reading.windows_by_last_day.values())
