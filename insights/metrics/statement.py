"""The SQL of a reading: rows → people → cells.

Rows are gathered by person before anything else, so that people are counted once in every window of every partition;
a session has several rows (days, models), which are gathered into facts in order to count those once too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import LiteralString

from psycopg import sql

from insights.metrics.measures import AttributedLines, Distribution, Measure, PersonShare, Total
from insights.metrics.reading import Reading
from insights.metrics.source import listed, named, rows_statement, segment_names
from integrations.models import Method

ATTRIBUTION_METHODS = tuple(Method.values)


def cells_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit, window and segment in which anything was found.

    unit_id is 0 without units, span the window's position in `reading.windows`.  For the measure of position i: v_i its
    value, n_i the facts and p_i the people that entered, and where it has them x_i what was missing, b_i its base,
    q_i percentiles.

    All parts have the same cells.  The joins are full because those are never nested loops: the planner takes a
    placement for much rarer than it is, expects one cell, and would compute a part anew for each of thousands.
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
            WINDOW one_cell AS (PARTITION BY unit_id, span)
        )
        SELECT * FROM sums FULL JOIN counts USING ({keys}) {quantiles}
        """
    ).format(
        rows=rows_statement(reading, measures),
        sums=grouped(
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
        return sql.SQL("people AS ({})").format(grouped(reading, "person_id", sql.SQL("count(*) AS facts"), [entered]))
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
        facts=grouped(reading, "person_id, fact_id", entered, ()),
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
        people=grouped(reading, "person_id", facts, [added]),
    )


def fact_values_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per fact and window in which it adds anything: its value as a float."""
    return sql.SQL(
        """
        SELECT {value}::float8 AS value
        FROM ({rows}) AS relation_rows
        GROUP BY fact_id, span
        HAVING {value} {entered}
        """
    ).format(
        value=sql.SQL("sum(c_0)" if isinstance(measure, Total) else "max(c_0)"),
        rows=rows_statement(reading, [measure]),
        entered=sql.SQL("<> 0" if isinstance(measure, Total) else "IS NOT NULL"),
    )


def grouped(
    reading: Reading, by: LiteralString, first: sql.Composable, others: Iterable[sql.Composable]
) -> sql.Composed:
    """The rows that are called relation_rows, aggregated by unit, window, segments and `by`."""
    keys = _keys(reading) + sql.SQL(", " + by if by else "")
    return sql.SQL("SELECT {keys}, {first} {others} FROM relation_rows GROUP BY {keys}").format(
        keys=keys, first=first, others=listed(others)
    )


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
            named("c", position), named("q", position)
        )
        for position, measure in enumerate(measures)
        if isinstance(measure, Distribution)
    ]
    return sql.SQL("FULL JOIN ({}) AS quantiles USING ({})").format(
        grouped(reading, "", columns[0], columns[1:]), _keys(reading)
    )


_SHARES = sql.SQL(
    """
    SELECT *,
           facts / sum(facts) OVER mine AS share,
           CASE WHEN row_number() OVER mine_in_order = 1 THEN 1 ELSE 0 END AS first_of_person
    FROM people
    WINDOW mine AS (PARTITION BY unit_id, span, person_id),
           mine_in_order AS (PARTITION BY unit_id, span, person_id ORDER BY segment_0)
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

_ATTRIBUTED: Mapping[str, Sequence[LiteralString]] = {"sums": ["sum({t}) AS {l}", "ARRAY[{by_method}] AS {k}"]}


def _level(measures: Sequence[Measure], level: str) -> Iterable[sql.Composable]:
    for position, measure in enumerate(measures):
        texts = [*_SUMMED.get(level, ())] if isinstance(measure, (Total, Distribution)) else []
        texts += _SHARED.get(level, ()) if isinstance(measure, PersonShare) else ()
        texts += _MISSING.get(level, ()) if isinstance(measure, Total) and measure.missing_column else ()
        texts += _ATTRIBUTED.get(level, ()) if isinstance(measure, AttributedLines) else ()
        names: dict[str, sql.Composable] = {letter: named(letter, position) for letter in "cmnxvpbtlk"}
        names["by_method"] = sql.SQL(", ").join(
            sql.SQL("sum({}) FILTER (WHERE {} = {})").format(names["c"], named("d", position), sql.Literal(method))
            for method in ATTRIBUTION_METHODS
        )
        names["bit"] = sql.Literal(1 << position)
        names["entered"] = _is_entered(position, measure)
        yield from (sql.SQL(text).format(**names) for text in texts)


def _is_entered(position: int, measure: Measure) -> sql.Composable:
    """Whether a row adds something: an amount other than zero, or any value to a distribution."""
    return sql.SQL("{} IS NOT NULL" if isinstance(measure, Distribution) else "{} <> 0").format(named("c", position))


def _keys(reading: Reading) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in ("unit_id", "span", *segment_names(reading)))
