"""Writing what a statement finds into the table of cells, without taking it out of the database.

The other way: storing_from_memory.py; cells.py says which is taken when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

from insights.metrics.figures import numbers_of
from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import StockReading
from insights.metrics.scan import people_in_stock_statement, scan_statement
from insights.metrics.source import parameters
from insights.metrics.stock_statement import stock_parameters
from insights.models import Period
from insights.snapshots.groups import Group
from insights.snapshots.kept import MOST_LISTED_VALUES, MOST_SEGMENT_VALUES
from insights.snapshots.recomputation import Recomputation

# Stands in for all values of a segment that has too many in a span: readers go to the facts.
TOO_MANY_VALUES = ""


def store_by_statement(group: Group, group_id: int, recomputation: Recomputation) -> int:
    """Add the group's cells of all windows, once for each period in which a window is kept; how many there are."""
    if not recomputation.edges:
        return 0
    if group.is_stock_of_people:
        return _store_people(group, group_id, recomputation)
    reading = recomputation.reading(group)
    spans: list[tuple[int, Window, str]] = [
        (position, window, period)
        for position, kept_as in enumerate(recomputation.kept_as(reading))
        for period, window in kept_as
    ]
    if not spans:
        return 0
    statement = sql.SQL(
        """
        INSERT INTO insights_metriccell
            (group_id, unit_id, period, start, "end", segment_value, facts, matched_facts, people, figures, computed_at)
        SELECT %(group_id)s, nullif(unit_id, 0), kept.period, kept.starts, kept.ends, segment_value,
               facts, matched_facts, people, figures, %(computed_at)s
        FROM ({cells}) AS cells
        JOIN unnest(%(kept_spans)s::int[], %(kept_periods)s::text[], %(kept_starts)s::date[], %(kept_ends)s::date[])
            AS kept (span, period, starts, ends) USING (span)
        ORDER BY unit_id, starts, ends
        """
    )
    values = {**parameters(reading), **_kept(group_id, spans, recomputation.clock)}
    found = scan_statement(reading, group.measures)
    return _inserted(
        statement.format(cells=_few_values(group, found) if group.segments else _cells(group, found, sql.SQL("''"))),
        values,
    )


def _cells(group: Group, found: sql.Composed, segment_value: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "SELECT unit_id, span, {} AS segment_value, facts, matched_facts, people, {} AS figures FROM ({}) AS found"
    ).format(segment_value, numbers_of(group.measures), found)


def _few_values(group: Group, found: sql.Composed) -> sql.Composed:
    """The cells of units and spans with few segment values; of each other one a cell that says so, and no figures."""
    return sql.SQL(
        """
        SELECT DISTINCT ON (unit_id, span, CASE WHEN are_few THEN segment_value END)
               unit_id, span,
               CASE WHEN are_few THEN segment_value ELSE {too_many} END AS segment_value,
               CASE WHEN are_few THEN facts ELSE 0 END AS facts,
               CASE WHEN are_few THEN matched_facts ELSE 0 END AS matched_facts,
               CASE WHEN are_few THEN people ELSE 0 END AS people,
               CASE WHEN are_few THEN figures ELSE '{{}}' END AS figures
        FROM (
            SELECT *, count(*) OVER (PARTITION BY unit_id, span)
                      <= CASE WHEN span = ANY(%(listed_spans)s::int[]) THEN {listed} ELSE {most} END AS are_few
            FROM ({cells}) AS cells
        ) AS counted
        """
    ).format(
        too_many=sql.Literal(TOO_MANY_VALUES),
        listed=sql.Literal(MOST_LISTED_VALUES),
        most=sql.Literal(MOST_SEGMENT_VALUES),
        cells=_cells(group, found, sql.Identifier("segment_0")),
    )


def _store_people(group: Group, group_id: int, recomputation: Recomputation) -> int:
    """Those of a stock, who are counted for the days of a window that have come."""
    spans = [
        (recomputation.clock.stock_span(window), window, period)
        for window, periods in recomputation.periods.items()
        for period in periods
    ]
    reading = StockReading(group.relation, tuple(sorted({span for span, _, _ in spans})), recomputation.placement)
    statement = sql.SQL(
        """
        INSERT INTO insights_metriccell
            (group_id, unit_id, period, start, "end", segment_value, facts, matched_facts, people, figures, computed_at)
        SELECT %(group_id)s, nullif(unit_id, 0), kept.period, kept.starts, kept.ends, '',
               people, people, people, '{{}}', %(computed_at)s
        FROM ({people}) AS people
        JOIN unnest(%(span_starts)s::date[], %(span_ends)s::date[], %(kept_periods)s::text[],
                    %(kept_starts)s::date[], %(kept_ends)s::date[])
            AS kept (starts_on, ends_on, period, starts, ends) USING (starts_on, ends_on)
        ORDER BY unit_id, starts, ends
        """
    ).format(people=people_in_stock_statement(reading))
    kept = _kept(group_id, [(0, window, period) for _, window, period in spans], recomputation.clock)
    of_spans = {"span_starts": [span.start for span, _, _ in spans], "span_ends": [span.end for span, _, _ in spans]}
    return _inserted(statement, {**stock_parameters(reading), **kept, **of_spans})


def _kept(group_id: int, spans: Sequence[tuple[int, Window, str]], clock: Clock) -> Mapping[str, Any]:
    return {
        "group_id": group_id,
        "computed_at": clock.now,
        "kept_spans": [span for span, _, _ in spans],
        "listed_spans": [span for span, _, period in spans if period == Period.WINDOW],
        "kept_periods": [period for _, _, period in spans],
        "kept_starts": [window.start for _, window, _ in spans],
        "kept_ends": [window.end for _, window, _ in spans],
    }


def _inserted(statement: sql.Composed, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
