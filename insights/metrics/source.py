"""The rows of a relation that a reading asks for, as SQL; in it the relation is called source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from psycopg import sql

from insights import windows
from insights.metrics.measures import AttributedLines, Distribution, Measure, StandingAtEnd, Total
from insights.metrics.placing import condition_on_day, joins_on_day, place_of, placement_parameters
from insights.metrics.query import Dimension, Statistic
from insights.metrics.reading import Reading
from integrations.facts.ai import AGENT_SESSION_DAYS

PERCENTILES: Mapping[Statistic, float] = {
    Statistic.MEDIAN: 0.5,
    Statistic.P75: 0.75,
    Statistic.P90: 0.9,
    Statistic.P95: 0.95,
}

# A dimension in SQL; its placeholder is the relation's column of DIMENSION_COLUMNS.
OUTCOME = sql.SQL(
    "CASE WHEN source.committed THEN 'committed' WHEN {} > %(settled_before)s THEN 'pending'"
    " WHEN NOT source.covered THEN 'unknown' ELSE 'wasted' END"
)

NAMED = sql.SQL("coalesce(nullif({}, ''), 'unknown')")

DIMENSION_COLUMNS: Mapping[Dimension, str] = {
    Dimension.AGENT: "agent",
    Dimension.MODEL: "model",
    Dimension.TOOL: "tool",
    Dimension.TOKEN_KIND: "token_kind",
    Dimension.OUTCOME: "ended_at",
    Dimension.REPOSITORY: "repository",
    Dimension.LANGUAGE: "language",
    Dimension.FILE_TYPE: "file_type",
    Dimension.METHOD: "method",
}


def rows_statement(reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable] = ()) -> sql.Composed:
    """The relation's rows in the scope that pass the facets: `daily_rows_statement`, once for each of their windows."""
    return in_windows(daily_rows_statement(reading, measures, more))


def daily_rows_statement(
    reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable] = ()
) -> sql.Composed:
    """The relation's rows in the scope that pass the facets.

    With unit (or stint, where many units are asked for), person, fact, day_number (1: the first of the reading),
    segments and columns.
    """
    relation = reading.relation
    columns: list[sql.Composable] = [
        sql.SQL("{} AS {}").format(dimension_expression(dimension), sql.Identifier(name))
        for dimension, name in zip(reading.segments, segment_names(reading), strict=True)
    ]
    for position, measure in enumerate(measures):
        columns += [
            sql.SQL("{} AS {}").format(picked(measure, column), named(letter, position))
            for letter, column in _columns_of(measure)
        ]
    return sql.SQL(
        """
        SELECT {place}, coalesce({person}, 0) AS person_id, {fact} AS fact_id,
               {day} - %(start)s::date + 1 AS day_number {columns}
        FROM ({relation}) AS source {conditions}
        """
    ).format(
        place=place_of(reading.placement),
        person=of_source(relation.person),
        fact=of_source(relation.fact),
        day=of_source(relation.day),
        columns=listed((*columns, *more)),
        relation=sql.SQL(relation.sql),
        conditions=conditions(reading),
    )


def in_windows(rows: sql.Composable) -> sql.Composed:
    """Rows with a day_number, once for each window of the reading in which it lies: span is its position among them.

    Of thirty trailing windows most days lie in four: gathering every row once for each of thirty, as GROUPING SETS do,
    took most of the time of a fill.  Which windows a day lies in is looked up in two arrays, because rows are many.
    """
    return sql.SQL(
        """
        SELECT *, unnest((%(spans)s::int[])[
                      (%(entries)s::int[])[day_number] : (%(entries)s::int[])[day_number + 1] - 1
                  ]) AS span
        FROM ({}) AS of_days
        """
    ).format(rows)


def _columns_of(measure: Measure) -> Iterable[tuple[str, str]]:
    """Letter and column of what the measure reads; the letters are those of `_level`."""
    if isinstance(measure, (Total, Distribution, StandingAtEnd)):
        yield "c", measure.column
    if isinstance(measure, Total) and measure.missing_column:
        yield "m", measure.missing_column
    if isinstance(measure, AttributedLines):
        yield "t", measure.certain_column
        yield "d", DIMENSION_COLUMNS[Dimension.METHOD]


def picked(measure: Measure, column: str) -> sql.Composable:
    """The column, null in rows that do not enter the measure."""
    if not (isinstance(measure, Total) and measure.only):
        return of_source(column)
    dimension, values = measure.only
    return sql.SQL("CASE WHEN {} = ANY({}) THEN {} END").format(
        dimension_expression(dimension), sql.Literal(list(values)), of_source(column)
    )


def conditions(reading: Reading) -> sql.Composed:
    """JOIN and WHERE for the reading's scope, window and facets over its relation, which is called source."""
    relation = reading.relation
    day, person = of_source(relation.day), of_source(relation.person)
    parts: list[sql.Composable] = [
        joins_on_day(reading.placement, person, day),
        sql.SQL("WHERE {day} >= %(start)s AND {day} < %(end)s").format(day=day),
        condition_on_day(reading.placement, person, day),
    ]
    for dimension, _values in reading.facets:
        values = sql.Placeholder(f"facet_{dimension.value}")
        if dimension is Dimension.MODEL and reading.model_picks_facts:
            parts.append(_USED_A_MODEL.format(fact=of_source(relation.fact), values=values, days=_SESSION_DAYS))
        else:
            parts.append(sql.SQL("AND {} = ANY({})").format(dimension_expression(dimension), values))
    return sql.SQL(" ").join(parts)


_SESSION_DAYS = sql.SQL(AGENT_SESSION_DAYS.sql)

_USED_A_MODEL = sql.SQL(
    "AND {fact} IN (SELECT used.session_id FROM ({days}) AS used"
    " WHERE used.tokens > 0 AND coalesce(nullif(used.model, ''), 'unknown') = ANY({values}))"
)


def _windows_of_days(reading: Reading) -> tuple[list[int], list[int]]:
    """For each day of the hull where its windows begin in the second list (from 1), and one more: where they end."""
    start = reading.hull.start
    of_days: list[list[int]] = [[] for _ in range(reading.hull.days)]
    for span, window in enumerate(reading.windows):
        for offset in range((window.start - start).days, (window.end - start).days):
            of_days[offset].append(span)
    return list(accumulate((len(spans) for spans in of_days), initial=1)), [span for spans in of_days for span in spans]


def parameters(reading: Reading) -> dict[str, Any]:
    entries, spans = _windows_of_days(reading)
    return {
        "start": reading.hull.start,
        "end": reading.hull.end,
        "entries": entries,
        "spans": spans,
        "ends": [window.end for window in reading.windows],
        **placement_parameters(reading.placement),
        "settled_before": reading.settled_before,
        "percentiles": list(PERCENTILES.values()),
        "today": windows.local_today(),
        **{f"facet_{dimension.value}": list(values) for dimension, values in reading.facets},
    }


def dimension_expression(dimension: Dimension) -> sql.Composed:
    return (OUTCOME if dimension is Dimension.OUTCOME else NAMED).format(of_source(DIMENSION_COLUMNS[dimension]))


def has_dimension(measure: Measure, dimension: Dimension) -> bool:
    """Whether the rows of the measure's relation say what this dimension asks."""
    column = DIMENSION_COLUMNS.get(dimension)
    return column is not None and column in measure.relation.columns and dimension not in measure.not_by


def segment_names(reading: Reading) -> list[str]:
    return [f"segment_{position}" for position in range(len(reading.segments))]


def of_source(name: str) -> sql.Identifier:
    return sql.Identifier("source", name)


def named(letter: str, position: int) -> sql.Identifier:
    return sql.Identifier(f"{letter}_{position}")


def listed(columns: Iterable[sql.Composable]) -> sql.Composed:
    """The columns, each with a comma before it."""
    return sql.Composed([sql.SQL(", ") + column for column in columns])
