"""The SQL of a reading: rows → people → cells.

Rows are gathered by person before anything else, so that people are counted once in every window of every partition;
a session has several rows (days, models), which are gathered into facts in order to count those once too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import LiteralString

from psycopg import sql

from insights.engine.measures import ATTRIBUTION_METHODS
from insights.engine.statement import segment_names
from insights.metrics.measures import AttributedLines, Distribution, Measure, PeopleOnLine, PersonShare, Total
from insights.metrics.reading import Reading
from insights.metrics.source import in_windows, listed, named, placed_rows_statement, rows_statement
from integrations.facts.developers import AT_WORK as IS_AT_WORK
from integrations.facts.developers import IN_SESSION as IS_IN_SESSION
from integrations.facts.developers import ON_LINE as IS_ON_LINE


def cells_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit, window and segment in which anything was found.

    unit_id is 0 without units, span the window's position in `reading.windows`.  For the measure of position i: v_i its
    value, n_i the facts and p_i the people that entered, and where it has them x_i what was missing or left out, b_i
    its base, q_i percentiles.

    All parts have the same cells.  The joins are full because those are never nested loops: the planner takes a
    placement for much rarer than it is, expects one cell, and would compute a part anew for each of thousands.
    """
    quantiles = any(isinstance(measure, Distribution) for measure in measures)
    shares = any(isinstance(measure, PersonShare) for measure in measures)
    return sql.SQL(
        """
        WITH {rows},
        {people},
        shares AS ({shares}),
        counts AS (
            SELECT {keys},
                   sum(facts)::bigint AS facts,
                   coalesce(sum(facts) FILTER (WHERE person_id <> 0), 0)::bigint AS matched_facts,
                   count(*) FILTER (WHERE person_id > 0) AS people {counts}
            FROM shares
            GROUP BY {keys}
            WINDOW one_cell AS (PARTITION BY unit_id, span)
        )
        SELECT * {by_method} FROM ({sums}) AS sums FULL JOIN counts USING ({keys}) {quantiles}
        """
    ).format(
        rows=relation_rows(reading, measures),
        sums=_sums_of_windows(reading, measures),
        people=_people(reading, measures),
        shares=_SHARES if shares else sql.SQL("SELECT * FROM people"),
        keys=_keys(reading),
        counts=listed(_counts(measures)),
        by_method=listed(by_method(measures)),
        quantiles=_quantiles(reading, measures) if quantiles else sql.SQL(""),
    )


def relation_rows(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """relation_rows AS (…): the rows of `rows_with_entered`.

    Materialized, because all parts read it: finding them is most of the work.
    """
    return sql.SQL("relation_rows AS MATERIALIZED ({})").format(rows_with_entered(reading, measures))


def rows_with_entered(
    reading: Reading, measures: Sequence[Measure], more: Iterable[sql.Composable] = ()
) -> sql.Composed:
    """The rows of `placed_rows_statement`; `entered` has a bit per measure to which one adds."""
    return sql.SQL("SELECT *, {} AS entered FROM ({}) AS r").format(
        _entered(measures), placed_rows_statement(reading, measures, more)
    )


def _sums_of_windows(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per cell with what is added up: by stretch first, which several windows have in common."""
    names = segment_names(reading)
    stretches = sql.SQL(", ").join(map(sql.Identifier, ("unit_id", "stretch", *names)))
    sums = sums_of_rows(measures)
    return sql.SQL("SELECT {keys} {added} FROM ({in_windows}) AS of_windows GROUP BY {keys}").format(
        keys=_keys(reading),
        added=added_up([name for name, _ in sums]),
        in_windows=in_windows(
            sql.SQL("SELECT {stretches} {sums} FROM relation_rows GROUP BY {stretches}").format(
                stretches=stretches, sums=defined(sums)
            )
        ),
    )


def _people(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """people AS (…): one row per person, unit, window and segment, with facts and n_i; entered as above.

    0 is whoever is unmatched, and what falls to an owner has a negative number: people are those above it.

    Nothing is added up here: carrying every column through groups of people and facts would cost most of the time.
    """
    long_facts = sql.SQL(
        "UNION ALL SELECT {keys}, person_id, 1, bit_or(entered) {facts} FROM ({rows}) AS r"
        " GROUP BY {keys}, person_id, fact_id"
    ).format(
        keys=_keys(reading),
        facts=listed(
            sql.SQL("(bit_or(entered) & {} <> 0)::int").format(sql.Literal(1 << position))
            for position, _ in countable(measures)
        ),
        rows=rows_of_long_facts(reading, "unit_id"),
    )
    return sql.SQL(
        """
        {of_stretches}
        people AS (
            SELECT {keys}, person_id, sum(facts) AS facts, bit_or(entered) AS entered {counts}
            FROM (
                SELECT {keys}, person_id, facts, entered {names} FROM ({people_of_stretches}) AS s
                {long_facts}
            ) AS facts
            GROUP BY {keys}, person_id
        )
        """
    ).format(
        of_stretches=people_of_stretches(reading, measures, "unit_id"),
        keys=_keys(reading),
        counts=added_up(named("n", position) for position, _ in countable(measures)),
        names=listed(named("n", position) for position, _ in countable(measures)),
        people_of_stretches=in_windows(sql.SQL("SELECT * FROM people_of_stretches")),
        long_facts=sql.SQL("") if reading.relation.fact_is_row else long_facts,
    )


def people_of_stretches(reading: Reading, measures: Sequence[Measure], place: LiteralString) -> sql.Composed:
    """people_of_stretches AS (…): one row per place (a unit or stint), person, stretch and segment.

    It has facts, n_i and entered, as people.  Facts with rows in several stretches or places, the long_facts, are left
    out: a window or unit with several of these counts them once.  All others are counted before they are put into
    windows, of which there are many.
    """
    names = [sql.Identifier(name) for name in (place, "person_id", "stretch", *segment_names(reading))]
    keys = sql.SQL(", ").join(names)
    of_stretches = sql.SQL(
        """
        people_of_stretches AS MATERIALIZED (
            SELECT {keys}, count(*) AS facts, bit_or(entered) AS entered {counts} FROM {facts} AS facts GROUP BY {keys}
        ),
        """
    )
    counts = listed(
        sql.SQL("count(*) FILTER (WHERE entered & {} <> 0) AS {}").format(
            sql.Literal(1 << position), named("n", position)
        )
        for position, _ in countable(measures)
    )
    if reading.relation.fact_is_row:
        return of_stretches.format(keys=keys, counts=counts, facts=sql.SQL("relation_rows"))
    return sql.SQL(
        """
        long_facts AS MATERIALIZED (
            SELECT fact_id
            FROM relation_rows
            GROUP BY fact_id
            HAVING min(stretch) <> max(stretch) OR min({place}) <> max({place})
        ),
        {of_stretches}
        """
    ).format(
        place=sql.Identifier(place),
        of_stretches=of_stretches.format(
            keys=keys,
            counts=counts,
            facts=sql.SQL(
                "(SELECT {keys}, bit_or(entered) AS entered FROM relation_rows"
                " WHERE NOT EXISTS (SELECT FROM long_facts WHERE long_facts.fact_id = relation_rows.fact_id)"
                " GROUP BY {keys}, fact_id)"
            ).format(keys=keys),
        ),
    )


def rows_of_long_facts(reading: Reading, place: LiteralString) -> sql.Composed:
    """Their rows in windows, without what is added up."""
    names = map(sql.Identifier, (place, "person_id", "fact_id", "stretch", "entered", *segment_names(reading)))
    return in_windows(
        sql.SQL("SELECT {} FROM relation_rows JOIN long_facts USING (fact_id)").format(sql.SQL(", ").join(names))
    )


def people_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per person, window and segment: the facts, and f_0, what they add to the measure.

    person_id is null where nobody is matched, and negative where what is owned stands for a person.
    """
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


def grouped(
    reading: Reading, by: LiteralString, first: sql.Composable, others: Iterable[sql.Composable]
) -> sql.Composed:
    """The rows that are called relation_rows, aggregated by unit, window, segments and `by`."""
    keys = _keys(reading) + sql.SQL(", " + by if by else "")
    return sql.SQL("SELECT {keys}, {first} {others} FROM relation_rows GROUP BY {keys}").format(
        keys=keys, first=first, others=listed(others)
    )


def _entered(measures: Sequence[Measure]) -> sql.Composable:
    """A bit for each measure to which the row adds something: an amount other than zero, or any to a distribution.

    Of people on lines these are the signs of the row, for a relation that is read for them alone.
    """
    if any(isinstance(measure, PeopleOnLine) for measure in measures):
        return named("c", 0)
    tests = {Total: sql.SQL("{} <> 0"), Distribution: sql.SQL("{} IS NOT NULL")}
    bits = [
        sql.SQL("(CASE WHEN {} THEN {} ELSE 0 END)").format(
            tests[Distribution if isinstance(measure, Distribution) else Total].format(named("c", position)),
            sql.Literal(1 << position),
        )
        for position, measure in countable(measures)
    ]
    return sql.SQL(" | ").join(bits) if bits else sql.SQL("0")


def _quantiles(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    columns = [
        sql.SQL("percentile_cont(%(percentiles)s::float8[]) WITHIN GROUP (ORDER BY {}::float8) AS {}").format(
            named("c", position), named("q", position)
        )
        for position, measure in enumerate(measures)
        if isinstance(measure, Distribution)
    ]
    return sql.SQL(
        "FULL JOIN (SELECT {keys} {columns} FROM ({rows}) AS r GROUP BY {keys}) AS quantiles USING ({keys})"
    ).format(keys=_keys(reading), columns=listed(columns), rows=in_windows(sql.SQL("SELECT * FROM relation_rows")))


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

# Of a person's signs together (integrations/facts/developers.py).
ON_LINE = sql.SQL("(entered & {0} <> 0 OR entered & {2} = {1})").format(
    sql.Literal(IS_ON_LINE), sql.Literal(IS_AT_WORK), sql.Literal(IS_AT_WORK | IS_IN_SESSION)
)
# What a measure adds to the counts of a cell; the letters are those of cells_statement.
_COUNTED: Sequence[LiteralString] = (
    "sum({n})::bigint AS {n}",
    "count(*) FILTER (WHERE entered & {bit} <> 0 AND person_id > 0) AS {p}",
)
_SHARED: Sequence[LiteralString] = (
    "sum(share) FILTER (WHERE person_id > 0) AS {v}",
    "sum(sum(first_of_person) FILTER (WHERE person_id > 0)) OVER one_cell AS {b}",
)


def _counts(measures: Sequence[Measure]) -> Iterable[sql.Composable]:
    for position, measure in enumerate(measures):
        texts = [*_COUNTED] if isinstance(measure, (Total, Distribution)) else []
        texts += _SHARED if isinstance(measure, PersonShare) else ()
        if isinstance(measure, PeopleOnLine):
            yield people_on_line(position)
        names: dict[str, sql.Composable] = {letter: named(letter, position) for letter in "npvb"}
        names["bit"] = sql.Literal(1 << position)
        yield from (sql.SQL(text).format(**names) for text in texts)


def people_on_line(position: int) -> sql.Composed:
    """v_i, of rows of people with all their signs."""
    counted = sql.SQL("coalesce(count(*) FILTER (WHERE {} AND person_id <> 0), 0)::bigint AS {}")
    return counted.format(ON_LINE, named("v", position))


def people_on_line_statement(reading: Reading, measure: PeopleOnLine) -> sql.Composed:
    """One row per person and segment: in how many windows the person was on the line, which they were in any."""
    return sql.SQL(
        """
        WITH of_stretches AS (
            SELECT stretch, {keys}, bit_or(c_0) AS entered FROM ({rows}) AS r GROUP BY stretch, {keys}
        )
        SELECT {keys}, count(*) AS windows
        FROM (SELECT {keys}, span, bit_or(entered) AS entered FROM ({in_windows}) AS w GROUP BY {keys}, span) AS people
        WHERE {on_line} AND person_id <> 0
        GROUP BY {keys}
        """
    ).format(
        rows=placed_rows_statement(reading, [measure]),
        in_windows=in_windows(sql.SQL("SELECT * FROM of_stretches")),
        keys=sql.SQL(", ").join(map(sql.Identifier, ("person_id", *segment_names(reading)))),
        on_line=ON_LINE,
    )


def sums_of_rows(measures: Sequence[Measure]) -> list[tuple[sql.Composable, sql.Composable]]:
    """Names of what is added up, each with its sum over the rows; the letters are those of `cells_statement`."""
    found: list[tuple[sql.Composable, sql.Composable]] = []
    for position, measure in countable(measures):
        column = named("c", position)
        found.append((named("v", position), sql.SQL("sum({})").format(column)))
        if isinstance(measure, Total) and measure.missing_column:
            found.append((named("x", position), sql.SQL("sum({})").format(named("m", position))))
        if isinstance(measure, Distribution):
            found.append((named("x", position), sql.SQL("count(*) - count({})").format(column)))
        if isinstance(measure, AttributedLines):
            found.append((named("l", position), sql.SQL("sum({})").format(named("t", position))))
            of_method = sql.SQL("sum({}) FILTER (WHERE {} = {})")
            for number, method in enumerate(ATTRIBUTION_METHODS):
                only = of_method.format(column, named("d", position), sql.Literal(method))
                found.append((_of_method(position, number), only))
    return found


def by_method(measures: Sequence[Measure]) -> Iterable[sql.Composable]:
    """k_i of attributed lines: the sums of `sums_of_rows` by method, as one list."""
    for position, measure in enumerate(measures):
        if isinstance(measure, AttributedLines):
            numbers = range(len(ATTRIBUTION_METHODS))
            methods = sql.SQL(", ").join(_of_method(position, number) for number in numbers)
            yield sql.SQL("ARRAY[{}] AS {}").format(methods, named("k", position))


def _of_method(position: int, number: int) -> sql.Identifier:
    return sql.Identifier(f"k_{position}_{number}")


def countable(measures: Sequence[Measure]) -> Iterable[tuple[int, Total | Distribution]]:
    """The measures to which a fact may add nothing, with their positions."""
    return ((i, measure) for i, measure in enumerate(measures) if isinstance(measure, (Total, Distribution)))


def defined(columns: Iterable[tuple[sql.Composable, sql.Composable]]) -> sql.Composed:
    return listed(sql.SQL("{} AS {}").format(expression, name) for name, expression in columns)


def added_up(names: Iterable[sql.Composable]) -> sql.Composed:
    """The columns, each the sum of itself."""
    return listed(sql.SQL("sum({0}) AS {0}").format(name) for name in names)


def _keys(reading: Reading) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in ("unit_id", "span", *segment_names(reading)))
