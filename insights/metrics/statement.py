"""The SQL of a reading: rows → facts → people → cells.

A session has several rows (days, models), so rows are first gathered into facts and facts into people; each is
thereby counted once in every window of every partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql

from insights.metrics.measures import Distribution, Measure, PersonShare, Total
from insights.metrics.query import Dimension, Statistic
from insights.metrics.reading import Placed, Placement, Reading, StockReading
from integrations.facts.ai import AGENT_SESSION_DAYS

PERCENTILES: Mapping[Statistic, float] = {
    Statistic.MEDIAN: 0.5,
    Statistic.P75: 0.75,
    Statistic.P90: 0.9,
    Statistic.P95: 0.95,
}

# A dimension in SQL; its placeholder is the relation's column of DIMENSION_COLUMNS.
OUTCOME = sql.SQL("CASE WHEN {} > %(settled_before)s THEN 'pending' ELSE 'unknown' END")
NAMED = sql.SQL("coalesce(nullif({}, ''), 'unknown')")
DIMENSION_COLUMNS: Mapping[Dimension, str] = {
    Dimension.AGENT: "agent",
    Dimension.MODEL: "model",
    Dimension.TOOL: "tool",
    Dimension.TOKEN_KIND: "token_kind",
    Dimension.OUTCOME: "ended_at",
}


def cells_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit, partition, bucket and segment in which anything was found.

    unit_id is 0 without units; partitions count from 0, their buckets from 1.  For the measure of position i: v_i its
    value, n_i the facts and p_i the people that entered, and where it has them x_i what was missing, b_i its base,
    q_i percentiles.
    """
    keys = _keys(reading)
    quantiles = [
        sql.SQL("percentile_cont(%(percentiles)s::float8[]) WITHIN GROUP (ORDER BY {}::float8) AS {}").format(
            _name("f", position), _name("q", position)
        )
        for position, measure in enumerate(measures)
        if isinstance(measure, Distribution)
    ]
    shares = _SHARES if any(isinstance(measure, PersonShare) for measure in measures) else _NO_SHARES
    return sql.SQL(
        """
        {people},
        shares AS ({shares}),
        cells AS (
            SELECT {keys},
                   sum(facts)::bigint AS facts,
                   coalesce(sum(facts) FILTER (WHERE person_id IS NOT NULL), 0)::bigint AS matched_facts,
                   count(person_id) AS people {columns}
            FROM shares
            GROUP BY {keys}
            WINDOW one_cell AS (PARTITION BY unit_id, partition, bucket)
        )
        SELECT * FROM cells {quantiles}
        """
    ).format(
        people=_people(reading, measures),
        shares=shares,
        keys=keys,
        columns=listed(_level(measures, "cells")),
        quantiles=_QUANTILES.format(keys=keys, columns=listed(quantiles)) if quantiles else sql.SQL(""),
    )


def people_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per person (null: unmatched), window and segment: facts, and f_i for each measure."""
    totals = [_name("f", i) for i, measure in enumerate(measures) if isinstance(measure, (Total, Distribution))]
    return sql.SQL("{people} SELECT person_id {segments}, facts {totals} FROM people").format(
        people=_people(reading, measures),
        segments=listed(map(sql.Identifier, segment_names(reading))),
        totals=listed(totals),
    )


def fact_values_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per fact and window in which it adds anything: its value as a float."""
    return sql.SQL("{people} SELECT f_0::float8 AS value FROM facts WHERE {entered}").format(
        people=_people(reading, [measure]),
        entered=sql.SQL("f_0 <> 0") if isinstance(measure, Total) else sql.SQL("f_0 IS NOT NULL"),
    )


def _people(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """WITH … people: one row per person, unit, window and segment."""
    buckets = [sql.Identifier(f"bucket_{position}") for position in range(len(reading.partitions))]
    return sql.SQL(
        """
        WITH relation_rows AS ({rows}),
        facts AS (
            SELECT unit_id, {partition} AS partition, coalesce({buckets}) AS bucket,
                   person_id, fact_id {segments} {fact_columns}
            FROM relation_rows
            GROUP BY unit_id, person_id, fact_id {segments}, GROUPING SETS ({sets})
            HAVING coalesce({buckets}) > 0
        ),
        people AS (
            SELECT {keys}, person_id, count(*) AS facts {people_columns}
            FROM facts
            GROUP BY {keys}, person_id
        )
        """
    ).format(
        rows=rows_statement(reading, measures),
        partition=_partition(buckets),
        buckets=sql.SQL(", ").join(buckets),
        sets=sql.SQL(", ").join(sql.SQL("({})").format(bucket) for bucket in buckets),
        segments=listed(map(sql.Identifier, segment_names(reading))),
        fact_columns=listed(_level(measures, "facts")),
        keys=_keys(reading),
        people_columns=listed(_level(measures, "people")),
    )


def _partition(buckets: Sequence[sql.Identifier]) -> sql.Composable:
    """Which partition a group belongs to: GROUPING() is 0 for the bucket column that it is grouped by."""
    whens = [
        sql.SQL("WHEN GROUPING({}) = 0 THEN {}").format(bucket, position) for position, bucket in enumerate(buckets)
    ]
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(whens))


_QUANTILES = sql.SQL("LEFT JOIN (SELECT {keys} {columns} FROM facts GROUP BY {keys}) AS quantiles USING ({keys})")
_NO_SHARES = sql.SQL("SELECT * FROM people")
_SHARES = sql.SQL(
    """
    SELECT *,
           facts / sum(facts) OVER mine AS share,
           CASE WHEN row_number() OVER mine_in_order = 1 THEN 1 ELSE 0 END AS first_of_person
    FROM people
    WINDOW mine AS (PARTITION BY unit_id, partition, bucket, person_id),
           mine_in_order AS (PARTITION BY unit_id, partition, bucket, person_id ORDER BY segment_0)
    """
)


# What a measure adds to each level; the letters are those of cells_statement, f what one fact or person adds.
_LEVELS: Mapping[type[Measure], Mapping[str, Sequence[LiteralString]]] = {
    Total: {
        "facts": ["sum({c}) AS {f}"],
        "people": ["sum({f}) AS {f}", "count(*) FILTER (WHERE {f} <> 0) AS {n}"],
        "cells": [
            "sum({f}) AS {v}",
            "sum({n})::bigint AS {n}",
            "count(person_id) FILTER (WHERE {n} > 0) AS {p}",
        ],
    },
    Distribution: {
        "facts": ["max({c}) AS {f}"],
        "people": ["sum({f}) AS {f}", "count({f}) AS {n}"],
        "cells": [
            "sum({f}) AS {v}",
            "sum({n})::bigint AS {n}",
            "count(person_id) FILTER (WHERE {n} > 0) AS {p}",
        ],
    },
    PersonShare: {
        "cells": [
            "sum(share) FILTER (WHERE person_id IS NOT NULL) AS {v}",
            "sum(sum(first_of_person) FILTER (WHERE person_id IS NOT NULL)) OVER one_cell AS {b}",
        ],
    },
}
_MISSING: Mapping[str, LiteralString] = {
    "facts": "sum({m}) AS {x}",
    "people": "sum({x}) AS {x}",
    "cells": "sum({x}) AS {x}",
}


def _level(measures: Sequence[Measure], level: str) -> Iterable[sql.Composable]:
    for position, measure in enumerate(measures):
        names = {letter: _name(letter, position) for letter in "cmfnxvpb"}
        for text in _LEVELS.get(type(measure), {}).get(level, ()):
            yield sql.SQL(text).format(**names)
        if isinstance(measure, Total) and measure.missing_column:
            yield sql.SQL(_MISSING[level]).format(**names)


def rows_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """The relation's rows in the window and scope that pass the facets, with unit, bucket, segments and columns."""
    relation = reading.relation
    columns: list[sql.Composable] = [
        sql.SQL("{} AS {}").format(dimension_expression(dimension), sql.Identifier(name))
        for dimension, name in zip(reading.segments, segment_names(reading), strict=True)
    ]
    for position, measure in enumerate(measures):
        if isinstance(measure, (Total, Distribution)):
            columns.append(sql.SQL("{} AS {}").format(of_source(measure.column), _name("c", position)))
        if isinstance(measure, Total) and measure.missing_column:
            columns.append(sql.SQL("{} AS {}").format(of_source(measure.missing_column), _name("m", position)))
    buckets = [
        sql.SQL("width_bucket({day}, %({edges})s::date[]) * ({day} < %({end})s)::int AS {name}").format(
            day=of_source(relation.day),
            edges=sql.SQL(f"edges_{position}"),
            end=sql.SQL(f"end_{position}"),
            name=sql.Identifier(f"bucket_{position}"),
        )
        for position in range(len(reading.partitions))
    ]
    return sql.SQL(
        """
        SELECT {unit} AS unit_id, {person} AS person_id, {fact} AS fact_id {buckets} {columns}
        FROM ({relation}) AS source {conditions}
        """
    ).format(
        unit=_unit(reading.placement),
        person=of_source(relation.person),
        fact=of_source(relation.fact),
        buckets=listed(buckets),
        columns=listed(columns),
        relation=sql.SQL(relation.sql),
        conditions=conditions(reading),
    )


def conditions(reading: Reading) -> sql.Composed:
    """JOIN and WHERE for the reading's scope, window and facets over its relation, which is called source."""
    relation = reading.relation
    day, person = of_source(relation.day), of_source(relation.person)
    parts: list[sql.Composable] = [
        _placed(reading.placement, person, day),
        sql.SQL("WHERE {day} >= %(start)s AND {day} < %(end)s").format(day=day),
        _only(reading.placement, person),
    ]
    for position, (dimension, _values) in enumerate(reading.facets):
        values = sql.Placeholder(f"facet_{position}")
        if dimension is Dimension.MODEL and reading.model_picks_facts:
            parts.append(_USED_A_MODEL.format(fact=of_source(relation.fact), values=values, days=_SESSION_DAYS))
        else:
            parts.append(sql.SQL("AND {} = ANY({})").format(dimension_expression(dimension), values))
    return sql.SQL(" ").join(parts)


def _unit(placement: Placement) -> sql.Composable:
    return sql.SQL("placement.ancestor_id") if placement.placed is Placed.UNITS else sql.SQL("0")


def _placed(placement: Placement, person: sql.Composable, day: sql.Composable) -> sql.Composable:
    """The join that finds the units of a person on a day: one row per unit on the path to the root."""
    if placement.placed not in (Placed.UNIT, Placed.UNITS):
        return sql.SQL("")
    return sql.SQL("JOIN orgtree_placement placement ON placement.person_id = {} AND placement.during @> {}").format(
        person, day
    )


def _only(placement: Placement, person: sql.Composable) -> sql.Composable:
    if placement.placed is Placed.PERSON:
        return sql.SQL("AND {} = ANY(%(ids)s)").format(person)
    return sql.SQL("AND placement.ancestor_id = ANY(%(ids)s)") if placement.ids else sql.SQL("")


_SESSION_DAYS = sql.SQL(AGENT_SESSION_DAYS.sql)
_USED_A_MODEL = sql.SQL(
    "AND {fact} IN (SELECT used.session_id FROM ({days}) AS used"
    " WHERE used.tokens > 0 AND coalesce(nullif(used.model, ''), 'unknown') = ANY({values}))"
)


def stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and end: people whose day lies before it and who had not left by then."""
    return sql.SQL("SELECT unit_id, ends_on, count(*) FROM ({}) AS people GROUP BY unit_id, ends_on").format(
        stocked_people_statement(reading)
    )


def stocked_people_statement(reading: StockReading) -> sql.Composed:
    """One row per unit, end and person.  A person is in a unit on the last day before the end."""
    relation = reading.relation
    person = of_source(relation.person)
    return sql.SQL(
        """
        SELECT {unit} AS unit_id, ends.day AS ends_on, {person} AS person_id
        FROM unnest(%(ends)s::date[]) AS ends (day)
        JOIN ({relation}) AS source
          ON {day} < ends.day AND (source.left_on IS NULL OR source.left_on >= ends.day)
        {placed}
        WHERE true {only}
        """
    ).format(
        unit=_unit(reading.placement),
        person=person,
        relation=sql.SQL(relation.sql),
        day=of_source(relation.day),
        placed=_placed(reading.placement, person, sql.SQL("(ends.day - 1)")),
        only=_only(reading.placement, person),
    )


def parameters(reading: Reading) -> dict[str, Any]:
    return {
        "start": reading.hull.start,
        "end": reading.hull.end,
        **{f"edges_{position}": list(edges) for position, edges in enumerate(reading.partitions)},
        **{f"end_{position}": edges[-1] for position, edges in enumerate(reading.partitions)},
        "ids": list(reading.placement.ids),
        "settled_before": reading.settled_before,
        "percentiles": list(PERCENTILES.values()),
        **{f"facet_{position}": list(values) for position, (_, values) in enumerate(reading.facets)},
    }


def stock_parameters(reading: StockReading) -> dict[str, Any]:
    return {"ends": list(reading.ends), "ids": list(reading.placement.ids)}


def dimension_expression(dimension: Dimension) -> sql.Composed:
    return (OUTCOME if dimension is Dimension.OUTCOME else NAMED).format(of_source(DIMENSION_COLUMNS[dimension]))


def has_dimension(measure: Measure, dimension: Dimension) -> bool:
    """Whether the rows of the measure's relation say what this dimension asks."""
    column = DIMENSION_COLUMNS.get(dimension)
    return column is not None and column in measure.relation.columns and dimension not in measure.not_by


def _keys(reading: Reading) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Identifier(name) for name in ("unit_id", "partition", "bucket", *segment_names(reading))
    )


def segment_names(reading: Reading) -> list[str]:
    return [f"segment_{position}" for position in range(len(reading.segments))]


def of_source(name: str) -> sql.Identifier:
    return sql.Identifier("source", name)


def _name(letter: str, position: int) -> sql.Identifier:
    return sql.Identifier(f"{letter}_{position}")


def listed(columns: Iterable[sql.Composable]) -> sql.Composed:
    """The columns, each with a comma before it."""
    return sql.Composed([sql.SQL(", ") + column for column in columns])
