"""The rows of a relation that a reading asks for, as SQL; in it the relation is called source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from psycopg import sql

from insights import windows
from insights.engine.dimensions import DIMENSION_COLUMNS
from insights.engine.measures import PERCENTILES, columns_of
from insights.engine.scope import placed_as
from insights.engine.statement import segment_names
from insights.metrics.measures import Measure, Total
from insights.metrics.placing import condition_on_day, joins_on_day, place_of, placement_parameters, whose
from insights.metrics.query import Dimension
from insights.metrics.reading import Reading
from insights.metrics.stocks import rows_of, stock_parameters, stock_stretches
from integrations.facts.ai import MODELS_OF_SESSIONS
from integrations.facts.relation import Relation

# A dimension in SQL; its placeholder is the relation's column of DIMENSION_COLUMNS.
OUTCOME = sql.SQL(
    "CASE WHEN source.committed THEN 'committed' WHEN {} > %(settled_before)s THEN 'pending'"
    " WHEN NOT source.covered THEN 'unknown' ELSE 'wasted' END"
)

NAMED = sql.SQL("coalesce(nullif({}, ''), 'unknown')")


def rows_statement(reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable] = ()) -> sql.Composed:
    """The rows of `placed_rows_statement`, once for each window in which they lie."""
    return in_windows(placed_rows_statement(reading, measures, more))


def placed_rows_statement(
    reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable] = ()
) -> sql.Composed:
    """The relation's rows in the scope that pass the facets.

    With unit (or stint, where many units are asked for), person, fact, stretch, segments and columns.  Days that lie in
    the same windows of the reading are one stretch; the first is 1.  What counts for its owner has the id of what is
    owned for its person: they are placed alike, and a row without an owner is as unmatched as one without a person.
    Where people and owners are among the rows, what is owned has the negative of its id: it is no person.
    A fact that several share is its own person, so that a unit in which it has several rows counts it once.
    """
    placed = placed_as(reading.placement, reading.relation)
    return sql.SQL(" UNION ALL ").join(_rows_placed_by(relation, reading, measures, more) for relation in placed)


def _rows_placed_by(
    relation: Relation, reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable]
) -> sql.Composed:
    columns: list[sql.Composable] = [
        sql.SQL("{} AS {}").format(dimension_expression(dimension), sql.Identifier(name))
        for dimension, name in zip(reading.segments, segment_names(reading), strict=True)
    ]
    for position, measure in enumerate(measures):
        columns += [
            sql.SQL("{} AS {}").format(picked(measure, column), named(letter, position))
            for letter, column in columns_of(measure)
        ]
    return sql.SQL(
        """
        SELECT {place}, coalesce({person}, 0) AS person_id, {fact} AS fact_id,
               (%(stretches)s::int[])[{day} - %(start)s::date + 1] AS stretch {columns}
        FROM ({relation}) AS source {conditions}
        """
    ).format(
        place=place_of(reading.placement),
        person=whose(reading.placement, relation),
        fact=of_source(relation.fact),
        day=of_source(relation.day),
        columns=listed((*columns, *more)),
        relation=rows_of(relation),
        conditions=conditions(reading, relation),
    )


def in_windows(rows: sql.Composable) -> sql.Composed:
    """Rows with a stretch, once for each window of the reading in which it lies: span is its position among them.

    Of thirty trailing windows most days lie in four: gathering every row once for each of thirty, as GROUPING SETS do,
    took most of the time of a fill.  Which windows those are is looked up in two arrays, because rows are many.
    """
    return sql.SQL(
        """
        SELECT *, unnest((%(spans)s::int[])[
                      (%(entries)s::int[])[stretch] : (%(entries)s::int[])[stretch + 1] - 1
                  ]) AS span
        FROM ({}) AS of_stretches
        """
    ).format(rows)


def picked(measure: Measure, column: str) -> sql.Composable:
    """The column, null in rows that do not enter the measure."""
    if not (isinstance(measure, Total) and measure.only):
        return of_source(column)
    dimension, values = measure.only
    return sql.SQL("CASE WHEN {} = ANY({}) THEN {} END").format(
        dimension_expression(dimension), sql.Literal(list(values)), of_source(column)
    )


def conditions(reading: Reading, relation: Relation) -> sql.Composed:
    """JOIN and WHERE for the reading's scope, window and facets over its relation as it is placed, called source."""
    day = of_source(relation.day)
    parts: list[sql.Composable] = [
        joins_on_day(reading.placement, relation, day),
        sql.SQL("WHERE {day} >= %(start)s AND {day} < %(end)s").format(day=day),
        condition_on_day(reading.placement, relation, day),
    ]
    for dimension, _values in reading.facets:
        values = sql.Placeholder(f"facet_{dimension.value}")
        if dimension is Dimension.MODEL and reading.model_picks_facts:
            parts.append(sql.SQL("AND {} IN ({})").format(of_source(relation.fact), model_picks_among(values)))
        else:
            parts.append(sql.SQL("AND {} = ANY({})").format(dimension_expression(dimension), values))
    return sql.SQL(" ").join(parts)


def model_picks_among(models: sql.Composable) -> sql.Composed:
    """The sessions (session_id) that used one of these models, an array of texts.

    Compared with the column itself, which an index has: a session without a model's name is one of an unknown one.
    """
    statement = sql.SQL(
        "SELECT session_id FROM ({sessions}) AS used WHERE used.model = ANY("
        "CASE WHEN 'unknown' = ANY({models}::text[]) THEN array_append({models}::text[], '') ELSE {models}::text[] END)"
    )
    return statement.format(sessions=sql.SQL(MODELS_OF_SESSIONS), models=models)


def stretches_of(reading: Reading) -> tuple[list[int], list[int], list[int]]:
    """For each day of the hull its stretch; where the windows of each stretch begin in the third list, and the end.

    The windows stand there by their position; positions in these lists are counted from 1.
    """
    if reading.relation.stock:
        return stock_stretches(reading)
    start = reading.hull.start
    of_days: list[list[int]] = [[] for _ in range(reading.hull.days)]
    for span, window in enumerate(reading.windows):
        for offset in range((window.start - start).days, (window.end - start).days):
            of_days[offset].append(span)
    stretches: dict[tuple[int, ...], int] = {}
    numbers = [stretches.setdefault(tuple(spans), len(stretches) + 1) for spans in of_days]
    entries = list(accumulate(map(len, stretches), initial=1))
    return numbers, entries, [span for spans in stretches for span in spans]


def parameters(reading: Reading) -> dict[str, Any]:
    stretches, entries, spans = stretches_of(reading)
    return {
        "start": reading.hull.start,
        "end": reading.hull.end,
        "stretches": stretches,
        "entries": entries,
        "spans": spans,
        "ends": [window.end for window in reading.windows],
        **placement_parameters(reading.placement),
        "settled_before": reading.settled_before,
        "percentiles": list(PERCENTILES.values()),
        "today": windows.local_today(),
        **stock_parameters(reading),
        **{f"facet_{dimension.value}": list(values) for dimension, values in reading.facets},
    }


def dimension_expression(dimension: Dimension) -> sql.Composed:
    return (OUTCOME if dimension is Dimension.OUTCOME else NAMED).format(of_source(DIMENSION_COLUMNS[dimension]))


def of_source(name: str) -> sql.Identifier:
    return sql.Identifier("source", name)


def named(letter: str, position: int) -> sql.Identifier:
    return sql.Identifier(f"{letter}_{position}")


def listed(columns: Iterable[sql.Composable]) -> sql.Composed:
    """The columns, each with a comma before it."""
    return sql.Composed([sql.SQL(", ") + column for column in columns])
