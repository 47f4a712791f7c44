"""The facts behind a value: DuckDB selects them with their contributions, PostgreSQL describes those of a page."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from psycopg import sql

from insights.columns.rows import types_of
from insights.engine import aggregation, measures
from insights.engine.fact_query import FactQuery
from insights.engine.live_rows import rows_of_answer
from insights.engine.scan import select_of_parts
from insights.engine.statement import Part
from insights.query.measures import Distribution, Facts, Measure, Total
from insights.query.query import Dimension
from integrations.facts.relation import Relation

Row = Mapping[str, Any]

# Columns that describe a fact, and columns that describe a part of it: a commit's file.
DESCRIBING_FACTS = ("reference", "title", "url", "started_at", "ended_at", "sha", "subject")
LINES_OF_PART = "lines_added"
DESCRIBING_PARTS = ("path", LINES_OF_PART)
# Always shown, in addition to the dimensions that the query uses.
SHOWN_DIMENSIONS = (
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.LANGUAGE, Dimension.FILE_TYPE),
    *(Dimension.WORK_TYPE, Dimension.SIZE_CLASS, Dimension.AGENT, Dimension.MODEL, Dimension.METHOD),
)
FILES_ONLY = (Dimension.LANGUAGE, Dimension.FILE_TYPE)


class RowOrder(enum.Enum):
    """The order in which facts are listed."""

    NEWEST = "the newest first"
    GREATEST = "what adds most first"


@dataclass(frozen=True)
class RowShape:
    """The shape of a row: a fact or a part of one, its describing columns, the dimensions that rows are grouped by, and
    the dimensions whose values are gathered into one text."""

    by_fact: bool
    describing: Sequence[str]
    grouped: Sequence[Dimension]
    gathered: Sequence[Dimension]

    @property
    def dimensions(self) -> Sequence[Dimension]:
        return (*self.grouped, *self.gathered)

    def part_of(self, relation: Relation) -> str:
        """The column that identifies the described part; empty where the fact itself is described.  A shared fact is
        described by its parts alone."""
        return "" if self.by_fact and not relation.shared_facts else relation.part


def row_shape(measures_shown: Sequence[Measure], used: Sequence[Dimension], segments: Sequence[Dimension]) -> RowShape:
    """The shape of the rows behind these measures, for a query that uses these dimensions.

    Where facts with several rows are counted, a row is a fact; otherwise a row of the finest measure.  A dimension that
    one of the measures lacks is gathered, so that its contribution is not split up.
    """
    by_fact = any(isinstance(measure, Facts) and not measure.relation.fact_is_row for measure in measures_shown)
    parts = () if by_fact else DESCRIBING_PARTS
    describing = [
        name
        for name in (*DESCRIBING_FACTS, *parts)
        if any(name in measure.relation.columns for measure in measures_shown)
    ]
    known = [
        dimension
        for dimension in dict.fromkeys((*SHOWN_DIMENSIONS, *used))
        if any(measure.has(dimension) for measure in measures_shown)
        and not (by_fact and dimension in FILES_ONLY and dimension not in used)
    ]
    grouped = [
        dimension
        for dimension in known
        if (dimension in segments if by_fact else dimension is not Dimension.METHOD or dimension in segments)
        and all(measure.has(dimension) for measure in measures_shown)
    ]
    return RowShape(by_fact, describing, grouped, [dimension for dimension in known if dimension not in grouped])


def page_of_facts(
    parts: Sequence[tuple[FactQuery, Measure]], shape: RowShape, order: RowOrder, *, page: int, size: int
) -> tuple[Sequence[Row], int]:
    """Page `page` (from 1) of the rows, and the number of rows of all pages.

    One row per fact, day and grouped dimensions that contributes to any of the measures, with its describing columns,
    its dimensions, and c_i, its contribution to the measure at position i.  person_id is null for unmatched facts, and
    negative for a repository in place of a person.
    """
    with rows_of_answer():
        rows, kinds = _rows(parts, shape, order, limit=size, offset=(page - 1) * size)
        if rows or page == 1:
            return _described(rows, kinds, shape), rows[0]["total_rows"] if rows else 0
        first, _ = _rows(parts, shape, order, limit=1, offset=0)
        return [], first[0]["total_rows"] if first else 0


def _rows(
    parts: Sequence[tuple[FactQuery, Measure]], shape: RowShape, order: RowOrder, *, limit: int, offset: int
) -> tuple[Sequence[Row], Sequence[Sequence[Relation]]]:
    """The rows without describing columns, and the relations of each kind of fact among them.

    Facts of two kinds, such as sessions and commits, may have the same id.
    """
    positions: dict[FactQuery, list[int]] = defaultdict(list)
    for position, (fact_query, _) in enumerate(parts):
        positions[fact_query].append(position)
    kinds: dict[tuple[str, ...], list[Relation]] = {}
    for fact_query in positions:
        kinds.setdefault(_kind_of(fact_query.relation, shape), []).append(fact_query.relation)
    measures_shown = [measure for _, measure in parts]
    selects = [
        _part(fact_query, own, measures_shown, shape, [*kinds].index(_kind_of(fact_query.relation, shape)))
        for fact_query, own in positions.items()
    ]
    keys = ", ".join(["fact_id", "person_id", "day", "kind", "part_id", LINES_OF_PART, *map(_name, shape.grouped)])
    amounts = [_amount(measure, i) for i, measure in enumerate(measures_shown)]
    entering = [
        f"{amount} IS NOT NULL" if isinstance(measure, Distribution) else f"{amount} <> 0"
        for measure, amount in zip(measures_shown, amounts, strict=True)
    ]
    lists = [
        f"array_to_string(list_sort(list(DISTINCT {name}) FILTER ({name} IS NOT NULL)), ', ') AS {name}"
        for name in map(_name, shape.gathered)
    ]
    adding = [f"{amount} AS c_{i}" for i, amount in enumerate(amounts)]
    text = f"""
, listed AS MATERIALIZED (
    SELECT {", ".join([keys, *lists, *adding])}
    FROM ({" UNION ALL ".join(f"FROM part_{i}" for i in range(len(selects)))})
    GROUP BY {keys}
    HAVING {" OR ".join(entering)}
)
SELECT *, (SELECT count(*) FROM listed) AS total_rows
FROM listed
ORDER BY {"c_0 DESC NULLS LAST," if order is RowOrder.GREATEST else ""} day DESC, fact_id DESC, {keys}
LIMIT $row_limit OFFSET $row_offset
"""  # names of the catalogue
    return select_of_parts(selects, text, row_limit=limit, row_offset=offset), [*kinds.values()]


def _kind_of(relation: Relation, shape: RowShape) -> tuple[str, ...]:
    """A kind of fact: its id column and its describing columns."""
    return (relation.fact, *(name for name in shape.describing if name in relation.columns))


def _part(
    fact_query: FactQuery, positions: Sequence[int], measures_shown: Sequence[Measure], shape: RowShape, kind: int
) -> Part:
    """The rows of one relation, with null for columns of the others."""
    relation = fact_query.relation
    known = tuple(dimension for dimension in shape.dimensions if measures_shown[positions[0]].has(dimension))
    columns = [name for name in (shape.part_of(relation),) if name]
    if LINES_OF_PART in shape.describing and LINES_OF_PART in relation.columns:
        columns.append(LINES_OF_PART)
    values = {
        "kind": str(kind),
        "fact_id": "fact_id",
        "person_id": "nullif(person_id, 0)" if relation.gathered_by == relation.person else "NULL::BIGINT",
        "day": "day",
        "part_id": shape.part_of(relation) or "NULL::BIGINT",
        LINES_OF_PART: LINES_OF_PART if LINES_OF_PART in columns else "NULL::BIGINT",
        **{
            _name(dimension): f"segment_{known.index(dimension)}" if dimension in known else "NULL::VARCHAR"
            for dimension in shape.dimensions
        },
        **{
            f"c_{i}": _added(measure, positions.index(i)) if i in positions else "NULL"
            for i, measure in enumerate(measures_shown)
        },
    }
    return Part(
        replace(fact_query, segments=known),
        [measures_shown[i] for i in positions],
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in values.items())} FROM counted",
        columns,
    )


def _added(measure: Measure, i: int) -> str:
    """A row's contribution to the measure at position i of its part."""
    return f"c_{i}" if isinstance(measure, (Total, Distribution)) else "1"


def _amount(measure: Measure, i: int) -> str:
    """The contribution of all rows of a fact, or of a part of it, to the measure."""
    if isinstance(measure, Distribution):
        return f"max(c_{i})"
    if not isinstance(measure, Total):
        return f"coalesce(max(c_{i}), 0)"
    sums = dict(measures.amounts(measure, i, aggregation.type_of(measure, types_of(measure.relation))))
    return f"coalesce({sums[f'v_{i}']}, 0)"


def _name(dimension: Dimension) -> str:
    return dimension.value


def _described(rows: Sequence[Row], kinds: Sequence[Sequence[Relation]], shape: RowShape) -> Sequence[Row]:
    """The rows with their describing columns, looked up in PostgreSQL for these rows alone."""
    known: dict[tuple[int, int], Row] = {}
    for kind, relations in enumerate(kinds):
        ids = {_identifier(row) for row in rows if row["kind"] == kind}
        for relation in relations:
            missing = [identifier for identifier in ids if (kind, identifier) not in known]
            known |= {(kind, identifier): row for identifier, row in _describing(relation, shape, missing).items()}
    nothing = dict.fromkeys(shape.describing)
    return [{**nothing, **known.get((row["kind"], _identifier(row)), nothing), **row} for row in rows]


def _identifier(row: Row) -> int:
    """The id of what the row describes: a part of the fact, or the fact."""
    identifier: int = row["fact_id"] if row["part_id"] is None else row["part_id"]
    return identifier


def _describing(relation: Relation, shape: RowShape, ids: Sequence[int]) -> Mapping[int, Row]:
    """The describing columns of these facts, or parts of facts, by id."""
    names = [name for name in shape.describing if name in relation.columns and name != LINES_OF_PART]
    return columns_by_id(relation, shape.part_of(relation) or relation.fact, names, ids)


def columns_by_id(relation: Relation, identifier: str, names: Sequence[str], ids: Sequence[int]) -> Mapping[int, Row]:
    """These columns of the relation's rows in PostgreSQL, by the column `identifier`."""
    if not (names and ids):
        return {}
    statement = sql.SQL("SELECT DISTINCT {id}, {names} FROM ({rows}) AS source WHERE {id} = ANY({ids})").format(
        id=sql.Identifier("source", identifier),
        names=sql.SQL(", ").join(sql.Identifier("source", name) for name in names),
        rows=sql.SQL(relation.sql),
        ids=sql.Literal(list(ids)),  # no parameters: relations may contain a % of their own
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {number: dict(zip(names, values, strict=True)) for number, *values in cursor.fetchall()}
