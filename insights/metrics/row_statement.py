"""The SQL behind *Show the rows*: the same rows and conditions as the figures, one level less aggregated."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from insights.engine.dimensions import has_dimension
from insights.engine.scope import placed_as
from insights.metrics.measures import Distribution, Facts, Measure, Total
from insights.metrics.placing import whose
from insights.metrics.query import Dimension
from insights.metrics.reading import Reading
from insights.metrics.source import conditions, dimension_expression, listed, of_source, picked
from insights.metrics.stocks import rows_of
from integrations.facts.relation import Relation

# Columns that describe a fact, and those that describe a part of it: a commit's file.
DESCRIBING_FACTS = ("reference", "title", "url", "started_at", "ended_at", "sha", "subject")
DESCRIBING_PARTS = ("path", "lines_added")
# Shown beside the dimensions that the query uses.
SHOWN_DIMENSIONS = (
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.LANGUAGE, Dimension.FILE_TYPE),
    *(Dimension.WORK_TYPE, Dimension.SIZE_CLASS, Dimension.AGENT, Dimension.MODEL, Dimension.METHOD),
)
COUNTS_FOR = "counts_for"  # as insights/metrics/placing.py says it
FILES_ONLY = (Dimension.LANGUAGE, Dimension.FILE_TYPE)


class RowOrder(enum.Enum):
    """In which order the facts behind a figure are listed."""

    NEWEST = "the newest first"
    GREATEST = "what adds most first"


class OfFacts(enum.Enum):
    """Which facts a statement lists: all behind the figure, or of these the ones that `facts` names."""

    ALL = "all"
    NAMED = "named"


@dataclass(frozen=True)
class RowShape:
    """What a row is: the columns and dimensions that tell rows apart, and dimensions that are listed in one."""

    describing: Sequence[str]
    grouped: Sequence[Dimension]
    gathered: Sequence[Dimension]

    @property
    def dimensions(self) -> Sequence[Dimension]:
        return (*self.grouped, *self.gathered)


def row_shape(measures: Sequence[Measure], used: Sequence[Dimension], segments: Sequence[Dimension]) -> RowShape:
    """The shape of the rows behind these measures, for a query that uses these dimensions.

    Where facts of several rows are counted, a row is a fact; else it is what the finest measure adds up.  A dimension
    that tells nothing of one of the measures is listed, so that what it adds is not torn apart.
    """
    by_fact = any(isinstance(measure, Facts) and not measure.relation.fact_is_row for measure in measures)
    parts = () if by_fact else DESCRIBING_PARTS
    describing = [
        name for name in (*DESCRIBING_FACTS, *parts) if any(name in measure.relation.columns for measure in measures)
    ]
    told = [
        dimension
        for dimension in dict.fromkeys((*SHOWN_DIMENSIONS, *used))
        if any(has_dimension(measure, dimension) for measure in measures)
        and not (by_fact and dimension in FILES_ONLY and dimension not in used)
    ]
    grouped = [
        dimension
        for dimension in told
        if (dimension in segments if by_fact else dimension is not Dimension.METHOD or dimension in segments)
        and all(has_dimension(measure, dimension) for measure in measures)
    ]
    return RowShape(describing, grouped, [dimension for dimension in told if dimension not in grouped])


def fact_rows_statement(
    readings: Sequence[tuple[Reading, Measure]],
    shape: RowShape,
    order: RowOrder = RowOrder.NEWEST,
    of_facts: OfFacts = OfFacts.ALL,
) -> sql.Composed:
    """One row per fact, day and whatever else tells rows apart to which one of the measures adds something.

    c_i is what it adds to the measure of position i; total_rows the number of rows of all pages.  person_id is null
    where nobody is matched, and negative where what is owned stands for a person.
    """
    measures = [measure for _, measure in readings]
    by_reading: dict[Reading, list[int]] = {}
    for position, (reading, _) in enumerate(readings):
        by_reading.setdefault(reading, []).append(position)
    names = ["fact_id", "person_id", "day", *shape.describing, *(each.value for each in shape.grouped)]
    sums = [
        sql.SQL("{} AS {}").format(_added_up(position, measure), _column(position))
        for position, measure in enumerate(measures)
    ]
    lists = [
        sql.SQL("string_agg(DISTINCT {name}, ', ' ORDER BY {name}) AS {name}").format(name=sql.Identifier(each.value))
        for each in shape.gathered
    ]
    entered = [
        sql.SQL("{} IS NOT NULL" if isinstance(measure, Distribution) else "{} <> 0").format(
            _added_up(position, measure)
        )
        for position, measure in enumerate(measures)
    ]
    return sql.SQL(
        """
        SELECT {names}, count(*) OVER () AS total_rows {lists} {sums}
        FROM ({rows}) AS told
        GROUP BY {names} {having}
        ORDER BY {first} day DESC, fact_id DESC, {positions}
        LIMIT %(limit)s OFFSET %(offset)s
        """
    ).format(
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        lists=listed(lists),
        sums=listed(sums),
        rows=sql.SQL(" UNION ALL ").join(
            _rows_of(reading, positions, measures, shape, of_facts) for reading, positions in by_reading.items()
        ),
        having=sql.SQL("HAVING {}").format(sql.SQL(" OR ").join(entered)),
        first=sql.SQL("{} DESC NULLS LAST,").format(_added_up(0, measures[0]))
        if order is RowOrder.GREATEST
        else sql.SQL(""),
        positions=sql.SQL(", ").join(sql.Literal(position) for position in range(1, len(names) + 1)),
    )


def _rows_of(
    reading: Reading, own: Sequence[int], measures: Sequence[Measure], shape: RowShape, of_facts: OfFacts
) -> sql.Composed:
    """The rows of one relation, with null for what only others tell."""
    relation = reading.relation
    person = of_source(COUNTS_FOR if relation.falls_to_owners else relation.person)
    told = ((of_source(relation.fact), "fact_id"), (person, "person_id"), (of_source(relation.day), "day"))
    columns = [sql.SQL("{} AS {}").format(column, sql.Identifier(name)) for column, name in told]
    columns += [_described(relation, name) for name in shape.describing]
    columns += [_named(measures[own[0]], dimension) for dimension in shape.dimensions]
    columns += [
        sql.SQL("{} AS {}").format(_added(measure) if position in own else sql.SQL("NULL::numeric"), _column(position))
        for position, measure in enumerate(measures)
    ]
    return sql.SQL("SELECT {columns} FROM ({rows}) AS source").format(
        columns=sql.SQL(", ").join(columns),
        rows=sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT source.*, {whose} AS {counts_for} FROM ({relation}) AS source {conditions} {among}").format(
                whose=whose(reading.placement, placed),
                counts_for=sql.Identifier(COUNTS_FOR),
                relation=rows_of(placed),
                conditions=conditions(reading, placed),
                among=_AMONG.format(of_source(placed.fact)) if of_facts is OfFacts.NAMED else sql.SQL(""),
            )
            for placed in placed_as(reading.placement, relation)
        ),
    )


_AMONG = sql.SQL("AND {} = ANY(%(facts)s)")


def _described(relation: Relation, name: str) -> sql.Composed:
    value = of_source(name) if name in relation.columns else sql.SQL("NULL")
    return sql.SQL("{} AS {}").format(value, sql.Identifier(name))


def _named(measure: Measure, dimension: Dimension) -> sql.Composed:
    value = dimension_expression(dimension) if has_dimension(measure, dimension) else sql.SQL("NULL::text")
    return sql.SQL("{} AS {}").format(value, sql.Identifier(dimension.value))


def _added(measure: Measure) -> sql.Composable:
    return picked(measure, measure.column) if isinstance(measure, (Total, Distribution)) else sql.SQL("1")


def _added_up(position: int, measure: Measure) -> sql.Composed:
    how = sql.SQL("sum({})") if isinstance(measure, Total) else sql.SQL("max({})")
    value = how.format(_column(position))
    return value if isinstance(measure, Distribution) else sql.SQL("coalesce({}, 0)").format(value)


def _column(position: int) -> sql.Identifier:
    return sql.Identifier(f"c_{position}")
