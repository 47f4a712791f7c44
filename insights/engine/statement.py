"""Compiles a fact query into one statement: the relation's rows in scope, aggregated by window and segment."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from insights.engine import aggregation, measures, scope
from insights.engine.aggregation import BEHIND
from insights.engine.fact_query import Chosen, FactQuery, ResolvedScope, ScopeKind, StockQuery
from insights.engine.scope import Parameters
from insights.engine.tables import Places, Table, people_of
from insights.query import dimensions, windows
from insights.query.dimensions import value_of
from insights.query.measures import Measure, Total
from insights.query.query import Window
from integrations.enums import RECENT_DAYS
from integrations.facts.ai import ENROLLED_PEOPLE
from integrations.facts.relation import STOCK_DAY, STOCK_FROM, STOCK_UNTIL, Relation

Source = Callable[[Relation, Sequence[Window], Collection[str]], str]
"""Returns a FROM item with the needed columns of a relation's rows on these days, and possibly on others.  The windows
are in order and disjoint."""


@dataclass(frozen=True)
class Statement:
    """`text` has a placeholder {name} for the name of each of `tables`.

    A `grouped` statement returns no rows if no relation has any.
    """

    text: str
    parameters: Mapping[str, Any]
    tables: Collection[Table | Places]
    grouped: bool = False

    def naming(self, tables: Mapping[str, str]) -> str:
        """The text with the tables' actual names."""
        text = self.text
        for name, loaded in tables.items():
            text = text.replace(f"{{{name}}}", loaded)
        return text


def windows_of(query: FactQuery) -> Sequence[tuple[Window, Sequence[Window]]]:
    """The days by which rows are assigned to windows, each with the windows that have the same result.

    For a stock these are last days: windows that end on the same day have the same result.
    """
    if query.relation.stock is None:
        return [(window, (window,)) for window in query.windows]
    return [
        (Window(day, day + timedelta(days=1)), windows_of_day)
        for day, windows_of_day in query.windows_by_last_day.items()
    ]


@dataclass(frozen=True)
class Part:
    """`select` over `counted`: the fact query's rows, once for each window that contains them.

    Its columns: unit_id (0: the scope has none), person_id (0: unmatched; negative: a repository), fact_id, day,
    window_id (the position in `windows_of`), last_day of the window, segment_i, the input columns of measures
    (insights/engine/measures.py), and `columns`, additional columns of the relation by name.
    """

    query: FactQuery
    measures: Sequence[Measure]
    select: str
    columns: Sequence[str] = ()


def statement_over_rows(part: Part, source: Source) -> Statement:
    parameters = Parameters()
    return Statement(_over_rows(part, source, parameters), parameters.values, tuple(parameters.tables.values()))


def statement_over_parts(parts: Sequence[Part], source: Source, select: str, parameters: Parameters) -> Statement:
    """`select` over the results of the parts, named part_0, part_1 and so on, with these parameters."""
    named = [f"part_{i} AS ({_over_rows(part, source, parameters)})" for i, part in enumerate(parts)]
    text = f"WITH {', '.join(named)}\n{select}"
    return Statement(text, parameters.values, tuple(parameters.tables.values()))


def _over_rows(part: Part, source: Source, parameters: Parameters) -> str:
    query = part.query
    days = [window for window, _ in windows_of(query)]
    days_read = days
    if query.relation.stock is None:  # for a stock these are single days, in order
        days_read = [Window(min(window.start for window in days), max(window.end for window in days))]
    rows = _Rows(query, part.measures, source, days_read, parameters, part.columns)
    placements = "\nUNION ALL\n".join(map(rows.rows_in_scope, scope.placements_of(query.scope, query.relation)))
    return f"""
WITH {_window_days(days, parameters)},
placed AS ({placements}),
counted AS (SELECT * FROM placed JOIN window_days USING (day){" WHERE person_id > 0" if query.by_person else ""})
{part.select}
"""


def statement_of(
    query: FactQuery, measures_read: Sequence[Measure], source: Source, types: Mapping[str, str], most: int | None
) -> Statement:
    """One row per unit_id, window_id and segment with any rows, with the columns of `aggregation.select`."""
    keys = ", ".join(("unit_id", "window_id", *segment_names(query)))
    part = Part(query, measures_read, aggregation.select(query, measures_read, keys, types, most))
    return replace(statement_over_rows(part, source), grouped=True)


def statement_of_people(query: FactQuery, measures_read: Sequence[Measure], source: Source, most: int) -> Statement:
    """The same groups as `statement_of`, with only their sets of people."""
    keys = ", ".join(("unit_id", "window_id", *segment_names(query)))
    alone = [measures.of_people(measure) for measure in measures_read]
    part = Part(query, alone, aggregation.who(query, alone, keys, most))
    return replace(statement_over_rows(part, source), grouped=True)


def segment_names(query: FactQuery) -> list[str]:
    return [f"segment_{position}" for position in range(len(query.segments))]


def _window_days(days: Sequence[Window], parameters: Parameters) -> str:
    """A row for each day of each window, with the window's position and last elapsed day."""
    first = parameters.add([window.start for window in days], "DATE[]")
    end = parameters.add([window.end for window in days], "DATE[]")
    return f"""query_windows AS (
    SELECT unnest({first}) AS first_day, unnest({end}) AS end_day, unnest(range({len(days)})) AS window_id
),
window_days AS (
    SELECT window_id, least(end_day - 1, {parameters.add(windows.local_today(), "DATE")}) AS last_day,
           first_day + unnest(range(end_day - first_day))::INTEGER AS day
    FROM query_windows
)"""


@dataclass(frozen=True)
class _Rows:
    """The rows that a fact query reads."""

    query: FactQuery
    measures_read: Sequence[Measure]
    source: Source
    days: Sequence[Window]  # the days whose rows are needed
    parameters: Parameters
    columns: Sequence[str]  # additional columns, selected by name

    def rows_in_scope(self, relation: Relation) -> str:
        """SQL for the relation's rows that are in scope and match the facets."""
        query = self.query
        day = "standing.day" if relation.stock else f"source.{relation.day}"
        person = f"coalesce({scope.person_of(query.scope, relation)}, 0)"
        selected = [
            f"{person if query.by_person else scope.unit_of(query.scope, relation)} AS unit_id",
            f"{person} AS person_id",
            f"source.{relation.fact} AS fact_id",
            f"{day} AS day",
            *(f"source.{column}" for column in self.columns),
            *([f"source.{relation.people} AS {BEHIND}"] if relation.people else []),
        ]
        for segment, name in zip(query.segments, segment_names(query), strict=True):
            selected.append(f"{self._chosen(segment) if isinstance(segment, Chosen) else value_of(segment)} AS {name}")
        for i, measure in enumerate(self.measures_read):
            selected += [
                f"{self._picked(measure, _column(relation, column))} AS {alias}_{i}"
                for alias, column in measures.columns_of(measure)
            ]
        conditions = [
            *scope.conditions_on_day(query.scope, relation, day, self.parameters),
            *self._facets(),
            *self._of_people(relation),
        ]
        if any("$settled_before" in text for text in (*selected, *conditions)):
            self.parameters.values["settled_before"] = query.settled_before
        if any("$judged_until" in text for text in (*selected, *conditions)):
            # Lines written up to this day are past the days in which a rewrite counts.
            self.parameters.values["judged_until"] = windows.local_today() - timedelta(days=RECENT_DAYS + 1)
        return f"""
SELECT {", ".join(selected)}
FROM {self._source(relation)} AS source
{_JOIN_STOCK_DAYS if relation.stock else ""}
{scope.joins_on_day(query.scope, relation, day, self.parameters)}
WHERE {" AND ".join(conditions) or "true"}
"""

    def _source(self, relation: Relation) -> str:
        """The relation's rows with the needed columns; one row per kind if the query distinguishes kinds."""
        needed, kinds = {*self._needed(relation)}, relation.kinds
        if kinds is None or kinds.dimension not in needed:
            return self.source(relation, self.days, needed)
        rows = self.source(relation, self.days, (needed - {kinds.dimension, kinds.sum}).union(kinds.columns.values()))
        structs = (f"{{'{kinds.dimension}': '{kind}', '{kinds.sum}': {name}}}" for kind, name in kinds.columns.items())
        return f"(SELECT *, unnest([{', '.join(structs)}], recursive := true) FROM {rows})"

    def _of_people(self, relation: Relation) -> Iterator[str]:
        """The conditions on whose data a row contains, if the relation names the people."""
        if not relation.people:
            return
        if self.query.by_person or self.query.scope.kind is ScopeKind.PERSON or self.query.scope.person_id is not None:
            yield f"source.{relation.people} IN ('', source.{relation.person}::VARCHAR)"

    def _facets(self) -> Iterator[str]:
        for dimension, values in self.query.facets:
            yield f"{value_of(dimension)} IN {self.parameters.one_of(values, 'VARCHAR')}"
        for dimension, values in self.query.facets_of_facts:
            among = self.parameters.add(list(values), "VARCHAR[]")
            yield f"list_has_any(string_split(source.{dimensions.listed_in(dimension)}, chr(10)), {among})"

    def _chosen(self, chosen: Chosen) -> str:
        if not chosen.of_facts:
            value, among = value_of(chosen.dimension), self.parameters.one_of(chosen.values, "VARCHAR")
            return f"CASE WHEN {value} IN {among} THEN {value} ELSE '' END"
        among = self.parameters.add(list(chosen.values), "VARCHAR[]")
        listed = f"string_split(source.{dimensions.listed_in(chosen.dimension)}, chr(10))"
        return f"coalesce(array_to_string(list_sort(list_intersect({listed}, {among})), chr(10)), '')"

    def _picked(self, measure: Measure, column: str) -> str:
        """The column, null in rows that the measure excludes."""
        if not (isinstance(measure, Total) and measure.only):
            return column
        dimension, values = measure.only
        among = self.parameters.one_of(values, "VARCHAR")
        return f"CASE WHEN {value_of(dimension)} IN {among} THEN {column} END"

    def _needed(self, relation: Relation) -> Collection[str]:
        """The columns of the relation that the statement reads."""
        names = {relation.day, *scope.columns_of(relation), *self.columns, *filter(None, [relation.people])}
        chosen = [segment for segment in self.query.segments if isinstance(segment, Chosen)]
        of_facts = [dimension for dimension, _ in self.query.facets_of_facts]
        of_facts += [segment.dimension for segment in chosen if segment.of_facts]
        names.update(map(dimensions.listed_in, of_facts))
        used = [segment for segment in self.query.segments if not isinstance(segment, Chosen)]
        used += [segment.dimension for segment in chosen if not segment.of_facts]
        used += [dimension for dimension, _ in self.query.facets]
        for measure in self.measures_read:
            names.update(column for _, column in measures.columns_of(measure))
            if isinstance(measure, Total) and measure.only:
                used.append(measure.only[0])
        for dimension in used:
            names.update(dimensions.columns_of(dimension))
        if relation.stock is None:
            return names
        expressions = dict(relation.stock.columns)
        read = [name for name in names & expressions.keys() for name in re.findall(r"source\.(\w+)", expressions[name])]
        return (names - expressions.keys() - {STOCK_DAY}).union(read, {STOCK_FROM, STOCK_UNTIL})


# Takes half the time of a range join, which sorts the rows.
_JOIN_STOCK_DAYS = f"""
CROSS JOIN LATERAL (
    SELECT unnest(list_filter(
        (SELECT list(DISTINCT day) FROM window_days),
        lambda day: source.{STOCK_FROM} <= day AND day < source.{STOCK_UNTIL}
    )) AS day
) AS standing
"""


def _column(relation: Relation, name: str) -> str:
    """A column of the relation; for a stock it may be an expression over its row and the day of the stock."""
    return dict(relation.stock.columns if relation.stock else ()).get(name) or f"source.{name}"


def set_of_people(most: int) -> str:
    """The aggregate that returns a stock's people as a set, encoded as in `measures.sets`."""
    return f"bitstring_agg({most} - people.person_id, 0, {most})::BLOB"


def enrolled_since(resolved: ResolvedScope, parameters: Parameters) -> str:
    """A SELECT of person_id and `since`, the first day on which the person was enrolled and in scope.  For unassigned
    people it is the first day in any scope, as for unmatched facts.
    """
    if resolved.kind is ScopeKind.UNASSIGNED:
        resolved = replace(resolved, kind=ScopeKind.ANYBODY, ids=())
    joins, ranges = scope.joins_of_ranges(resolved, "people.id", parameters)
    first = ", ".join(["people.since", *(f"{name}.first_day" for name in ranges)])
    within = [f"greatest({first}) < least({', '.join(f'{name}.end_day' for name in ranges)})"] if ranges else []
    conditions = [*within, *scope.only(resolved, "people.id", parameters)]
    return f"""
SELECT people.id AS person_id, min(greatest({first})) AS since
FROM {parameters.table(people_of(ENROLLED_PEOPLE))} AS people
{joins}
WHERE {" AND ".join(conditions) or "true"}
GROUP BY people.id"""


COUNTED, LISTED = "count(DISTINCT people.person_id)", "list(DISTINCT people.person_id)"


def stock_statement(query: StockQuery, aggregate: str = COUNTED) -> Statement:
    """One row per unit_id and window_id (the position among the windows): the relation's people who joined before the
    window's end and were present and in scope on any day of it.
    """
    resolved = query.scope
    parameters = Parameters()
    person = "people.person_id"
    joins, ranges = scope.joins_of_ranges(resolved, person, parameters)
    first = ", ".join(["query_windows.first_day", "people.first_day", *(f"{name}.first_day" for name in ranges)])
    end = ", ".join(["query_windows.end_day", "people.end_day", *(f"{name}.end_day" for name in ranges)])
    starts = parameters.add([window.start for window in query.windows], "DATE[]")
    ends = parameters.add([window.end for window in query.windows], "DATE[]")
    conditions = [f"greatest({first}) < least({end})", *scope.only(resolved, person, parameters)]
    text = f"""
WITH query_windows AS (
    SELECT unnest({starts}) AS first_day, unnest({ends}) AS end_day, unnest(range({len(query.windows)})) AS window_id
),
people AS (SELECT id AS person_id, * FROM {parameters.table(people_of(query.relation))})
SELECT {scope.unit_of(resolved)} AS unit_id, window_id, {aggregate} AS people
FROM people
JOIN query_windows ON people.since < query_windows.end_day
{joins}
WHERE {" AND ".join(conditions)}
GROUP BY unit_id, window_id
"""
    return Statement(text, parameters.values, tuple(parameters.tables.values()))
