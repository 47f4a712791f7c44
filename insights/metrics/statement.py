"""The SQL of a reading: rows → people → cells.

Rows are gathered by person before anything else, so that people are counted once in every window of every partition;
a session has several rows (days, models), which are gathered into facts in order to count those once too.
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
}


def cells_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit, partition, bucket and segment in which anything was found.

    unit_id is 0 without units; partitions count from 0, their buckets from 1.  For the measure of position i: v_i its
    value, n_i the facts and p_i the people that entered, and where it has them x_i what was missing, b_i its base,
    q_i percentiles.
    """
    quantiles = any(isinstance(measure, Distribution) for measure in measures)
    shares = any(isinstance(measure, PersonShare) for measure in measures)
    by_row = reading.relation.fact_is_row
    return sql.SQL(
        """
        WITH relation_rows AS NOT MATERIALIZED ({rows}),
        sums AS ({sums}),
        {people},
        shares AS ({shares}),
        counts AS (
            SELECT {keys},
                   sum(facts)::bigint AS facts,
                   coalesce(sum(facts) FILTER (WHERE person_id <> 0), 0)::bigint AS matched_facts,
                   count(*) FILTER (WHERE person_id <> 0) AS people {counts}
            FROM shares
            GROUP BY {keys}
            WINDOW one_cell AS (PARTITION BY unit_id, partition, bucket)
        )
        SELECT * FROM sums JOIN counts USING ({keys}) {quantiles}
        """
    ).format(
        rows=rows_statement(reading, measures),
        sums=_grouped(
            reading,
            "",
            sql.SQL("count(*) AS rows_added"),
            (*_level(measures, "sums"), *(_level(measures, "facts_by_row") if by_row else ())),
        ),
        people=_people(reading, measures),
        shares=_SHARES if shares else sql.SQL("SELECT * FROM people"),
        keys=_keys(reading),
        counts=listed((*_level(measures, "people"), *(() if by_row else _level(measures, "facts_of_people")))),
        quantiles=_quantiles(reading, measures) if quantiles else sql.SQL(""),
    )


def _people(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """people AS (…): one row per person (0: unmatched), unit, window and segment; `entered` has a bit per measure.

    Nothing is added up here: carrying every column through groups of people and facts would cost most of the time.
    """
    entered = _entered(measures)
    if reading.relation.fact_is_row:
        return sql.SQL("people AS ({})").format(_grouped(reading, "person_id", sql.SQL("count(*) AS facts"), [entered]))
    return sql.SQL(
        """
        facts AS ({facts}),
        people AS (
            SELECT {keys}, person_id, count(*) AS facts, bit_or(entered) AS entered {counts}
            FROM facts
            GROUP BY {keys}, person_id
        )
        """
    ).format(
        facts=_grouped(reading, "person_id, fact_id", entered, ()),
        keys=_keys(reading),
        counts=listed(_level(measures, "facts")),
    )


def people_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per person (null: unmatched), window and segment: the facts, and f_0, what they add to the measure."""
    added = sql.SQL("sum(c_0) AS f_0") if isinstance(measure, (Total, Distribution)) else sql.SQL("count(*) AS f_0")
    facts = sql.SQL("count(DISTINCT fact_id) AS facts")
    return sql.SQL(
        """
        WITH relation_rows AS ({rows})
        SELECT nullif(person_id, 0) AS person_id {segments}, facts, f_0 FROM ({people}) AS people
        """
    ).format(
        rows=rows_statement(reading, [measure]),
        segments=listed(map(sql.Identifier, segment_names(reading))),
        people=_grouped(reading, "person_id", facts, [added]),
    )


def fact_values_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per fact and window in which it adds anything: its value as a float."""
    return sql.SQL(
        """
        SELECT {value}::float8 AS value
        FROM ({rows}) AS relation_rows
        GROUP BY fact_id {windows}
        HAVING {value} {entered}
        """
    ).format(
        value=sql.SQL("sum(c_0)" if isinstance(measure, Total) else "max(c_0)"),
        rows=rows_statement(reading, [measure]),
        windows=listed(_buckets(reading)),
        entered=sql.SQL("<> 0" if isinstance(measure, Total) else "IS NOT NULL"),
    )


def _grouped(
    reading: Reading, by: LiteralString, first: sql.Composable, others: Iterable[sql.Composable]
) -> sql.Composed:
    """The relation's rows aggregated by unit, window, segments and `by`."""
    buckets = _buckets(reading)
    sets = sql.SQL(", ").join(sql.SQL("({})").format(bucket) for bucket in buckets)
    return sql.SQL(
        """
        SELECT unit_id, {partition} AS partition, coalesce({buckets}) AS bucket {segments} {by}, {first} {others}
        FROM relation_rows
        GROUP BY unit_id {segments} {by}, GROUPING SETS ({sets})
        HAVING coalesce({buckets}) > 0
        """
    ).format(
        partition=_partition(buckets),
        buckets=sql.SQL(", ").join(buckets),
        segments=listed(map(sql.Identifier, segment_names(reading))),
        by=sql.SQL(", " + by if by else ""),
        first=first,
        others=listed(others),
        sets=sets,
    )


def _buckets(reading: Reading) -> Sequence[sql.Identifier]:
    return [sql.Identifier(f"bucket_{position}") for position in range(len(reading.partitions))]


def _partition(buckets: Sequence[sql.Identifier]) -> sql.Composable:
    """Which partition a group belongs to: GROUPING() is 0 for the bucket column that it is grouped by."""
    whens = [
        sql.SQL("WHEN GROUPING({}) = 0 THEN {}").format(bucket, position) for position, bucket in enumerate(buckets)
    ]
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(whens))


def _entered(measures: Sequence[Measure]) -> sql.Composable:
    """A bit for each measure to which one of the rows adds something."""
    bits = [
        sql.SQL("(CASE WHEN {} THEN {} ELSE 0 END)").format(_is_entered(position, measure), 1 << position)
        for position, measure in enumerate(measures)
        if isinstance(measure, (Total, Distribution))
    ]
    return sql.SQL("bit_or({}) AS entered").format(sql.SQL(" | ").join(bits) if bits else sql.SQL("0"))


def _quantiles(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    columns = [
        sql.SQL("percentile_cont(%(percentiles)s::float8[]) WITHIN GROUP (ORDER BY {}::float8) AS {}").format(
            _name("c", position), _name("q", position)
        )
        for position, measure in enumerate(measures)
        if isinstance(measure, Distribution)
    ]
    return sql.SQL("LEFT JOIN ({}) AS quantiles USING ({})").format(
        _grouped(reading, "", columns[0], columns[1:]), _keys(reading)
    )


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

# What a measure adds to each level; the letters are those of cells_statement.
_SUMMED: Mapping[str, Sequence[LiteralString]] = {
    "sums": ["sum({c}) AS {v}"],
    "facts_by_row": ["count(*) FILTER (WHERE {entered}) AS {n}"],
    "facts": ["count(*) FILTER (WHERE entered & {bit} <> 0) AS {n}"],
    "facts_of_people": ["sum({n})::bigint AS {n}"],
    "people": ["count(*) FILTER (WHERE entered & {bit} <> 0 AND person_id <> 0) AS {p}"],
}
_SHARED: Mapping[str, Sequence[LiteralString]] = {
    "people": [
        "sum(share) FILTER (WHERE person_id <> 0) AS {v}",
        "sum(sum(first_of_person) FILTER (WHERE person_id <> 0)) OVER one_cell AS {b}",
    ],
}
_MISSING: Mapping[str, Sequence[LiteralString]] = {"sums": ["sum({m}) AS {x}"]}


def _level(measures: Sequence[Measure], level: str) -> Iterable[sql.Composable]:
    for position, measure in enumerate(measures):
        texts = [*_SUMMED.get(level, ())] if isinstance(measure, (Total, Distribution)) else []
        texts += _SHARED.get(level, ()) if isinstance(measure, PersonShare) else ()
        texts += _MISSING.get(level, ()) if isinstance(measure, Total) and measure.missing_column else ()
        names: dict[str, sql.Composable] = {letter: _name(letter, position) for letter in "cmnxvpb"}
        names["bit"] = sql.Literal(1 << position)
        names["entered"] = _is_entered(position, measure)
        yield from (sql.SQL(text).format(**names) for text in texts)


def _is_entered(position: int, measure: Measure) -> sql.Composable:
    """Whether a row adds something: an amount other than zero, or any value to a distribution."""
    return sql.SQL("{} IS NOT NULL" if isinstance(measure, Distribution) else "{} <> 0").format(_name("c", position))


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
        SELECT {unit} AS unit_id, coalesce({person}, 0) AS person_id, {fact} AS fact_id {buckets} {columns}
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
