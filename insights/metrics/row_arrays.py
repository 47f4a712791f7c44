"""The rows of a relation as arrays, read once for all that is computed of them in memory.

Those of weeks that are kept come as columns (kept_columns.py).  The others come as a binary COPY of numbers alone,
every one of the same width, into a file that the system may keep in memory or not: what is worked on is a column at a
time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from psycopg import sql
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many
from psycopg.pq import ExecStatus
from psycopg.waiting import WAIT_R

from insights.engine.measures import ATTRIBUTION_METHODS, columns_of
from insights.engine.statement import segment_names
from insights.formulas.positions import numbered_few
from insights.metrics.kept_columns import DAY, FACT, Columns, column_name, kept_rows, segment_column
from insights.metrics.measures import Measure
from insights.metrics.placing import whose
from insights.metrics.query import Dimension
from insights.metrics.reading import ANYBODY, Reading
from insights.metrics.source import listed, named, of_source, parameters, picked, placed_rows_statement
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn

    from insights.formulas.arrays import Floats, Integers

COPY_HEADER_LENGTH = 19
NUMERIC, INTEGERS = 1700, (20, 21, 23)  # types, as a description of columns says them
MOST_KNOWN_KINDS, MOST_KNOWN_WORDS = 1_000, 50_000
MILLIONTHS = 1_000_000.0  # of a numeric, so that it can be added up without loss


# The types of a relation's columns, as the database said them first: they are those of its text.
_known_kinds: dict[tuple[Relation, tuple[Measure, ...]], Mapping[str, int]] = {}
_known_words: dict[int, str] = {}  # values of segments by their hashes, whatever they were read of


class Part(NamedTuple):
    """Rows of some of a reading's days: `DAY` counts from `first_day`."""

    columns: Columns
    first_day: date


@dataclass(eq=False)
class RowArrays:
    """What one reading found, a row each.  Columns can be asked for until they are let go of."""

    reading: Reading
    measures: tuple[Measure, ...]
    parts: Sequence[Part]
    scales: Mapping[str, float]
    fact: sql.Composable  # a fact as a number

    @property
    def relation(self) -> Relation:
        return self.reading.relation

    @property
    def first_day(self) -> date:
        return self.reading.hull.start

    def __len__(self) -> int:
        return len(self.people)

    def let_go(self) -> None:
        """Keep what says whose each row is, which fact and of which day, and nothing else."""
        for read in (self.people, self.placed, self.facts, self.days):
            read.setflags(write=False)
        self.parts = ()

    @cached_property
    def people(self) -> Integers:
        """Whose each row is, as the statements of cells say it: 0 is nobody's, below it what is owned."""
        return self._numbers("person_id")

    @cached_property
    def placed(self) -> Integers:
        """What places each row in units: a person, or the negative of what is owned (or of its repository)."""
        return self._numbers("placed_id")

    @cached_property
    def facts(self) -> Integers:
        return self._numbers(FACT)

    @cached_property
    def days(self) -> Integers:
        """Days since the first."""
        import numpy as np

        since = [(part.first_day - self.first_day).days for part in self.parts]
        return np.concatenate(
            [part.columns[DAY].astype(np.int64) + days for part, days in zip(self.parts, since, strict=True)]
        )

    def segment(self, dimension: Dimension) -> tuple[Integers, list[str]]:
        """For each row the position of its value, and all values.

        -1 where no row has the value any more: facts go on changing after they were read, and what did is computed
        anew.
        """
        import numpy as np

        hashes = self._numbers(f"h_{self.reading.segments.index(dimension)}")
        different, positions = numbered_few(hashes)
        words = self._words_of(different.tolist(), positions, dimension)
        is_there = np.array([each in words for each in different.tolist()], dtype=bool)
        return np.where(is_there[positions], positions, -1), [words.get(each, "") for each in different.tolist()]

    def _words_of(self, hashes: Sequence[int], positions: Integers, dimension: Dimension) -> Mapping[int, str]:
        """Read where they are not known from before, each of a fact that has it; `positions` are those of the rows."""
        import numpy as np

        words = {each: word for each in hashes if (word := _known_words.get(each)) is not None}
        missing = [position for position, each in enumerate(hashes) if each not in words]
        if missing:
            rows = np.zeros(len(hashes), dtype=np.int64)
            rows[positions] = np.arange(len(self))
            read = _words(self.reading, dimension, self.fact, among=self.facts[rows[missing]].tolist())
            if any(hashes[position] not in read for position in missing):  # one of these has another value by now
                read |= _words(self.reading, dimension, self.fact)
            if len(_known_words) > MOST_KNOWN_WORDS:
                _known_words.clear()
            _known_words.update(read)
            words |= read
        return words

    def column(self, letter: str, measure: Measure) -> Floats:
        """NaN where there is nothing."""
        import numpy as np

        found = self._joined(self._name(letter, measure), np.float64)
        scale = self.scale_of(letter, measure)
        return found if scale == 1.0 else found / scale

    def scale_of(self, letter: str, measure: Measure) -> float:
        """By what a column of decimals was multiplied."""
        return self.scales.get(self._name(letter, measure), 1.0)

    def added_exactly(self, letter: str, measure: Measure) -> tuple[Floats, float]:
        """The column as numbers whose sum is exact, where it is one of decimals, and by what that is to be divided."""
        import numpy as np

        found = self._joined(self._name(letter, measure), np.float64)
        return np.nan_to_num(found), self.scale_of(letter, measure)

    def read(self, column: Column) -> NDArray[Any]:
        """As it was read, but for bytes that a number needs not."""
        import numpy as np

        if column.name == DAY:
            return self.days
        return self._joined(column.name, np.float64 if column.kind == "float8" else np.int64)

    def _name(self, letter: str, measure: Measure) -> str:
        return f"{letter}_{self.measures.index(measure)}"

    def _numbers(self, name: str) -> Integers:
        import numpy as np

        return self._joined(name, np.int64)

    def _joined(self, name: str, kind: type[Any]) -> NDArray[Any]:
        import numpy as np

        return np.concatenate([part.columns[name].astype(kind) for part in self.parts])


def letters_of(measure: Measure) -> Iterator[str]:
    """The columns of the rows that tell of a measure, as `columns_of` has them; k… are the lines of each method."""
    for letter, _ in columns_of(measure):
        if letter == "d":
            yield from (f"k{number}" for number in range(len(ATTRIBUTION_METHODS)))
        else:
            yield letter


class Column(NamedTuple):
    """Of the arrays that are read: its name, and its value and type in SQL; `kept_as` is what it is kept by."""

    name: str
    value: sql.Composable
    kind: str
    kept_as: str


@contextmanager
def row_arrays(reading: Reading, measures: Sequence[Measure]) -> Iterator[RowArrays]:
    """The rows of the reading, with these columns; where units are asked for, `placed` says what places each row."""
    fact, scales = _kinds(reading, measures)
    columns = columns_read(reading, measures)
    kept = kept_rows(reading, {column.name: column.kept_as for column in columns})
    parts = [Part(rows, start) for start, rows in kept.weeks.items()]
    with ExitStack() as files:
        for of_days in kept.gaps:
            read = files.enter_context(_read(of_days, measures, columns))
            parts.append(Part(kept.of_gap(read), of_days.hull.start))
        yield RowArrays(reading, tuple(measures), parts, scales, fact)


def columns_read(reading: Reading, measures: Sequence[Measure]) -> Sequence[Column]:
    """Nothing is null, of which a COPY says no more than that: a row with a null would be shorter than the others."""
    fact, scales = _kinds(reading, measures)
    relation = reading.relation
    person, placed = whose(reading.placement, relation), _placed(relation)
    columns = [
        Column("person_id", sql.SQL("person_id"), "bigint", column_name(relation, "person", person)),
        Column("placed_id", sql.SQL("coalesce(placed_id, 0)"), "bigint", column_name(relation, "placed", placed)),
        Column(
            FACT,
            sql.SQL("coalesce({}, 0)").format(fact),
            "bigint",
            column_name(relation, "fact", sql.SQL("{} {}").format(of_source(relation.fact), fact)),
        ),
        Column(DAY, sql.SQL(DAY), "int", column_name(relation, "day", of_source(relation.day))),
    ]
    for position, (name, dimension) in enumerate(zip(segment_names(reading), reading.segments, strict=True)):
        value = sql.SQL("hashtextextended({}, 0)").format(sql.Identifier(name))
        columns.append(Column(f"h_{position}", value, "bigint", segment_column(relation, dimension)))
    for position, measure in enumerate(measures):
        for letter in letters_of(measure):
            columns.append(_of_measure(letter, position, measure, is_decimal=f"{letter}_{position}" in scales))
    return columns


def _of_measure(letter: str, position: int, measure: Measure, *, is_decimal: bool) -> Column:
    value, name = _value(letter, position), f"{letter}_{position}"
    if is_decimal:
        value = sql.SQL("({} * {})").format(value, sql.Literal(int(MILLIONTHS)))
    value = sql.SQL("coalesce({}::float8, 'NaN')").format(value)
    of_letters = dict(columns_of(measure))
    told = [of_letters["c" if letter.startswith("k") else letter], *([of_letters["d"]] if "d" in of_letters else [])]
    expressions = sql.SQL(", ").join([*(picked(measure, each) for each in told), sql.Literal(is_decimal)])
    return Column(name, value, "float8", column_name(measure.relation, f"{letter} {told[0]}", expressions))


@contextmanager
def _read(reading: Reading, measures: Sequence[Measure], columns: Sequence[Column]) -> Iterator[Columns]:
    """By a statement."""
    import numpy as np

    statement = sql.SQL("COPY (SELECT {} FROM ({}) AS r) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(", ").join(
            sql.SQL("({})::{} AS {}").format(column.value, sql.SQL(column.kind), sql.Identifier(column.name))
            for column in columns
        ),
        _rows(reading, measures),
    )
    kinds = {"bigint": ">i8", "int": ">i4", "float8": ">f8"}
    record: list[tuple[str, str]] = [("fields", ">i2")]
    for column in columns:
        record += [(f"{column.name} length", ">i4"), (column.name, kinds[column.kind])]
    with tempfile.TemporaryFile() as file:
        with (
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            # Bound here: Django's cursor that counts queries takes no parameters.
            cursor.copy(cursor.mogrify(statement, parameters(reading))),
        ):
            connection.connection.wait(_written(connection.connection.pgconn, file.write))
        file.flush()
        size = np.dtype(record).itemsize
        count = (file.tell() - COPY_HEADER_LENGTH) // size
        if not count:
            yield np.zeros(0, dtype=record)
            return
        yield np.memmap(file, dtype=record, mode="r", offset=COPY_HEADER_LENGTH, shape=(count,))


def _written(pgconn: PGconn, write: Callable[[bytes], object]) -> PQGen[None]:
    """Write what COPY sends, as many rows at once as have come.

    A wait or a generator for each row, as `Copy` and `copy_from` have them, costs as much again as the rows do.
    """
    size = 0
    while size >= 0:
        rows: list[memoryview] = []
        while (told := pgconn.get_copy_data(1))[0] > 0:
            rows.append(told[1])
        write(b"".join(rows))
        size = told[0]  # 0: more is to come, below it the end
        if size == 0:
            while not (yield WAIT_R):
                pass
            pgconn.consume_input()
    result = (yield from fetch_many(pgconn))[-1]
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result)


def _rows(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    relation = reading.relation
    day = sql.SQL("{} - %(start)s::date AS {}").format(of_source(relation.day), sql.Identifier(DAY))
    return placed_rows_statement(reading, measures, [sql.SQL("{} AS placed_id").format(_placed(relation)), day])


def _placed(relation: Relation) -> sql.Composable:
    if relation.falls_to_owners:
        return whose(ANYBODY, relation)
    return sql.SQL("-{}").format(of_source(relation.owner)) if relation.owner else of_source(relation.person)


def _value(letter: str, position: int) -> sql.Composable:
    if not letter.startswith("k"):
        return named(letter, position)
    return sql.SQL("CASE WHEN {} = {} THEN {} END").format(
        named("d", position), sql.Literal(ATTRIBUTION_METHODS[int(letter[1:])]), named("c", position)
    )


def _kinds(reading: Reading, measures: Sequence[Measure]) -> tuple[sql.Composable, Mapping[str, float]]:
    """A fact as a number, of which there are 2⁶⁴ where it is a text; by what the columns of decimals are multiplied."""
    asked = (reading.relation, tuple(measures))
    names = [
        (f"{letter}_{i}", _value(letter, i)) for i, measure in enumerate(measures) for letter in letters_of(measure)
    ]
    kinds = _known_kinds.get(asked)
    if kinds is None:
        selected = listed(sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in names)
        statement = sql.SQL("SELECT fact_id {} FROM ({}) AS r LIMIT 0").format(selected, _rows(reading, measures))
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters(reading))
            kinds = {column.name: column.type_code for column in cursor.description}
        if len(_known_kinds) > MOST_KNOWN_KINDS:
            _known_kinds.clear()
        _known_kinds[asked] = kinds
    fact = "fact_id" if kinds["fact_id"] in INTEGERS else "hashtextextended(fact_id::text, 0)"
    return sql.SQL(fact), {name: MILLIONTHS for name, _ in names if kinds[name] == NUMERIC}


def _words(
    reading: Reading, dimension: Dimension, fact: sql.Composable, *, among: Sequence[int] | None = None
) -> dict[int, str]:
    """The values of a segment by their hashes, of which there are 2⁶⁴: those of these facts, or of all."""
    rows = placed_rows_statement(
        Reading(reading.relation, reading.partitions, segments=(dimension,), settled_before=reading.settled_before), []
    )
    statement = sql.SQL("SELECT DISTINCT hashtextextended(segment_0, 0), segment_0 FROM ({}) AS r").format(rows)
    if among is not None:
        statement += sql.SQL(" WHERE {} = ANY(%(some_facts)s)").format(fact)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters(reading), "some_facts": list(among or ())})
        return dict(cursor.fetchall())
