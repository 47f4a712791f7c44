"""From a question to its one statement: the rows of the relation, in scope, by window and segment, added up."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from insights.engine import cells, measures, scope
from insights.engine.fact_query import Reading, StockReading
from insights.engine.scope import Parameters
from insights.engine.tables import Table, people_of
from insights.query import dimensions, windows
from insights.query.measures import Measure, Total
from insights.query.query import Dimension, Window
from integrations.facts.ai import AGENT_SESSION_DAYS
from integrations.facts.relation import STANDING_FROM, STANDING_ON, STANDING_UNTIL, Relation

Source = Callable[[Relation, Sequence[Window], Collection[str]], str]
"""What stands in a FROM clause for the rows of a relation on these days, and maybe on others, with the columns needed.
The days are in their order, and the windows share none."""

EVER = Window(date.min, date.max)


@dataclass(frozen=True)
class Statement:
    """`text` has {name} where the name of one of the tables stands."""

    text: str
    parameters: Mapping[str, Any]
    tables: Collection[Table]

    def naming(self, tables: Mapping[str, str]) -> str:
        """The text with the names that the tables have."""
        text = self.text
        for name, loaded in tables.items():
            text = text.replace(f"{{{name}}}", loaded)
        return text


def windows_of(question: Reading) -> Sequence[tuple[Window, Sequence[Window]]]:
    """The days by which rows are put into windows, each with the windows that have the same answer.

    Of a stock these are last days: windows that end on the same day have the same answer.
    """
    if question.relation.stock is None:
        return [(window, (window,)) for window in question.windows]
    return [(Window(day, day + timedelta(days=1)), found) for day, found in question.windows_by_last_day.items()]


@dataclass(frozen=True)
class Part:
    """`select` over `counted`: the question's rows, once for each window in which they lie.

    With unit_id (0: the scope has none), person_id (0: unmatched; what is owned is negative), fact_id, day, window_id
    (the position in `windows_of`), last_day of the window, segment_i, the columns that measures are computed from
    (insights/engine/measures.py), and `columns`, further ones of the relation, by their names.
    """

    question: Reading
    measures: Sequence[Measure]
    select: str
    columns: Sequence[str] = ()


def statement_over_rows(part: Part, source: Source) -> Statement:
    parameters = Parameters()
    return Statement(_over_rows(part, source, parameters), parameters.values, tuple(parameters.tables.values()))


def statement_over_parts(parts: Sequence[Part], source: Source, select: str, values: Mapping[str, Any]) -> Statement:
    """`select` over what the parts select, called part_0, part_1 and so on, with these values as parameters by name."""
    parameters = Parameters(dict(values))
    named = [f"part_{i} AS ({_over_rows(part, source, parameters)})" for i, part in enumerate(parts)]
    text = f"WITH {', '.join(named)}\n{select}"
    return Statement(text, parameters.values, tuple(parameters.tables.values()))


def _over_rows(part: Part, source: Source, parameters: Parameters) -> str:
    question = part.question
    days = [window for window, _ in windows_of(question)]
    read = days
    if question.relation.stock is None:  # else these are single days, in their order
        read = [Window(min(window.start for window in days), max(window.end for window in days))]
    rows = _Rows(question, part.measures, source, read, parameters, part.columns)
    placed = "\nUNION ALL\n".join(map(rows.placed_as, scope.placed_as(question.placement, question.relation)))
    return f"""
WITH {_window_days(days, parameters)},
placed AS ({placed}),
counted AS (SELECT * FROM placed JOIN window_days USING (day){_only_people(question)})
{part.select}
"""


def statement_of(question: Reading, wanted: Sequence[Measure], source: Source, types: Mapping[str, str]) -> Statement:
    """One row per unit_id, window_id and segment in which anything was found, with the columns that
    insights/engine/measures.py lists."""
    keys = ", ".join(("unit_id", "window_id", *segment_names(question)))
    return statement_over_rows(Part(question, wanted, cells.select(question, wanted, keys, types)), source)


def segment_names(question: Reading) -> list[str]:
    return [f"segment_{position}" for position in range(len(question.segments))]


def _window_days(days: Sequence[Window], parameters: Parameters) -> str:
    """A row for each day of each window: its number, and the last day of the window that has come."""
    first = parameters.add([window.start for window in days], "DATE[]")
    end = parameters.add([window.end for window in days], "DATE[]")
    return f"""asked AS (
    SELECT unnest({first}) AS first_day, unnest({end}) AS end_day, unnest(range({len(days)})) AS window_id
),
window_days AS (
    SELECT window_id, least(end_day - 1, {parameters.add(windows.local_today(), "DATE")}) AS last_day,
           first_day + unnest(range(end_day - first_day))::INTEGER AS day
    FROM asked
)"""


@dataclass(frozen=True)
class _Rows:
    """The rows that a question reads."""

    question: Reading
    wanted: Sequence[Measure]
    source: Source
    days: Sequence[Window]  # of which rows are needed
    parameters: Parameters
    columns: Sequence[str]  # wanted by their names

    def placed_as(self, relation: Relation) -> str:
        """Those of the relation, as it is placed, that are in scope and pass the facets."""
        question = self.question
        day = "standing.day" if relation.stock else f"source.{relation.day}"
        person = f"coalesce({scope.whose(question.placement, relation)}, 0)"
        selected = [
            f"{person if question.by_person else scope.unit_of(question.placement, relation)} AS unit_id",
            f"{person} AS person_id",
            f"source.{relation.fact} AS fact_id",
            f"{day} AS day",
            *(f"source.{column}" for column in self.columns),
        ]
        for dimension, name in zip(question.segments, segment_names(question), strict=True):
            selected.append(f"{dimensions.value_of(dimension)} AS {name}")
        for i, measure in enumerate(self.wanted):
            selected += [
                f"{self._picked(measure, _column(relation, column))} AS {letter}_{i}"
                for letter, column in measures.columns_of(measure)
            ]
        conditions = [
            *scope.conditions_on_day(question.placement, relation, day, self.parameters),
            *self._facets(relation),
        ]
        if any("$settled_before" in text for text in (*selected, *conditions)):
            self.parameters.values["settled_before"] = question.settled_before
        return f"""
SELECT {", ".join(selected)}
FROM {self.source(relation, self.days, self._needed(relation))} AS source
{_JOIN_STANDING if relation.stock else ""}
{scope.joins_on_day(question.placement, relation, day, self.parameters)}
WHERE {" AND ".join(conditions) or "true"}
"""

    def _facets(self, relation: Relation) -> Iterator[str]:
        for dimension, values in self.question.facets:
            among = self.parameters.one_of(values, "VARCHAR")
            if dimension is Dimension.MODEL and self.question.model_picks_facts:
                sessions = self.source(AGENT_SESSION_DAYS, [EVER], {"session_id", "model", "tokens"})
                yield (
                    f"source.{relation.fact} IN (SELECT source.session_id FROM {sessions} AS source"
                    f" WHERE source.tokens > 0 AND {dimensions.value_of(dimension)} IN {among})"
                )
            else:
                yield f"{dimensions.value_of(dimension)} IN {among}"

    def _picked(self, measure: Measure, column: str) -> str:
        """The column, null in rows that do not enter the measure."""
        if not (isinstance(measure, Total) and measure.only):
            return column
        dimension, values = measure.only
        among = self.parameters.one_of(values, "VARCHAR")
        return f"CASE WHEN {dimensions.value_of(dimension)} IN {among} THEN {column} END"

    def _needed(self, relation: Relation) -> Collection[str]:
        """The columns of the relation that the statement reads."""
        names = {relation.day, *scope.columns_of(relation), *self.columns}
        used = [*self.question.segments]
        model_of_fact = Dimension.MODEL if self.question.model_picks_facts else None
        used += (dimension for dimension, _ in self.question.facets if dimension is not model_of_fact)
        for measure in self.wanted:
            names.update(column for _, column in measures.columns_of(measure))
            if isinstance(measure, Total) and measure.only:
                used.append(measure.only[0])
        for dimension in used:
            names.update(dimensions.columns_of(dimension))
        if relation.stock is None:
            return names
        expressions = dict(relation.stock.columns)
        read = [name for each in names & expressions.keys() for name in re.findall(r"source\.(\w+)", expressions[each])]
        return (names - expressions.keys() - {STANDING_ON}).union(read, {STANDING_FROM, STANDING_UNTIL})


# Half the time of a join over a range of days, which sorts the rows.
_JOIN_STANDING = f"""
CROSS JOIN LATERAL (
    SELECT unnest(list_filter(
        (SELECT list(DISTINCT day) FROM window_days),
        lambda day: source.{STANDING_FROM} <= day AND day < source.{STANDING_UNTIL}
    )) AS day
) AS standing
"""


def _column(relation: Relation, name: str) -> str:
    """A column of the relation; of a stock it may be an expression over its row and the day on which it stands."""
    return dict(relation.stock.columns if relation.stock else ()).get(name) or f"source.{name}"


def _only_people(question: Reading) -> str:
    return " WHERE person_id > 0" if question.by_person else ""


COUNTED, LISTED = "count(DISTINCT people.person_id)", "list(DISTINCT people.person_id)"


def stock_statement(question: StockReading, aggregate: str = COUNTED) -> Statement:
    """One row per unit_id and window_id, the position among the spans: the people who were there, and in scope, on any
    day of it, of those whose day lies before its end."""
    placement = question.placement
    parameters = Parameters()
    person = "people.person_id"
    joins, ranges = scope.joins_of_ranges(placement, person, parameters)
    first = ", ".join(["asked.first_day", "people.first_day", *(f"{name}.first_day" for name in ranges)])
    end = ", ".join(["asked.end_day", "people.end_day", *(f"{name}.end_day" for name in ranges)])
    starts = parameters.add([span.start for span in question.spans], "DATE[]")
    ends = parameters.add([span.end for span in question.spans], "DATE[]")
    conditions = [f"greatest({first}) < least({end})", *scope.only(placement, person, parameters)]
    text = f"""
WITH asked AS (
    SELECT unnest({starts}) AS first_day, unnest({ends}) AS end_day, unnest(range({len(question.spans)})) AS window_id
),
people AS (SELECT id AS person_id, * FROM {parameters.table(people_of(question.relation))})
SELECT {scope.unit_of(placement)} AS unit_id, window_id, {aggregate} AS people
FROM people
JOIN asked ON people.since < asked.end_day
{joins}
WHERE {" AND ".join(conditions)}
GROUP BY unit_id, window_id
"""
    return Statement(text, parameters.values, tuple(parameters.tables.values()))
