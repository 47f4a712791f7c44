"""The rows behind a figure, each with what it contributes: recomputing from them gives the number."""

from __future__ import annotations

import enum
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insights.catalogue.declarations import Duration, Metric, RowsBy
from insights.catalogue.registry import get
from insights.columns.rows import types_of
from insights.engine import cells, measures
from insights.engine.connected import NOTHING, ConnectedSince, why_no_data
from insights.engine.fact_query import Reading, StockReading
from insights.engine.fact_rows import RowOrder, page_of_facts, row_shape
from insights.engine.plan import Clock, Plan, plan
from insights.engine.scan import people_in_stock, select
from insights.engine.statement import segment_names
from insights.query import windows
from insights.query.measures import Distribution, Facts, Gini, Measure, People, PeopleOnLine, Total
from insights.query.query import Dimension, MetricQuery
from insights.query.terms import BelongsTo

LARGEST_PAGE = 1000


class ColumnKind(enum.StrEnum):
    FACT = "fact"  # the fact's id
    PERSON = "person"
    DAY = "day"
    INSTANT = "instant"
    WORD = "word"
    PLACE = "place"  # a word by which what was committed can be looked up
    NUMBER = "number"
    DURATION = "duration"  # seconds
    LINK = "link"  # to the tool that it comes from


@dataclass(frozen=True)
class RowColumn:
    """A column of the rows: its key in each row, its heading and what it means."""

    name: str
    label: str
    meaning: str
    kind: ColumnKind


@dataclass(frozen=True)
class RowsPage:
    """One page of rows; `total` counts the rows of all pages, `recipe` says how they give the value.

    `person_id` in a row is null where the fact could not be matched to anybody, and AUTONOMOUS_AGENTS where an agent
    did it for nobody who is known.
    """

    query: MetricQuery
    columns: Sequence[RowColumn]
    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    size: int
    recipe: str
    note: str = ""  # why others' rows are not among them


AUTONOMOUS_AGENTS = -1  # in a row, instead of a person's id
FACT_LABELS = {  # by the column that identifies a fact in its relation
    "session_id": "Session",
    "commit_id": "Commit",
    "pull_request_id": "Pull request",
    "review_id": "Review",
    "item_id": "Work item",
    "run_id": "Pipeline run",
    "deployment_id": "Deployment",
    "incident_id": "Incident",
    "branch_id": "Branch",
}
PERSON = RowColumn("person_id", "Developer", "Whose it is.", ColumnKind.PERSON)
DAY = RowColumn("day", "Day", "The local day on which it counts.", ColumnKind.DAY)
DESCRIPTIONS = {
    "reference": RowColumn("reference", "Reference", "What its own tool calls it.", ColumnKind.WORD),
    "title": RowColumn("title", "Title", "Its title in its own tool.", ColumnKind.WORD),
    "url": RowColumn("url", "Address", "Where it is in its own tool.", ColumnKind.LINK),
    "started_at": RowColumn("started_at", "Started", "The session's first event.", ColumnKind.INSTANT),
    "ended_at": RowColumn("ended_at", "Ended", "The session's last event so far.", ColumnKind.INSTANT),
    "sha": RowColumn("sha", "SHA", "The commit's object id.", ColumnKind.PLACE),
    "subject": RowColumn("subject", "Subject", "The first line of its message.", ColumnKind.PLACE),
    "path": RowColumn("path", "File", "The file's path in the repository.", ColumnKind.PLACE),
    "lines_added": RowColumn("lines_added", "Added", "Lines that the commit adds to the file.", ColumnKind.NUMBER),
}
FACTS = RowColumn("facts", "Sessions", "Sessions that entered.", ColumnKind.NUMBER)


def read_rows(query: MetricQuery, *, page: int = 1, size: int = 100, order: RowOrder = RowOrder.NEWEST) -> RowsPage:
    """Page `page` (from 1) of the rows behind the query's whole window; facts in this order, people the greatest first.

    Raises QueryError where the query cannot be answered.
    """
    size = min(size, LARGEST_PAGE)
    # A pull request of two lines, and a developer on two, count once among the rows of all lines.
    unsplit = replace(query, segments=()) if get(query.key).over_buckets else query
    each = plan(unsplit, Clock.read())
    read = {
        RowsBy.FACT: _fact_rows,
        RowsBy.PERSON: _person_rows,
        RowsBy.PERSON_AND_SEGMENT: _share_rows,
        RowsBy.STANDING_FACT: _standing_rows,
    }[each.metric.rows_by]
    columns, rows, total = read(each, page, size, order)
    return RowsPage(query, columns, rows, total, page, size, each.metric.recipe)


def read_person_totals(query: MetricQuery) -> RowsPage:
    """Everybody's total of what stands behind the query's whole window, a row a person; of durations, their mean.

    Raises QueryError where the query cannot be answered, or nothing is added up by person.
    """
    each = plan(query, Clock.read())
    columns, rows, total = _person_rows(each, 1, sys.maxsize, RowOrder.GREATEST)
    recipe = f"about {each.metric.recipe}"
    if isinstance(each.metric, Duration):
        rows = [{**row, "contribution": row["contribution"] / row[FACTS.name]} for row in rows]
        recipe = "another one: these are means by developer"
    return RowsPage(query, columns, rows, total, 1, total, recipe)


def contribution_columns(metric: Metric) -> Sequence[RowColumn]:
    contribution = RowColumn("contribution", "Contribution", f"What it adds, in {metric.unit}.", ColumnKind.NUMBER)
    if metric.rows_by is not RowsBy.STANDING_FACT and len(metric.measures) == 1:
        return (contribution,)
    return (
        RowColumn("contribution", "Contribution", "What it adds above the line.", ColumnKind.NUMBER),
        RowColumn("denominator", "Denominator", "What it adds below the line.", ColumnKind.NUMBER),
    )


Rows = tuple[Sequence[RowColumn], Sequence[Mapping[str, Any]], int]


def _fact_rows(each: Plan, page: int, size: int, order: RowOrder) -> Rows:
    readings = [_told(each, measure) for measure in each.metric.measures]
    shape = row_shape([measure for _, measure in readings], (*each.segments, *each.query.facets), each.segments)
    found, total = page_of_facts(readings, shape, order, page=page, size=size)
    columns = (
        _fact_column(each.metric),
        *((PERSON,) if each.metric.belongs_to is BelongsTo.PERSON else ()),
        DAY,
        *(DESCRIPTIONS[name] for name in shape.describing),
        *map(_dimension_column, shape.dimensions),
    )
    contributions = contribution_columns(each.metric)
    rows = [
        {column.name: row[column.name] for column in columns}
        | ({PERSON.name: _whose(row)} if PERSON in columns else {})
        | {column.name: float(row[f"c_{position}"]) for position, column in enumerate(contributions)}
        for row in found
    ]
    return (*columns, *contributions), rows, total


def _told(each: Plan, measure: Measure) -> tuple[Reading, Measure]:
    """The measure whose rows are shown, and how they are read."""
    found = each.needs[measure].measure
    told = found.told_by or found
    return replace(_reading(each, measure), relation=told.relation), told


def facts_told(metric: Metric) -> frozenset[str]:
    """The columns that identify the facts of its rows, as FACT_LABELS names them."""
    return frozenset(measure.relation.fact for measure in metric.measures)


def _facts_column(metric: Metric) -> RowColumn:
    return FACTS if "session_id" in facts_told(metric) else replace(FACTS, label="Facts", meaning="Facts that entered.")


def _fact_column(metric: Metric) -> RowColumn:
    """Sessions and commits are numbered apart."""
    told = facts_told(metric)
    label = " or ".join(label for name, label in FACT_LABELS.items() if name in told).capitalize() or "Fact"
    return RowColumn("fact_id", label, f"Headway's number of the {label.lower()}.", ColumnKind.FACT)


def _standing_rows(each: Plan, page: int, size: int, _order: RowOrder) -> Rows:
    """One row per fact, whosever it is; those that do not stand come first."""
    [measure] = each.metric.measures
    reading = replace(_reading(each, measure), segments=(Dimension.REPOSITORY,))
    found = select(
        reading,
        [each.needs[measure].measure],
        """
        SELECT segment_0 AS name, coalesce(bool_or(multirange_contains_elem(c_0, last_day)), false) AS stands
        FROM counted
        GROUP BY fact_id, name
        ORDER BY stands, name
        """,
    )
    name = _dimension_column(Dimension.REPOSITORY)
    rows = [
        {name.name: row["name"], "contribution": float(row["stands"]), "denominator": 1.0}
        for row in found[(page - 1) * size : page * size]
    ]
    return (name, *contribution_columns(each.metric)), rows, len(found)


def _person_rows(each: Plan, page: int, size: int, _order: RowOrder) -> Rows:
    """One row per person, enrolled or active; one of autonomous agents, and one of what nobody was matched to."""
    contributions = contribution_columns(each.metric)
    periods = windows.periods(each.query.window, each.query.granularity, today=each.clock.today)
    names = [FACTS.name, *(column.name for column in contributions)]
    by_person: dict[int | None, dict[str, float]] = defaultdict(lambda: dict.fromkeys(names, 0.0))
    for column, measure in zip(contributions, each.metric.measures, strict=False):
        weight = periods if each.metric.per_period and column.name == "denominator" else 1.0
        for person_id, amount, facts in _amounts(each, measure):
            row = by_person[person_id]
            row[column.name] += amount * weight
            row[FACTS.name] = max(int(row[FACTS.name]), facts)
    kept = [(person_id, row) for person_id, row in by_person.items() if any(row[c.name] for c in contributions)]
    if each.metric.over_buckets and not any(row["contribution"] for _, row in kept) and not _is_told(each):
        kept = []
    kept.sort(key=lambda item: (-item[1]["contribution"], item[0] is None, item[0]))
    rows = [{"person_id": person_id, **row} for person_id, row in kept[(page - 1) * size : page * size]]
    return (PERSON, _facts_column(each.metric), *contributions), rows, len(kept)


def _is_told(each: Plan) -> bool:
    """Whether nothing is 0, because a source tells of the window; else whoever was there is no part of any figure."""
    since = ConnectedSince([each.metric]).of(each.metric, each.placement, each.unit_id)
    return why_no_data(each.query.window, since, each.clock.today) is NOTHING


def _amounts(each: Plan, measure: Measure) -> list[tuple[int | None, float, int]]:
    """What each person adds to the measure, and from how many facts."""
    need = each.needs[measure]
    if isinstance(need.reading, StockReading):
        whole = replace(need.reading, spans=(each.clock.stock_span(each.query.window),))
        return [(person_id, 1.0, 0) for person_id in people_in_stock(whole)]
    reading, measure = _reading(each, measure), need.measure
    if isinstance(measure, PeopleOnLine):
        return _buckets_on_line(each, reading, measure)
    found: dict[int | None, tuple[float, int]] = {}
    for row in _people(reading, measure):
        amount, facts = found.get(_whose(row), (0.0, 0))
        found[_whose(row)] = (amount + _amount(measure, row), facts + row["facts"])
    if isinstance(measure, People):
        return [(person_id, min(amount, 1.0), facts) for person_id, (amount, facts) in found.items()]
    return [(person_id, amount, facts) for person_id, (amount, facts) in found.items()]


def _people(reading: Reading, measure: Measure) -> Sequence[Mapping[str, Any]]:
    """One row per person and segment: the facts, and what they add to the measure (null: nothing is added up).

    person_id is null where nobody is matched, and negative where what is owned stands for a person.
    """
    keys = ", ".join(("person_id", *segment_names(reading)))
    amounts = measures.amounts(measure, 0, cells.type_of(measure, types_of(reading.relation)))
    added = next((amount for name, amount in amounts if name == "v_0"), "NULL::BIGINT")
    return select(
        reading,
        [measure],
        f"""
        SELECT * REPLACE (nullif(person_id, 0) AS person_id)
        FROM (
            SELECT {keys}, count(*) AS facts, sum(amount) AS amount
            FROM (SELECT {keys}, fact_id, {added} AS amount FROM counted GROUP BY {keys}, fact_id)
            GROUP BY {keys}
        )
        """,  # names of the catalogue
    )


def _buckets_on_line(each: Plan, reading: Reading, measure: PeopleOnLine) -> list[tuple[int | None, float, int]]:
    """In how many buckets each person was on the line."""
    keys = ", ".join(("person_id", *segment_names(reading)))
    rows = select(
        replace(reading, partitions=(each.bucket_edges,)),
        [measure],
        f"""
        SELECT {keys}, count(*) AS buckets
        FROM (SELECT {keys}, window_id, bit_or(c_0) AS signs FROM counted GROUP BY {keys}, window_id)
        WHERE person_id <> 0 AND {measures.IS_ON_LINE}
        GROUP BY {keys}
        """,  # names of the catalogue
    )
    return [(row["person_id"], float(row["buckets"]), 0) for row in rows]


def _whose(row: Mapping[str, Any]) -> int | None:
    """Whose a row of a statement is, as a row of a page says it."""
    person_id: int | None = row["person_id"]
    return AUTONOMOUS_AGENTS if person_id is not None and person_id < 0 else person_id


def _reading(each: Plan, measure: Measure) -> Reading:
    """How the measure is read in the whole window."""
    return each.needs[measure].of_facts.of_whole()


def _amount(measure: Measure, row: Mapping[str, Any]) -> float:
    if isinstance(measure, People):
        return 1.0 if _is_person(row) else 0.0
    if isinstance(measure, (Facts, Gini)):
        return float(row["facts"])
    if isinstance(measure, (Total, Distribution)):
        return float(row["amount"] or 0)
    raise TypeError(f"{type(measure).__name__} has no amount per person.")


def _is_person(row: Mapping[str, Any]) -> bool:
    return row["person_id"] is not None and row["person_id"] > 0


def _share_rows(each: Plan, page: int, size: int, _order: RowOrder) -> Rows:
    """One row per person and segment: the share of the person's facts."""
    [measure] = each.metric.measures
    reading = _reading(each, measure)
    found = [row for row in _people(reading, measure) if _is_person(row)]
    facts: dict[int, int] = defaultdict(int)
    for row in found:
        facts[row["person_id"]] += row["facts"]
    rows = [
        {
            "person_id": row["person_id"],
            **{dimension.value: row[f"segment_{i}"] for i, dimension in enumerate(each.segments)},
            "facts": row["facts"],
            "contribution": row["facts"] / facts[row["person_id"]],
        }
        for row in sorted(found, key=lambda row: (row["person_id"], row["segment_0"]))
    ]
    columns = (
        PERSON,
        *map(_dimension_column, each.segments),
        _facts_column(each.metric),
        *contribution_columns(each.metric),
    )
    return columns, rows[(page - 1) * size : page * size], len(rows)


def _dimension_column(dimension: Dimension) -> RowColumn:
    name = dimension.value.replace("_", " ")
    kind = ColumnKind.PLACE if dimension is Dimension.REPOSITORY else ColumnKind.WORD
    return RowColumn(dimension.value, name.capitalize(), f"Its {name}; unknown where it does not say.", kind)
