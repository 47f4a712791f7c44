"""The rows of facts behind a figure: the engine says which they are and what each adds, PostgreSQL describes a page."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from psycopg import sql

from insights.columns.rows import types_of
from insights.engine import cells, measures
from insights.engine.fact_query import Reading
from insights.engine.live_rows import rows_of_answer
from insights.engine.scan import select_of_parts
from insights.engine.statement import Part
from insights.query.dimensions import has_dimension
from insights.query.measures import Distribution, Facts, Measure, Total
from insights.query.query import Dimension
from integrations.facts.relation import Relation

Row = Mapping[str, Any]

# Columns that describe a fact, and those that describe a part of it: a commit's file.
DESCRIBING_FACTS = ("reference", "title", "url", "started_at", "ended_at", "sha", "subject")
LINES_OF_PART = "lines_added"
DESCRIBING_PARTS = ("path", LINES_OF_PART)
# Shown beside the dimensions that the query uses.
SHOWN_DIMENSIONS = (
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.LANGUAGE, Dimension.FILE_TYPE),
    *(Dimension.WORK_TYPE, Dimension.SIZE_CLASS, Dimension.AGENT, Dimension.MODEL, Dimension.METHOD),
)
FILES_ONLY = (Dimension.LANGUAGE, Dimension.FILE_TYPE)


class RowOrder(enum.Enum):
    """In which order the facts behind a figure are listed."""

    NEWEST = "the newest first"
    GREATEST = "what adds most first"


@dataclass(frozen=True)
class RowShape:
    """What a row is: a fact or a part of one, what describes it, the dimensions that tell rows apart, and dimensions
    that are listed in one."""

    by_fact: bool
    describing: Sequence[str]
    grouped: Sequence[Dimension]
    gathered: Sequence[Dimension]

    @property
    def dimensions(self) -> Sequence[Dimension]:
        return (*self.grouped, *self.gathered)

    def part_of(self, relation: Relation) -> str:
        """The column with what is described; empty where that is the fact.  A fact that several share is described by
        its parts alone."""
        return "" if self.by_fact and not relation.shared_facts else relation.part


def row_shape(wanted: Sequence[Measure], used: Sequence[Dimension], segments: Sequence[Dimension]) -> RowShape:
    """The shape of the rows behind these measures, for a query that uses these dimensions.

    Where facts of several rows are counted, a row is a fact; else it is what the finest measure adds up.  A dimension
    that tells nothing of one of the measures is listed, so that what it adds is not torn apart.
    """
    by_fact = any(isinstance(measure, Facts) and not measure.relation.fact_is_row for measure in wanted)
    parts = () if by_fact else DESCRIBING_PARTS
    describing = [
        name for name in (*DESCRIBING_FACTS, *parts) if any(name in measure.relation.columns for measure in wanted)
    ]
    told = [
        dimension
        for dimension in dict.fromkeys((*SHOWN_DIMENSIONS, *used))
        if any(has_dimension(measure, dimension) for measure in wanted)
        and not (by_fact and dimension in FILES_ONLY and dimension not in used)
    ]
    grouped = [
        dimension
        for dimension in told
        if (dimension in segments if by_fact else dimension is not Dimension.METHOD or dimension in segments)
        and all(has_dimension(measure, dimension) for measure in wanted)
    ]
    return RowShape(by_fact, describing, grouped, [dimension for dimension in told if dimension not in grouped])


def page_of_facts(
    readings: Sequence[tuple[Reading, Measure]], shape: RowShape, order: RowOrder, *, page: int, size: int
) -> tuple[Sequence[Row], int]:
    """Page `page` (from 1) of the rows, and how many rows all pages have.

    One row per fact, day and whatever else tells rows apart to which one of the measures adds something: with what
    describes it, its dimensions, and for the measure of position i c_i, what it adds to it.  person_id is null where
    nobody is matched, and negative where what is owned stands for a person.
    """
    with rows_of_answer():
        found, kinds = _found(readings, shape, order, limit=size, offset=(page - 1) * size)
        if found or page == 1:
            return _described(found, kinds, shape), found[0]["total_rows"] if found else 0
        first, _ = _found(readings, shape, order, limit=1, offset=0)
        return [], first[0]["total_rows"] if first else 0


def _found(
    readings: Sequence[tuple[Reading, Measure]], shape: RowShape, order: RowOrder, *, limit: int, offset: int
) -> tuple[Sequence[Row], Sequence[Sequence[Relation]]]:
    """The rows without what describes them, and the relations of each of the kinds that they name.

    Facts of two kinds may have the same number: sessions and commits.
    """
    positions: dict[Reading, list[int]] = defaultdict(list)
    for position, (reading, _) in enumerate(readings):
        positions[reading].append(position)
    kinds: dict[tuple[str, ...], list[Relation]] = {}
    for reading in positions:
        kinds.setdefault(_kind_of(reading.relation, shape), []).append(reading.relation)
    wanted = [measure for _, measure in readings]
    parts = [
        _part(reading, own, wanted, shape, [*kinds].index(_kind_of(reading.relation, shape)))
        for reading, own in positions.items()
    ]
    keys = ", ".join(["fact_id", "person_id", "day", "kind", "part_id", LINES_OF_PART, *map(_name, shape.grouped)])
    amounts = [_amount(measure, i) for i, measure in enumerate(wanted)]
    entering = [
        f"{amount} IS NOT NULL" if isinstance(measure, Distribution) else f"{amount} <> 0"
        for measure, amount in zip(wanted, amounts, strict=True)
    ]
    lists = [
        f"array_to_string(list_sort(list(DISTINCT {name}) FILTER ({name} IS NOT NULL)), ', ') AS {name}"
        for name in map(_name, shape.gathered)
    ]
    adding = [f"{amount} AS c_{i}" for i, amount in enumerate(amounts)]
    text = f"""
, listed AS MATERIALIZED (
    SELECT {", ".join([keys, *lists, *adding])}
    FROM ({" UNION ALL ".join(f"FROM part_{i}" for i in range(len(parts)))})
    GROUP BY {keys}
    HAVING {" OR ".join(entering)}
)
SELECT *, (SELECT count(*) FROM listed) AS total_rows
FROM listed
ORDER BY {"c_0 DESC NULLS LAST," if order is RowOrder.GREATEST else ""} day DESC, fact_id DESC, {keys}
LIMIT $row_limit OFFSET $row_offset
"""  # names of the catalogue
    return select_of_parts(parts, text, row_limit=limit, row_offset=offset), [*kinds.values()]


def _kind_of(relation: Relation, shape: RowShape) -> tuple[str, ...]:
    """What is described, and with what."""
    return (relation.fact, *(name for name in shape.describing if name in relation.columns))


def _part(reading: Reading, own: Sequence[int], wanted: Sequence[Measure], shape: RowShape, kind: int) -> Part:
    """The rows of one relation, with null for what only others tell."""
    relation = reading.relation
    known = tuple(dimension for dimension in shape.dimensions if has_dimension(wanted[own[0]], dimension))
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
        **{f"c_{i}": _added(measure, own.index(i)) if i in own else "NULL" for i, measure in enumerate(wanted)},
    }
    return Part(
        replace(reading, segments=known),
        [wanted[i] for i in own],
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in values.items())} FROM counted",
        columns,
    )


def _added(measure: Measure, i: int) -> str:
    """What a row adds to the measure, which is the one of position i of its part."""
    return f"c_{i}" if isinstance(measure, (Total, Distribution)) else "1"


def _amount(measure: Measure, i: int) -> str:
    """What the rows of a fact, or of a part of it, add to the measure."""
    if isinstance(measure, Distribution):
        return f"max(c_{i})"
    if not isinstance(measure, Total):
        return f"coalesce(max(c_{i}), 0)"
    sums = dict(measures.amounts(measure, i, cells.type_of(measure, types_of(measure.relation))))
    return f"coalesce({sums[f'v_{i}']}, 0)"


def _name(dimension: Dimension) -> str:
    return dimension.value


def _described(found: Sequence[Row], kinds: Sequence[Sequence[Relation]], shape: RowShape) -> Sequence[Row]:
    """The rows with what describes them, looked up for these alone."""
    known: dict[tuple[int, int], Row] = {}
    for kind, relations in enumerate(kinds):
        ids = {_identifier(row) for row in found if row["kind"] == kind}
        for relation in relations:
            missing = [identifier for identifier in ids if (kind, identifier) not in known]
            known |= {(kind, identifier): row for identifier, row in _describing(relation, shape, missing).items()}
    nothing = dict.fromkeys(shape.describing)
    return [{**nothing, **known.get((row["kind"], _identifier(row)), nothing), **row} for row in found]


def _identifier(row: Row) -> int:
    """Of what describes the row: the part of the fact, or the fact."""
    identifier: int = row["fact_id"] if row["part_id"] is None else row["part_id"]
    return identifier


def _describing(relation: Relation, shape: RowShape, ids: Sequence[int]) -> Mapping[int, Row]:
    """What describes these facts, or parts of facts, by their ids."""
    names = [name for name in shape.describing if name in relation.columns and name != LINES_OF_PART]
    if not (names and ids):
        return {}
    statement = sql.SQL("SELECT DISTINCT {id}, {names} FROM ({rows}) AS source WHERE {id} = ANY(%s)").format(
        id=sql.Identifier("source", shape.part_of(relation) or relation.fact),
        names=sql.SQL(", ").join(sql.Identifier("source", name) for name in names),
        rows=sql.SQL(relation.sql),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])
        return {identifier: dict(zip(names, values, strict=True)) for identifier, *values in cursor.fetchall()}
