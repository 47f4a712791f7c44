"""Percentiles of very many units: the rows are found once, and their values sorted in memory beside the database.

What the database gathers is the values of a path (insights/metrics/stints.py) on the days that lie in the same windows;
which of these belong to which unit and window is put together here.  docs/decisions/0021 says what it gains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from psycopg import sql

from insights.formulas.cell_percentiles import Membership, joined, percentiles_of_cells
from insights.metrics.measures import Distribution, Measure
from insights.metrics.reading import Reading
from insights.metrics.source import PERCENTILES, listed, named, parameters, segment_names
from insights.metrics.statement import rows_with_entered

if TYPE_CHECKING:
    from insights.formulas.cell_percentiles import Floats, Integers

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"
KEYS = (("unit_id", "bigint", ">i8"), ("span", "int", ">i4"), ("segment", "int", ">i4"))


@contextmanager
def sorted_beside(reading: Reading, measures: Sequence[Measure]) -> Iterator[None]:
    """While it lasts, `cells_of_gathered_units_statement` can be asked; within a transaction and `stints_of` the units.

    relation_rows are the rows of the statements of cells.  metric_percentile has a row per cell with a value: unit_id,
    span, the number of its metric_segment, and for the distribution of position i p_i_0 … p_i_3, NaN without a value.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE relation_rows AS {}").format(rows_with_entered(reading, measures)),
            parameters(reading),
        )
        cursor.execute(_SEGMENTS.format(names=_names(reading)))
        cursor.execute("ANALYZE relation_rows")
    positions = distributions(measures)
    _write(_Cells.of(reading), reading, positions)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE relation_rows, metric_segment, metric_percentile")


def distributions(measures: Sequence[Measure]) -> Sequence[int]:
    """The positions of the measures that have percentiles."""
    return [position for position, measure in enumerate(measures) if isinstance(measure, Distribution)]


def percentiles_beside(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per unit, span and segment of metric_percentile, with q_i as in the statements of cells."""
    lists = [
        sql.SQL("CASE WHEN {} <> 'NaN' THEN ARRAY[{}] END AS {}").format(
            _column(position, 0),
            sql.SQL(", ").join(_column(position, number) for number in range(len(PERCENTILES))),
            named("q", position),
        )
        for position in distributions(measures)
    ]
    return sql.SQL(
        "SELECT unit_id, span {names} {lists} FROM metric_percentile JOIN metric_segment ON number = segment"
    ).format(names=_names(reading), lists=listed(lists))


class _Cells(NamedTuple):
    """The cells and the chunks of values that belong to them: a chunk has one path, stretch and segment."""

    chunk_keys: Integers  # one number for each, sorted
    membership: Membership
    units: Integers  # of each cell
    spans: Integers
    segments: Integers

    @classmethod
    def of(cls, reading: Reading) -> _Cells:
        """Of all rows that were found."""
        import numpy as np

        chunks = _read(_CHUNKS.format(segment=_segment(reading)))
        paths = _read("SELECT path_id, unit_id FROM metric_path_unit WHERE unit_id = ANY(%(ids)s) ORDER BY 1", reading)
        path_first = np.searchsorted(paths[:, 0], np.arange(int(max(chunks[:, 0], default=0)) + 2))
        units, unit_numbers = np.unique(paths[:, 1], return_inverse=True)
        of_units = joined(chunks[:, 0], path_first, unit_numbers)
        asked = parameters(reading)
        stretches = chunks[of_units.positions, 1] - 1
        of_spans = joined(stretches, np.array(asked["entries"]) - 1, np.array(asked["spans"], dtype=np.int64))
        chunk = of_units.positions[of_spans.positions]
        spans, segments = max(asked["spans"], default=0) + 1, int(max(chunks[:, 2], default=0)) + 1
        cell = (of_units.found[of_spans.positions] * spans + of_spans.found) * segments + chunks[chunk, 2]
        order = np.argsort(cell, kind="stable")
        cells, first = np.unique(cell[order], return_index=True)
        return cls(
            _keys_of(chunks),
            Membership(chunk[order], np.append(first, len(order))),
            units[cells // segments // spans],
            cells // segments % spans,
            cells % segments,
        )


def _keys_of(chunks: Integers) -> Integers:
    """One number for each chunk, in their order."""
    return (chunks[:, 0] << 32) + (chunks[:, 1] << 16) + chunks[:, 2]


def _write(cells: _Cells, reading: Reading, positions: Sequence[int]) -> None:
    """Create metric_percentile.  One measure at a time: their values are most of what this takes of memory."""
    import numpy as np

    names = [f"p_{position}_{number}" for position in positions for number in range(len(PERCENTILES))]
    columns = [*KEYS, *((name, "float8", ">f8") for name in names)]
    record: list[tuple[str, str]] = [("fields", ">i2")]
    for name, _, kind in columns:
        record += [(f"{name}_length", ">i4"), (name, kind)]
    rows = np.zeros(len(cells.units), dtype=record)
    rows["fields"] = len(columns)
    for name, _, kind in columns:
        rows[f"{name}_length"] = np.dtype(kind).itemsize
    rows["unit_id"], rows["span"], rows["segment"] = cells.units, cells.spans, cells.segments
    for position in positions:
        found = _percentiles(cells, reading, position)
        for number in range(len(PERCENTILES)):
            rows[f"p_{position}_{number}"] = found[:, number]
    table = sql.SQL("CREATE TEMPORARY TABLE metric_percentile ({})").format(
        sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind, _ in columns)
    )
    with connection.cursor() as cursor:
        cursor.execute(table)
        with connection.wrap_database_errors, cursor.copy("COPY metric_percentile FROM STDIN BINARY") as copy:
            copy.write(COPY_HEADER)
            copy.write(rows.tobytes())
            copy.write(COPY_TRAILER)
        cursor.execute("ANALYZE metric_percentile")


def _percentiles(cells: _Cells, reading: Reading, position: int) -> Floats:
    """Of the measure of that position, a row per cell."""
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(_VALUES.format(segment=_segment(reading), value=named("c", position)))
        found = cursor.fetchall()
    values = np.frombuffer(b"".join(of_chunk for *_, of_chunk in found), dtype=">f8").astype(np.float64)
    keys = _keys_of(_as_numbers([row[:3] for row in found]))
    lengths = np.zeros(len(cells.chunk_keys), dtype=np.int64)
    lengths[np.searchsorted(cells.chunk_keys, keys)] = [len(of_chunk) // 8 for *_, of_chunk in found]
    first = np.concatenate(([0], np.cumsum(lengths)))
    return percentiles_of_cells(values, first, cells.membership, list(PERCENTILES.values()))


def _read(statement: str | sql.Composable, reading: Reading | None = None) -> Integers:
    with connection.cursor() as cursor:
        cursor.execute(statement, None if reading is None else {"ids": list(reading.placement.ids)})
        return _as_numbers(cursor.fetchall())


def _as_numbers(rows: Sequence[Sequence[int]]) -> Integers:
    import numpy as np

    return np.array(rows, dtype=np.int64).reshape(len(rows), -1) if rows else np.empty((0, 3), dtype=np.int64)


def _names(reading: Reading) -> sql.Composed:
    return listed(map(sql.Identifier, segment_names(reading)))


def _segment(reading: Reading) -> sql.Composed:
    """The join that numbers a row's segment."""
    on = sql.SQL(" AND ").join(
        sql.SQL("metric_segment.{0} = relation_rows.{0}").format(sql.Identifier(name))
        for name in segment_names(reading)
    )
    return sql.SQL("JOIN metric_segment ON {}").format(on if reading.segments else sql.SQL("true"))


def _column(position: int, number: int) -> sql.Identifier:
    return sql.Identifier(f"p_{position}_{number}")


_SEGMENTS = sql.SQL(
    """
    CREATE TEMPORARY TABLE metric_segment AS
    SELECT row_number() OVER () - 1 AS number {names} FROM (SELECT DISTINCT 0 AS one {names} FROM relation_rows) AS r
    """
)

_CHUNKS = sql.SQL(
    """
    SELECT DISTINCT path_id, stretch, number
    FROM relation_rows JOIN metric_stint_path USING (stint_id) {segment}
    ORDER BY path_id, stretch, number
    """
)

# As bytes: a list of numbers would be written as text and read again, which takes longer than sorting them.
_VALUES = sql.SQL(
    """
    SELECT path_id, stretch, number, string_agg(float8send({value}::float8), ''::bytea)
    FROM relation_rows JOIN metric_stint_path USING (stint_id) {segment}
    WHERE {value} IS NOT NULL
    GROUP BY path_id, stretch, number
    ORDER BY path_id, stretch, number
    """
)
