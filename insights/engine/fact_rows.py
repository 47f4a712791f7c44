"""The facts behind a value: DuckDB selects them with their contributions, PostgreSQL describes those of a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
from orgtree.models import Person

Row = Mapping[str, Any]
PERSON_ID = "person_id"

# Columns that describe a fact, and columns that describe a part of it: a commit's file.
DESCRIBING_FACTS = ("reference", "title", "url", "started_at", "ended_at", "sha", "subject")
LINES_OF_PART = "lines_added"
DESCRIBING_PARTS = ("path", LINES_OF_PART)
# Always shown, in addition to the dimensions that the query uses.
SHOWN_DIMENSIONS = (
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.LANGUAGE, Dimension.FILE_TYPE),
    *(Dimension.WORK_TYPE, Dimension.SIZE_CLASS, Dimension.AGENT, Dimension.MODEL, Dimension.METHOD),
    Dimension.SEVERITY,
)
FILES_ONLY = (Dimension.LANGUAGE, Dimension.FILE_TYPE)


@dataclass(frozen=True)
class RowOrder:
    """The column by which rows are sorted; ties are broken by the newest first, and rows without a value come last."""

    column: str
    descending: bool = True

    @property
    def sql(self) -> str:
        return f"{'DESC' if self.descending else 'ASC'} NULLS LAST"


NEWEST = RowOrder("day")
GREATEST = RowOrder("contribution")


@dataclass(frozen=True)
class RowShape:
    """The shape of a row: whether it is a fact or a part of one, its describing columns, the dimensions that rows are
    grouped by, and those whose values are joined into one text.
    """

    by_fact: bool
    describing: Sequence[str]
    grouped: Sequence[Dimension]
    gathered: Sequence[Dimension]

    @property
    def dimensions(self) -> Sequence[Dimension]:
        return (*self.grouped, *self.gathered)

    def part_of(self, relation: Relation) -> str:
        """The column that identifies the described part; empty if the fact itself is described.  A shared fact is
        described only by its parts.
        """
        return "" if self.by_fact and not relation.shared_facts else relation.part


def row_shape(measures_shown: Sequence[Measure], used: Sequence[Dimension], segments: Sequence[Dimension]) -> RowShape:
    """The shape of the rows behind these measures, for a query that uses these dimensions.

    If facts with several rows are counted, each row is a fact; otherwise it is a row of the finest measure.  If one of
    the measures lacks a dimension, its values are joined so that this measure's contribution is not split.
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
        listed = _listed(parts, shape)
        key, join, ranks = _sort_key(order, listed, shape)
        text = f"""
SELECT listed.*, (SELECT count(*) FROM listed) AS total_rows
FROM listed{join}
ORDER BY {key} {order.sql}, day DESC, fact_id DESC, {listed.keys}
LIMIT $row_limit OFFSET $row_offset
"""  # names of the catalogue
        rows = listed.select(text, row_limit=size, row_offset=(page - 1) * size, **ranks)
        if rows or page == 1:
            return _described(rows, listed.kinds, shape), rows[0]["total_rows"] if rows else 0
        return [], sum(row["total_rows"] for row in listed.select("SELECT count(*) AS total_rows FROM listed"))


@dataclass(frozen=True)
class _Listed:
    """All rows without describing columns, as a table `listed` of DuckDB, and the relations of each kind of fact."""

    parts: Sequence[Part]
    keys: str
    table: str
    kinds: Sequence[Sequence[Relation]]

    def select(self, text: str, **values: Any) -> Sequence[Row]:
        return select_of_parts(self.parts, f"{self.table}\n{text}", **values)


def _sort_key(order: RowOrder, listed: _Listed, shape: RowShape) -> tuple[str, str, Mapping[str, Any]]:
    """The column of `listed` to sort by, the join that it needs, and the join's parameters.

    Texts that only PostgreSQL has, such as titles and people's names, are sorted by their ranks.
    """
    if order.column in ("contribution", "denominator"):
        return ("c_0" if order.column == "contribution" else "c_1"), "", {}
    if order.column == PERSON_ID:
        return _ranked("person_id", listed, lambda _, ids: _full_names(ids))
    if order.column in shape.describing and order.column != LINES_OF_PART:
        return _ranked(
            "coalesce(part_id, fact_id)",
            listed,
            lambda kind, ids: {
                identifier: row[order.column]
                for relation in listed.kinds[kind]
                for identifier, row in _describing(relation, shape, ids).items()
                if row.get(order.column)
            },
        )
    return order.column, "", {}


def _ranked(
    identifier: str, listed: _Listed, texts_of: Callable[[int, Sequence[int]], Mapping[int, Any]]
) -> tuple[str, str, Mapping[str, Any]]:
    ids: dict[int, list[int]] = defaultdict(list)
    for row in listed.select(f"SELECT DISTINCT kind, {identifier} AS id FROM listed WHERE {identifier} > 0"):
        ids[row["kind"]].append(row["id"])
    texts = {
        (kind, id_): text.casefold() if isinstance(text, str) else text
        for kind, of_kind in ids.items()
        for id_, text in texts_of(kind, of_kind).items()
    }
    rank_of = {text: rank for rank, text in enumerate(sorted({*texts.values()}))}
    join = f"""
LEFT JOIN (
    SELECT unnest($kinds::BIGINT[]) AS ranked_kind, unnest($ids::BIGINT[]) AS ranked_id,
           unnest($ranks::BIGINT[]) AS rank
) ON ranked_kind = kind AND ranked_id = {identifier}"""
    ranks = {
        "kinds": [kind for kind, _ in texts],
        "ids": [id_ for _, id_ in texts],
        "ranks": [rank_of[text] for text in texts.values()],
    }
    return "rank", join, ranks


def _full_names(ids: Sequence[int]) -> Mapping[int, str]:
    return {person.pk: person.full_name for person in Person.objects.filter(pk__in=ids)}


def _listed(parts: Sequence[tuple[FactQuery, Measure]], shape: RowShape) -> _Listed:
    """The rows of these parts.

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
    table = f"""
, listed AS MATERIALIZED (
    SELECT {", ".join([keys, *lists, *adding])}
    FROM ({" UNION ALL ".join(f"FROM part_{i}" for i in range(len(selects)))})
    GROUP BY {keys}
    HAVING {" OR ".join(entering)}
)"""  # names of the catalogue
    return _Listed(selects, keys, table, [*kinds.values()])


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
    """Adds the describing columns to the rows, looked up in PostgreSQL for these rows alone."""
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
        ids=sql.Literal(list(ids)),  # not parameters, because relations may contain a % of their own
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {number: dict(zip(names, values, strict=True)) for number, *values in cursor.fetchall()}
