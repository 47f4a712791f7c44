"""What was found of every person at once, by a statement or in a scan of a page, and what measures come to of each.

Of thousands of people's figures few are ever asked for: values are put together when they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from django.db import connection
from psycopg import sql

from insights.metrics.found_cells import FoundCells
from insights.metrics.many_cells import Amounts
from insights.metrics.measures import NOTHING, Distribution, Facts, Measure, MeasureValue, Total
from insights.metrics.query import Statistic, Window
from insights.metrics.reading import CellKey, Reading
from insights.metrics.scan import Cells
from insights.metrics.source import listed, named, of_source, parameters, segment_names
from insights.metrics.statement import countable, rows_with_entered

Segment = tuple[str, ...]
Row = Sequence[Any]
Reader = Callable[[Row], MeasureValue]


class Measured(Protocol):
    """What was found by person and segment."""

    def cells(self) -> Iterable[tuple[int, Segment]]: ...

    def people(self) -> Iterable[int]:
        """Of whom anything was found."""

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue: ...

    def amounts(self, people: Sequence[int], measure: Measure) -> Amounts:
        """Of each of these people, without a segment."""


@dataclass(frozen=True)
class MeasuredByStatement:
    """Found by the statement for people."""

    rows: Mapping[tuple[int, Segment], Sequence[Row]]  # several are parts of the whole
    readers: Mapping[Measure, Reader]

    def cells(self) -> Iterable[tuple[int, Segment]]:
        return self.rows

    def people(self) -> Iterable[int]:
        return (person for person, _ in self.rows)

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue:
        rows = self.rows.get((person_id, segment))
        if not rows:
            return NOTHING
        read = self.readers[measure]
        return read(rows[0]) if len(rows) == 1 else _sum([read(row) for row in rows])

    def amounts(self, people: Sequence[int], measure: Measure) -> Amounts:
        return Amounts.of(self.value(person, (), measure) for person in people)

    def whole(self) -> MeasuredByStatement:
        """The same without segments: of every measure the parts of a person's facts make the whole."""
        of_person: dict[tuple[int, Segment], list[Row]] = {}
        for (person, _), rows in self.rows.items():
            of_person.setdefault((person, ()), []).extend(rows)
        return MeasuredByStatement(of_person, self.readers)


@dataclass(frozen=True)
class MeasuredInScan:
    """Found in a scan of a page."""

    found: Cells
    window: Window

    def cells(self) -> Iterable[tuple[int, Segment]]:
        return ((key.unit_id or 0, key.segment) for key in self.found)

    def people(self) -> Iterable[int]:
        return self.found.units() if isinstance(self.found, FoundCells) else (key.unit_id or 0 for key in self.found)

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue:
        cell = self.found.get(CellKey(person_id, self.window, segment))
        return cell.values[measure] if cell else NOTHING

    def amounts(self, people: Sequence[int], measure: Measure) -> Amounts:
        if isinstance(self.found, FoundCells):
            return self.found.amounts(people, self.window, measure)
        return Amounts.of(self.value(person, (), measure) for person in people)


def _sum(values: Sequence[MeasureValue]) -> MeasureValue:
    known = [each.value for each in values if each.value is not None]
    value, facts = (sum(known) if known else None), sum(each.facts for each in values)
    statistics = (
        {Statistic.MEAN: value / facts} if value is not None and any(each.statistics for each in values) else {}
    )
    missing = not facts and any(each.missing for each in values)
    return MeasureValue(value, facts, 1, statistics, missing=missing)


def measured_by_statement(
    reading: Reading, measures: Sequence[Measure], days: dict[int, tuple[date, date]]
) -> MeasuredByStatement:
    """Widens the days between which each person's facts lie, by person, to those that are found."""
    with connection.cursor() as cursor:
        cursor.execute(people_cells_statement(reading, measures), parameters(reading))
        names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    width = 1 + len(reading.segments)
    first, last = names.index("first_day"), names.index("last_day")
    for row in rows:
        known = days.get(row[0])
        days[row[0]] = (min(known[0], row[first]), max(known[1], row[last])) if known else (row[first], row[last])
    readers = {measure: _reader(measure, position, names) for position, measure in enumerate(measures)}
    return MeasuredByStatement({(row[0], row[1:width]): (row,) for row in rows}, readers)


def people_cells_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per person and segment in which a fact was found, for the hull of the reading.

    Beside facts, the number of distinct facts (1 where no measure counts them), first_day and last_day, between which
    they lie, and entered, which has a bit for each measure to which any row adds something: for the measure of position
    i, v_i what it adds up, n_i the rows with a value of a distribution, and x_i what was missing.
    """
    whole = replace(reading, partitions=((reading.hull.start, reading.hull.end),))
    keys = sql.SQL(", ").join(map(sql.Identifier, ("person_id", *segment_names(reading))))
    counts_facts = any(isinstance(measure, Facts) for measure in measures)
    sums: list[sql.Composable] = []
    for position, measure in countable(measures):
        column = named("c", position)
        sums.append(sql.SQL("sum({})::float8 AS {}").format(column, named("v", position)))
        if isinstance(measure, Distribution):
            sums.append(sql.SQL("count({}) AS {}").format(column, named("n", position)))
        if isinstance(measure, Total) and measure.missing_column:
            sums.append(sql.SQL("sum({})::float8 AS {}").format(named("m", position), named("x", position)))
    if not counts_facts:
        facts = sql.SQL("1")
    elif reading.relation.fact_is_row:
        facts = sql.SQL("count(*)")
    else:
        facts = sql.SQL("count(DISTINCT fact_id)")
    return sql.SQL(
        "SELECT {keys}, {facts} AS facts, min(on_day) AS first_day, max(on_day) AS last_day,"
        " bit_or(entered) AS entered {sums}"
        " FROM ({rows}) AS r WHERE person_id > 0 GROUP BY {keys}"
    ).format(
        keys=keys,
        facts=facts,
        sums=listed(sums),
        rows=rows_with_entered(whole, measures, [sql.SQL("{} AS on_day").format(of_source(reading.relation.day))]),
    )


def _reader(measure: Measure, position: int, names: Sequence[str]) -> Reader:
    """From a row to what the measure comes to; where rows are not facts, `facts` says only whether any entered."""
    facts, entered, bit = names.index("facts"), names.index("entered"), 1 << position
    if isinstance(measure, Facts):
        return lambda row: MeasureValue(float(row[facts]), row[facts], 1)
    if not isinstance(measure, (Total, Distribution)):
        raise TypeError(f"{type(measure).__name__} is not read for each person.")
    value = names.index(f"v_{position}")
    if isinstance(measure, Distribution):
        counted = names.index(f"n_{position}")
        return lambda row: (
            MeasureValue(row[value], row[counted], 1, {Statistic.MEAN: row[value] / row[counted]})
            if row[counted]
            else NOTHING
        )
    amounts = _amount_reader(value, entered, bit)
    if not measure.missing_column:
        return amounts
    missing = names.index(f"x_{position}")
    return lambda row: MeasureValue(missing=bool(row[missing])) if not row[entered] & bit else amounts(row)


def _amount_reader(value: int, entered: int, bit: int) -> Reader:
    return lambda row: MeasureValue(row[value], 1, 1) if row[entered] & bit else NOTHING
