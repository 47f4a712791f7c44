"""The rows behind a value, each with its contribution, so that the value can be recomputed from them."""

from __future__ import annotations

import enum
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from insights.catalogue.declarations import Duration, Metric, RowsBy
from insights.catalogue.registry import get
from insights.columns.rows import types_of
from insights.engine import aggregation, measures
from insights.engine.connected import NOTHING, ConnectedSince, why_no_data
from insights.engine.fact_query import FactQuery, StockQuery
from insights.engine.fact_rows import NEWEST, RowOrder, columns_by_id, page_of_facts, row_shape
from insights.engine.plan import Clock, Plan, plan_query
from insights.engine.scan import people_in_stock, select
from insights.engine.statement import segment_names
from insights.query import windows
from insights.query.enums import BelongsTo
from insights.query.errors import QueryError
from insights.query.measures import Distribution, Facts, Gini, Measure, People, PeopleOnLine, Total
from insights.query.query import Dimension, Query
from orgtree.access.who_sees import names_of
from orgtree.models import Person

LARGEST_PAGE = 1000


class ColumnKind(enum.StrEnum):
    FACT = "fact"  # the fact's id
    PERSON = "person"
    DAY = "day"
    INSTANT = "instant"
    WORD = "word"
    PLACE = "place"  # a text that can identify the committed work
    NUMBER = "number"
    DURATION = "duration"  # seconds
    LINK = "link"  # to the source tool


@dataclass(frozen=True)
class RowColumn:
    """A column of the rows: its key in each row, its heading and its description."""

    name: str
    label: str
    meaning: str
    kind: ColumnKind


@dataclass(frozen=True)
class RowsPage:
    """One page of rows; `total` counts the rows of all pages, `recipe` says how the value is computed from them.

    `person_id` in a row is None for unmatched facts, and AUTONOMOUS_AGENTS for work that an agent did for no known
    person.
    """

    query: Query
    columns: Sequence[RowColumn]
    rows: Sequence[Mapping[str, Any]]
    total: int
    page: int
    size: int
    recipe: str
    note: str = ""  # why other people's rows are missing


AUTONOMOUS_AGENTS = -1  # in a row, instead of a person's id
FACT_LABELS = {  # by the column that identifies a fact in its relation
    "session_id": "Session",
    "commit_id": "Commit",
    "pull_request_id": "Pull request",
    "change_id": "Change",
    "review_id": "Review",
    "item_id": "Work item",
    "run_id": "Pipeline run",
    "deployment_id": "Deployment",
    "incident_id": "Incident",
    "branch_id": "Branch",
    "value_id": "Value",
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
ENTERED_ON = "entered_on"
ENTRY_COLUMNS = (
    RowColumn("day", "Day", "The local day from which the value holds.", ColumnKind.DAY),
    RowColumn("entered_by", "Entered by", "The account; empty for a program.", ColumnKind.WORD),
    RowColumn("entered_via", "Entered via", "The page, a file, or the token of a program.", ColumnKind.WORD),
    RowColumn("note", "Note", "What its author says about it.", ColumnKind.WORD),
)
FACTS = RowColumn("facts", "Sessions", "Sessions that entered.", ColumnKind.NUMBER)


def read_rows(query: Query, *, page: int = 1, size: int = 100, order: RowOrder | None = None) -> RowsPage:
    """Page `page` (from 1) of the rows behind the query's whole window, by default the newest facts, or the people with
    the greatest contribution, first.

    Raises QueryError if the query cannot be answered, or has no such column.
    """
    size = min(size, LARGEST_PAGE)
    # A pull request or a developer on two lines has one row.
    unsplit = replace(query, segments=()) if get(query.key).over_buckets else query
    plan = plan_query(unsplit, Clock.read())
    read = {
        RowsBy.FACT: _fact_rows,
        RowsBy.PERSON: _person_rows,
        RowsBy.PERSON_AND_SEGMENT: _share_rows,
        RowsBy.STOCK_FACT: _stock_rows,
        RowsBy.ENTRY: _entry_rows,
    }[plan.metric.rows_by]
    columns, rows, total = read(plan, page, size, order)
    if ConnectedSince().lacks_a_source(plan.metric, query.window, plan.scope, plan.unit_id):
        rows, total = (), 0
    return RowsPage(query, columns, rows, total, page, size, plan.metric.recipe)


def read_person_totals(query: Query) -> RowsPage:
    """One row per person with the total over the query's whole window; for durations, the mean.

    Raises QueryError if the query cannot be answered, TypeError if the metric has no amount per person.
    """
    plan = plan_query(query, Clock.read())
    columns, rows, total = _person_rows(plan, 1, sys.maxsize, None)
    recipe = f"about {plan.metric.recipe}"
    if isinstance(plan.metric, Duration):
        rows = [{**row, "contribution": row["contribution"] / row[FACTS.name]} for row in rows]
        recipe = "another one: these are means by developer"
    return RowsPage(query, columns, rows, total, 1, total, recipe)


def contribution_columns(metric: Metric) -> Sequence[RowColumn]:
    contribution = RowColumn("contribution", "Contribution", f"What it adds, in {metric.unit}.", ColumnKind.NUMBER)
    if metric.rows_by is not RowsBy.STOCK_FACT and len(metric.measures) == 1:
        return (contribution,)
    return (
        RowColumn("contribution", "Contribution", "What it adds above the line.", ColumnKind.NUMBER),
        RowColumn("denominator", "Denominator", "The row's contribution to the denominator.", ColumnKind.NUMBER),
    )


Rows = tuple[Sequence[RowColumn], Sequence[Mapping[str, Any]], int]


def check_order(order: RowOrder | None, columns: Sequence[RowColumn]) -> None:
    """Refuse an order by a column that the rows lack.  Raises QueryError."""
    names = [column.name for column in columns]
    if order is not None and order.column not in names:
        raise QueryError("sort", f"There is no column “{order.column[:40]}” in these rows. Use {', '.join(names)}.")


def in_order(
    rows: Sequence[Mapping[str, Any]], order: RowOrder | None, columns: Sequence[RowColumn]
) -> Sequence[Mapping[str, Any]]:
    """Sorts the rows of a list that is computed as a whole.  The sort is stable, with missing values last.  Raises
    QueryError.
    """
    check_order(order, columns)
    if order is None:
        return rows
    values = {id(row): row[order.column] for row in rows}
    if order.column == PERSON.name:
        people = Person.objects.filter(pk__in=[number for number in values.values() if number])
        names = {person.pk: person.full_name.casefold() for person in people}
        values = {key: names.get(number) for key, number in values.items()}
    known = [row for row in rows if values[id(row)] not in (None, "")]
    unknown = [row for row in rows if values[id(row)] in (None, "")]
    return [*sorted(known, key=lambda row: values[id(row)], reverse=order.descending), *unknown]


def _fact_rows(plan: Plan, page: int, size: int, order: RowOrder | None) -> Rows:
    parts = [_shown(plan, measure) for measure in plan.metric.measures]
    shape = row_shape([measure for _, measure in parts], (*plan.segments, *plan.query.facets), plan.segments)
    columns = (
        _fact_column(plan.metric),
        *((PERSON,) if plan.metric.belongs_to is BelongsTo.PERSON else ()),
        DAY,
        *(DESCRIPTIONS[name] for name in shape.describing),
        *map(_dimension_column, shape.dimensions),
    )
    contributions = contribution_columns(plan.metric)
    check_order(order, (*columns, *contributions))
    facts, total = page_of_facts(parts, shape, order or NEWEST, page=page, size=size)
    rows = [
        {column.name: row[column.name] for column in columns}
        | ({PERSON.name: _person_id_of(row)} if PERSON in columns else {})
        | {column.name: float(row[f"c_{position}"]) for position, column in enumerate(contributions)}
        for row in facts
    ]
    return (*columns, *contributions), rows, total


def _shown(plan: Plan, measure: Measure) -> tuple[FactQuery, Measure]:
    """The measure whose rows are shown, with its fact query."""
    shown = plan.measure_queries[measure].measure.shown
    return replace(_fact_query(plan, measure), relation=shown.relation), shown


def fact_columns(metric: Metric) -> frozenset[str]:
    """The columns that identify the facts of a metric's rows: keys of FACT_LABELS."""
    return frozenset(measure.relation.fact for measure in metric.measures)


def _facts_column(metric: Metric) -> RowColumn:
    return (
        FACTS
        if "session_id" in fact_columns(metric)
        else replace(FACTS, label="Sample", meaning="Records behind the value.")
    )


def _fact_column(metric: Metric) -> RowColumn:
    """The column of fact ids; sessions and commits have separate ids."""
    columns = fact_columns(metric)
    label = " or ".join(label for name, label in FACT_LABELS.items() if name in columns).capitalize() or "Fact"
    return RowColumn("fact_id", label, f"Headway's number of the {label.lower()}.", ColumnKind.FACT)


def _stock_rows(plan: Plan, page: int, size: int, order: RowOrder | None) -> Rows:
    """One row per fact, regardless of how many people it belongs to; facts that are not in stock come first."""
    [measure] = plan.metric.measures
    fact_query = replace(_fact_query(plan, measure), segments=(Dimension.REPOSITORY,))
    facts = select(
        fact_query,
        [plan.measure_queries[measure].measure],
        """
        SELECT segment_0 AS name, coalesce(bool_or(multirange_contains_elem(c_0, last_day)), false) AS in_stock
        FROM counted
        GROUP BY fact_id, name
        ORDER BY in_stock, name
        """,
    )
    name = _dimension_column(Dimension.REPOSITORY)
    columns = (name, *contribution_columns(plan.metric))
    rows = [{name.name: row["name"], "contribution": float(row["in_stock"]), "denominator": 1.0} for row in facts]
    return columns, in_order(rows, order, columns)[(page - 1) * size : page * size], len(facts)


def _entry_rows(plan: Plan, page: int, size: int, order: RowOrder | None) -> Rows:
    """One row per entered value that applies on any day of the window, the latest first."""
    [measure] = plan.metric.measures
    fact_query, window = _fact_query(plan, measure), plan.query.window
    days = tuple(window.start + timedelta(days=n) for n in range(window.days + 1))
    entries = select(
        replace(fact_query, window_edges=(days,)),
        [measure],
        f"""
        SELECT fact_id, any_value(entered_on) AS day, any_value(c_0) AS contribution
        FROM counted
        WHERE {measures.entered(measure, 0)}
        GROUP BY fact_id
        ORDER BY day DESC
        """,
        columns=(ENTERED_ON,),
    )
    ids = [row["fact_id"] for row in entries]
    described = columns_by_id(fact_query.relation, fact_query.relation.fact, ("entered_by", "entered_via", "note"), ids)
    accounts = User.objects.filter(pk__in={row["entered_by"] for row in described.values()} - {None})
    names = names_of(list(accounts))
    rows = [
        {
            "fact_id": row["fact_id"],
            "day": row["day"],
            "entered_by": names.get(described[row["fact_id"]]["entered_by"], ""),
            "entered_via": described[row["fact_id"]]["entered_via"],
            "note": described[row["fact_id"]]["note"],
            "contribution": float(row["contribution"]),
        }
        for row in entries
        if row["fact_id"] in described
    ]
    columns = (_fact_column(plan.metric), *ENTRY_COLUMNS, *contribution_columns(plan.metric))
    return columns, in_order(rows, order, columns)[(page - 1) * size : page * size], len(rows)


def _person_rows(plan: Plan, page: int, size: int, order: RowOrder | None) -> Rows:
    """One row for each person who was enrolled or active, one for autonomous agents, and one for unmatched facts."""
    contributions = contribution_columns(plan.metric)
    periods = windows.periods(plan.query.window, plan.query.granularity, today=plan.clock.today)
    names = [FACTS.name, *(column.name for column in contributions)]
    by_person: dict[int | None, dict[str, float]] = defaultdict(lambda: dict.fromkeys(names, 0.0))
    for column, measure in zip(contributions, plan.metric.measures, strict=False):
        weight = periods if plan.metric.per_period and column.name == "denominator" else 1.0
        for person_id, amount, facts in _amounts(plan, measure):
            row = by_person[person_id]
            row[column.name] += amount * weight
            row[FACTS.name] = max(int(row[FACTS.name]), facts)
    entered = [(person_id, row) for person_id, row in by_person.items() if any(row[c.name] for c in contributions)]
    if plan.metric.over_buckets and not any(row["contribution"] for _, row in entered) and not _has_source(plan):
        entered = []
    entered.sort(key=lambda item: (-item[1]["contribution"], item[0] is None, item[0]))
    columns = (PERSON, _facts_column(plan.metric), *contributions)
    rows = in_order([{"person_id": person_id, **row} for person_id, row in entered], order, columns)
    return columns, rows[(page - 1) * size : page * size], len(entered)


def _has_source(plan: Plan) -> bool:
    """Whether a source was connected in the window, so that no facts means 0; if none was, people who were present do
    not count.
    """
    since = ConnectedSince([plan.metric]).of(plan.metric, plan.scope, plan.unit_id)
    return why_no_data(plan.query.window, since, plan.clock.today) is NOTHING


def _amounts(plan: Plan, measure: Measure) -> list[tuple[int | None, float, int]]:
    """Each person's contribution to the measure, and its number of facts."""
    measure_query = plan.measure_queries[measure]
    if isinstance(measure_query.query, StockQuery):
        whole = replace(measure_query.query, windows=(plan.clock.stock_window(plan.query.window),))
        return [(person_id, 1.0, 0) for person_id in people_in_stock(whole)]
    fact_query, measure = _fact_query(plan, measure), measure_query.measure
    if isinstance(measure, PeopleOnLine):
        return _buckets_on_line(plan, fact_query, measure)
    by_person: dict[int | None, tuple[float, int]] = {}
    for row in _people(fact_query, measure):
        amount, facts = by_person.get(_person_id_of(row), (0.0, 0))
        by_person[_person_id_of(row)] = (amount + _amount(measure, row), facts + row["facts"])
    if isinstance(measure, People):
        return [(person_id, min(amount, 1.0), facts) for person_id, (amount, facts) in by_person.items()]
    return [(person_id, amount, facts) for person_id, (amount, facts) in by_person.items()]


def _people(fact_query: FactQuery, measure: Measure) -> Sequence[Mapping[str, Any]]:
    """One row per person and segment: the facts, and their sum (null for measures without one).

    person_id is null for unmatched facts, and negative for a repository in place of a person.
    """
    keys = ", ".join(("person_id", *segment_names(fact_query)))
    amounts = measures.amounts(measure, 0, aggregation.type_of(measure, types_of(fact_query.relation)))
    added = next((amount for name, amount in amounts if name == "v_0"), "NULL::BIGINT")
    return select(
        fact_query,
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


def _buckets_on_line(plan: Plan, fact_query: FactQuery, measure: PeopleOnLine) -> list[tuple[int | None, float, int]]:
    """The number of buckets in which each person was on the line."""
    keys = ", ".join(("person_id", *segment_names(fact_query)))
    rows = select(
        replace(fact_query, window_edges=(plan.bucket_edges,)),
        [measure],
        f"""
        SELECT {keys}, count(*) AS buckets
        FROM (SELECT {keys}, window_id, bit_or(c_0) AS signs FROM counted GROUP BY {keys}, window_id)
        WHERE person_id <> 0 AND {measures.IS_ON_LINE}
        GROUP BY {keys}
        """,  # names of the catalogue
    )
    return [(row["person_id"], float(row["buckets"]), 0) for row in rows]


def _person_id_of(row: Mapping[str, Any]) -> int | None:
    """The person id of a statement's row, as shown in a page's row."""
    person_id: int | None = row["person_id"]
    return AUTONOMOUS_AGENTS if person_id is not None and person_id < 0 else person_id


def _fact_query(plan: Plan, measure: Measure) -> FactQuery:
    """The measure's fact query over the whole window."""
    return plan.measure_queries[measure].fact_query.over_whole_window()


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


def _share_rows(plan: Plan, page: int, size: int, order: RowOrder | None) -> Rows:
    """One row per person and segment, with the share of the person's facts."""
    [measure] = plan.metric.measures
    fact_query = _fact_query(plan, measure)
    shares = [row for row in _people(fact_query, measure) if _is_person(row)]
    facts: dict[int, int] = defaultdict(int)
    for row in shares:
        facts[row["person_id"]] += row["facts"]
    rows = [
        {
            "person_id": row["person_id"],
            **{dimension.value: row[f"segment_{i}"] for i, dimension in enumerate(plan.segments)},
            "facts": row["facts"],
            "contribution": row["facts"] / facts[row["person_id"]],
        }
        for row in sorted(shares, key=lambda row: (row["person_id"], row["segment_0"]))
    ]
    segments = map(_dimension_column, plan.segments)
    columns = (PERSON, *segments, _facts_column(plan.metric), *contribution_columns(plan.metric))
    return columns, in_order(rows, order, columns)[(page - 1) * size : page * size], len(rows)


def _dimension_column(dimension: Dimension) -> RowColumn:
    name = dimension.value.replace("_", " ")
    kind = ColumnKind.PLACE if dimension is Dimension.REPOSITORY else ColumnKind.WORD
    return RowColumn(dimension.value, name.capitalize(), f"Its {name}; unknown where it does not say.", kind)
