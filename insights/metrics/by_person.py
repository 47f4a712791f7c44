"""Metrics of every person of a scope at once: what a query that names one person answers, for all of them.

It reads the relations, conditions and measures of any other query, gathered by person instead of added up, and each
metric puts its measures together as it does elsewhere: there is no second definition of a figure.  One statement per
relation and facets, however many people there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Protocol

from django.db import connection
from psycopg import sql

from insights import windows
from insights.metrics.connected import NOTHING, ConnectedSince, why_no_data
from insights.metrics.measures import (
    NOTHING as NOTHING_MEASURED,
)
from insights.metrics.measures import (
    Distribution,
    Facts,
    Measure,
    MeasureValue,
    Total,
)
from insights.metrics.outcome import Outcome
from insights.metrics.plan import Clock, Need, Places, Plan, plan_total
from insights.metrics.query import MetricQuery, Statistic, Window
from insights.metrics.reading import ANYBODY, Asked, CellKey, Reading, SplitBy
from insights.metrics.scan import Cell, Cells
from insights.metrics.scan_in_memory import is_scanned_in_memory
from insights.metrics.shared_scans import known_scan, scan_together
from insights.metrics.source import listed, named, of_source, parameters, segment_names
from insights.metrics.statement import countable, rows_with_entered
from insights.metrics.stint_arrays import StintsInUse

Segment = tuple[str, ...]
Row = Sequence[Any]
Reader = Callable[[Row], MeasureValue]


@dataclass(frozen=True)
class PersonValue:
    """A metric's value of one person, or why there is none."""

    value: float | None
    reason: str = ""
    missing: bool = False  # something is there that could not be added: tokens of a model without a price


class Measured(Protocol):
    """What was found by person and segment.

    Of thousands of people's figures few are ever asked for: values are put together when they are.
    """

    def cells(self) -> Iterable[tuple[int, Segment]]: ...

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue: ...


@dataclass(frozen=True)
class MeasuredByStatement:
    """Found by the statement for people."""

    rows: Mapping[tuple[int, Segment], Sequence[Row]]  # several are parts of the whole
    readers: Mapping[Measure, Reader]

    def cells(self) -> Iterable[tuple[int, Segment]]:
        return self.rows

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue:
        rows = self.rows.get((person_id, segment))
        if not rows:
            return NOTHING_MEASURED
        read = self.readers[measure]
        return read(rows[0]) if len(rows) == 1 else _sum([read(row) for row in rows])

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
    # A cell is put together of arrays when it is asked for, and each of a person's figures asks.
    _known: dict[tuple[int, Segment], Cell | None] = field(default_factory=dict)

    def cells(self) -> Iterable[tuple[int, Segment]]:
        return ((key.unit_id or 0, key.segment) for key in self.found)

    def value(self, person_id: int, segment: Segment, measure: Measure) -> MeasureValue:
        if (person_id, segment) not in self._known:
            self._known[person_id, segment] = self.found.get(CellKey(person_id, self.window, segment))
        cell = self._known[person_id, segment]
        return cell.values[measure] if cell else NOTHING_MEASURED


class People:
    """The answers to queries by person; they are put together when they are asked for, for many never are.

    The ids are those of everybody of whom any of the queries found a fact in the window.  The figures are those of
    `read_at`; `days` are known of people whose figures were all read by statements.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        measured: Mapping[Reading, Measured],
        since: ConnectedSince,
        days: Mapping[int, tuple[date, date]],
        read_at: datetime,
    ) -> None:
        self._plans = {(each.query.key, each.segments): each for each in plans}
        self._measured = measured
        self._since = since
        self._days = days
        self.read_at = read_at
        self.ids: frozenset[int] = frozenset(person for found in measured.values() for person, _ in found.cells())

    def value(self, key: str, person_id: int) -> PersonValue:
        """What the query of that metric, without segments, answers for the person.

        Raises TypeError for what people have no value of: rates over time, and statistics other than the mean.
        """
        each = self._plans[key, ()]
        outcome = self._outcome(each, person_id, ())
        value = outcome.value
        statistic = each.query.statistic or each.metric.statistic
        if each.metric.per_period or each.metric.per_days or statistic not in (None, Statistic.MEAN):
            raise TypeError(f"{key} has no value that can be read for each person.")
        if statistic is not None:
            value = outcome.statistics.get(statistic)
        if value is not None:
            return PersonValue(value)
        if outcome.missing:
            return PersonValue(None, each.metric.missing_reason, missing=True)
        connected = self._since.of(each.metric, each.placement, person_id)
        reason = why_no_data(each.query.window, connected, each.clock.today)
        if reason is NOTHING and each.metric.zero_of_nothing:
            return PersonValue(0.0)
        return PersonValue(None, reason)

    def days(self, person_id: int) -> tuple[date, date]:
        """The first and the last day of the person's facts in the window."""
        return self._days[person_id]

    def since(self, key: str, person_id: int) -> date | None:
        """The first local day from which all that the metric is computed from tells of the person; None: never."""
        each = self._plans[key, ()]
        return self._since.of(each.metric, each.placement, person_id).since

    def split(self, key: str, person_id: int) -> Mapping[str, float]:
        """The person's values by the one segment of that metric's query, the greatest first."""
        return self._splits[key].get(person_id, {})

    @cached_property
    def _splits(self) -> Mapping[str, Mapping[int, Mapping[str, float]]]:
        found: dict[str, dict[int, dict[str, float]]] = {}
        for (key, segments), each in self._plans.items():
            if not segments:
                continue
            of_key = found.setdefault(key, {})
            cells = dict.fromkeys(cell for need in _needs(each) for cell in self._measured[_reading(need)].cells())
            for person_id, segment in cells:
                value = self._outcome(each, person_id, segment).value
                if value:
                    of_key.setdefault(person_id, {})[segment[0]] = value
        return {
            key: {
                person: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
                for person, values in of_key.items()
            }
            for key, of_key in found.items()
        }

    def _outcome(self, each: Plan, person_id: int, segment: Segment) -> Outcome:
        def part(measure: Measure) -> MeasureValue:
            need = each.needs[measure]
            return self._measured[_reading(need)].value(person_id, segment, need.measure)

        return each.metric.outcome(part)


def read_people(
    queries: Sequence[MetricQuery],
    *,
    only: Collection[int] | None = None,
    places: Places | None = None,
    with_page: bool = False,
) -> People:
    """All queries together, which have one scope and window; those with a segment tell `split`, the others `value`.

    `only` narrows them to these people, of whom there are some; `places` has what was looked up before.  `with_page`
    takes what a page's scans have found a while ago (AskedBeside.people), or would find; of that `days` are not known.

    Raises QueryError where one of them cannot be answered, and TypeError where a person has no such figure.
    """
    clock, places = Clock.read(), places or Places()
    plans = [_among(plan_total(query, clock, places), only) for query in queries]
    measures: dict[Reading, dict[Measure, None]] = {}
    for each in plans:
        for need in _needs(each):
            measures.setdefault(_reading(need), {})[need.measure] = None
    asked = {reading: tuple(found) for reading, found in measures.items()}
    days: dict[int, tuple[date, date]] = {}
    found, read_at = _found_by_page(asked, clock.now) if with_page else ({}, clock.now)
    rest = {reading: asked[reading] for reading in asked if reading not in found}
    measured = {**found, **_measured_together(rest, days)}
    return People(plans, measured, ConnectedSince((each.metric for each in plans), by_person=True), days, read_at)


def needs_of_people(plan: Plan) -> Iterator[Need]:
    """What the query needs, by person: read with other responses of a page, it is there when `read_people` is asked.

    Raises TypeError as `read_people`.
    """
    return (replace(need, reading=replace(_reading(need), by_person=True)) for need in _needs(plan))


def _found_by_page(
    asked: Mapping[Reading, Sequence[Measure]], now: datetime
) -> tuple[Mapping[Reading, Measured], datetime]:
    """What is known, and as of when."""
    found: dict[Reading, Measured] = {}
    for reading, measures in asked.items():
        split = SplitBy(reading.placement, reading.segments, by_person=True)
        each = {split: Asked(reading.partitions, tuple(measures))}
        known = known_scan(reading.of_rows(), each)
        if known is None and reading.placement == ANYBODY and is_scanned_in_memory(reading.of_rows(), each[split]):
            # Rows of everybody that are kept are there sooner than a statement could gather them.
            known = scan_together(reading.of_rows(), each, {}, StintsInUse((), reading.hull, windows.local_today()))
        if known and split in known.cells:
            found[reading] = MeasuredInScan(known.cells[split], reading.hull)
            now = min(now, known.at)
    return found, now


def _among(plan: Plan, only: Collection[int] | None) -> Plan:
    if only is None:
        return plan
    placement = replace(plan.placement, among=tuple(sorted(only)))
    needs = {
        measure: replace(need, reading=replace(need.reading, placement=placement))
        for measure, need in plan.needs.items()
    }
    return replace(plan, placement=placement, needs=needs)


def _needs(each: Plan) -> Sequence[Need]:
    return tuple(each.needs.values())


def _reading(need: Need) -> Reading:
    if not isinstance(need.reading, Reading) or need.reading.relation.owner or need.reading.relation.shared_facts:
        raise TypeError("Only facts of people are read for each person.")
    return need.reading


def _measured_together(
    asked: Mapping[Reading, Sequence[Measure]], days: dict[int, tuple[date, date]]
) -> Mapping[Reading, MeasuredByStatement]:
    """One statement per reading; where each fact is one row, what is read by a segment tells the whole as well.

    Widens the days of each person's facts, by person, to those that are found.
    """
    found: dict[Reading, MeasuredByStatement] = {}
    for reading, measures in sorted(asked.items(), key=lambda each: bool(each[0].segments)):
        if reading in found:
            continue
        split = next((each for each in asked if each.segments and replace(each, segments=()) == reading), None)
        if split is None or not reading.relation.fact_is_row:
            found[reading] = _measured(reading, measures, days)
            continue
        both = tuple(dict.fromkeys((*measures, *asked[split])))
        found[split] = _measured(split, both, days)
        found[reading] = found[split].whole()
    return found


def _sum(values: Sequence[MeasureValue]) -> MeasureValue:
    known = [each.value for each in values if each.value is not None]
    value, facts = (sum(known) if known else None), sum(each.facts for each in values)
    statistics = (
        {Statistic.MEAN: value / facts} if value is not None and any(each.statistics for each in values) else {}
    )
    missing = not facts and any(each.missing for each in values)
    return MeasureValue(value, facts, 1, statistics, missing=missing)


def _measured(reading: Reading, measures: Sequence[Measure], days: dict[int, tuple[date, date]]) -> MeasuredByStatement:
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
            else NOTHING_MEASURED
        )
    amounts = _amount_reader(value, entered, bit)
    if not measure.missing_column:
        return amounts
    missing = names.index(f"x_{position}")
    return lambda row: MeasureValue(missing=bool(row[missing])) if not row[entered] & bit else amounts(row)


def _amount_reader(value: int, entered: int, bit: int) -> Reader:
    return lambda row: MeasureValue(row[value], 1, 1) if row[entered] & bit else NOTHING_MEASURED
