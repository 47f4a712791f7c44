"""The rows that a viewer may see.  docs/access.md: one's own in full, other people's as the policy allows.

The policy depends on the query.  Delivery rows that do not mention AI are those of the source tools, and show names as
these do.  All others are rows of an AI metric.  Pseudonymous rows are rounded totals per person, and only of facts that
no other tool shows with a name: anyone who sees commits, pull requests or work items elsewhere could re-identify a
pseudonym by its counts, days or durations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from insights.catalogue.registry import get
from insights.engine.contributions import (
    AUTONOMOUS_AGENTS,
    PERSON,
    ColumnKind,
    RowColumn,
    RowsPage,
    check_order,
    contribution_columns,
)
from insights.engine.fact_rows import RowOrder
from insights.privacy.withhold import AI_DIMENSIONS, is_of_delivery, names_ai, rounded
from insights.query.measures import People, PeopleOfWindow
from insights.query.query import Query
from integrations.models import FactFamily
from orgtree.access.access import Access
from orgtree.access.trust import Disclosure, RowKind, disclosure_of
from orgtree.models import IndividualPolicy, Person

LABEL = "person"  # the column that replaces `person_id`
UNMATCHED = "Unmatched"
NOBODY: dict[int | None, str] = {None: UNMATCHED, AUTONOMOUS_AGENTS: "Autonomous agents"}  # for rows without a person
OF_TELEMETRY = frozenset({FactFamily.AI, FactFamily.ENROLMENT, FactFamily.SEATS})  # shown by name in no other tool
OF_VENDORS = frozenset({FactFamily.VENDOR})  # shown by name to the vendor's administrators
SHORTEST_WINDOW_DAYS = 28  # totals of shorter windows would reveal working days

SELF_ONLY_NOTE = "Only your own rows are listed: individual data is visible only to the person."
AGGREGATES_NOTE = "Only your own rows are listed: you may see aggregates here, not the rows of others."
NAMED_ELSEWHERE_NOTE = (
    "Only your own rows are listed: your tools show the same commits, pull requests or work items with names, and "
    "comparing both would reveal who is behind a pseudonym."
)
NARROWED_NOTE = (
    "Only your own rows are listed: with a filter or a split, rows would reveal who is behind a pseudonym. Without "
    "one, everybody's totals are listed."
)
SHORT_WINDOW_NOTE = (
    f"Only your own rows are listed: in fewer than {SHORTEST_WINDOW_DAYS} days rows would reveal when somebody behind "
    "a pseudonym was at work. Choose a longer window."
)
ROUNDED_NOTE = (
    "Others are listed under pseudonyms with rounded totals, so the rows do not add up to the figure exactly."
)


@dataclass(frozen=True)
class RowsShown:
    """`note` says why other people's rows are left out, or how they are shown."""

    shown: Disclosure
    note: str = ""


def rows_shown(query: Query, access: Access, *, covered: bool) -> RowsShown:
    """The form in which the policy shows rows of `query` to this viewer, regardless of how few people contribute.

    `covered`: whether the viewer may see rows of everybody in the scope.
    """
    visibility = access.visibility
    if visibility.person_id is not None and query.scope.person_id == visibility.person_id:
        return RowsShown(Disclosure.WITH_NAMES)
    shown = disclosure_of(_rows_of(query), access.policy, covered=covered)
    if shown is Disclosure.OWN:
        return RowsShown(shown, _why_own_only(access, covered=covered))
    if shown is Disclosure.TOTALS:
        note = _why_no_totals(query)
        return RowsShown(Disclosure.OWN, note) if note else RowsShown(shown, ROUNDED_NOTE)
    return RowsShown(shown)


def _rows_of(query: Query) -> RowKind:
    """The kind of rows: delivery rows of a query that mentions AI count as those of an AI metric."""
    if is_of_delivery(get(query.key)) and not names_ai(query):
        return RowKind.DELIVERY
    return RowKind.AGENTS_IN_DELIVERY if is_named_elsewhere(query.key) else RowKind.TELEMETRY


def _why_own_only(access: Access, *, covered: bool) -> str:
    """The note that explains why only the viewer's own rows are listed."""
    if access.policy == IndividualPolicy.SELF_ONLY:
        return SELF_ONLY_NOTE
    return NAMED_ELSEWHERE_NOTE if covered else AGGREGATES_NOTE


def _why_no_totals(query: Query) -> str:
    """The reason why pseudonymous totals cannot be shown for this query; empty if they can."""
    if query.facets or query.segments or query.scope.where or get(query.key).always_by:
        return NARROWED_NOTE
    return SHORT_WINDOW_NOTE if query.window.days < SHORTEST_WINDOW_DAYS else ""


def is_named_elsewhere(key: str) -> bool:
    """Whether the source tools show any of the metric's facts with names."""
    relations = [measure.relation for measure in get(key).measures]
    families = {relation.family for relation in relations}.union(
        *(relation.also & OF_VENDORS for relation in relations)
    )
    return not families <= OF_TELEMETRY


def labelled_rows(page: RowsPage, shown: Disclosure) -> RowsPage:
    """The page with `person` (a name) instead of `person_id`; AS_IN_TOOLS drops the columns about AI."""
    if PERSON not in page.columns:
        return page
    people = Person.objects.filter(pk__in={row["person_id"] for row in page.rows} - NOBODY.keys())
    names = dict(NOBODY)
    names.update((person.pk, person.full_name) for person in people)
    columns = [
        _labelled(column)
        for column in page.columns
        if shown is not Disclosure.AS_IN_TOOLS or column.name not in AI_DIMENSIONS
    ]
    rows = [
        {column.name: names[row["person_id"]] if column.name == LABEL else row[column.name] for column in columns}
        for row in page.rows
    ]
    return replace(page, columns=columns, rows=rows)


def pseudonymous_rows(
    everybody: RowsPage, access: Access, *, page: int, size: int, order: RowOrder | None = None
) -> RowsPage:
    """Page `page` (from 1) of everybody's totals, one row per person: the viewer's own exact, others' rounded.

    Sorted by what is shown (rounded totals or labels) and then by label, which reveals nothing.  Raises QueryError.
    """
    check_order(order, everybody.columns)
    query, own_id = everybody.query, access.visibility.person_id
    people = Person.objects.filter(pk__in={row["person_id"] for row in everybody.rows} - NOBODY.keys())
    labels = dict(NOBODY)
    labels.update(access.labels(people, question=pseudonyms_of(query)).items())
    metric = get(query.key)
    counted = {
        column.name
        for column, measure in zip(contribution_columns(metric), metric.measures, strict=False)
        if isinstance(measure, (People, PeopleOfWindow))  # 1 or 0 per person
    }

    def shown(row: Mapping[str, Any], column: RowColumn) -> Any:
        if column.kind is ColumnKind.PERSON:
            return labels[row["person_id"]]
        is_exact = column.name in counted or (own_id is not None and row["person_id"] == own_id)
        return row[column.name] if is_exact else rounded(row[column.name])

    columns = [_labelled(column) for column in everybody.columns]
    rows = [{column.name: shown(row, column) for column in columns} for row in everybody.rows]
    rows.sort(key=lambda row: (-row["contribution"], row[LABEL]))
    if order is not None:
        by = LABEL if order.column == PERSON.name else order.column
        rows.sort(key=lambda row: row[by], reverse=order.descending)
    return replace(everybody, columns=columns, rows=rows[(page - 1) * size : page * size], page=page, size=size)


def pseudonyms_of(query: Query) -> str:
    """The key under which pseudonyms are stable: the metric, the unit and the window.

    No pseudonym links one metric or unit to another, and windows cannot be compared to learn when somebody joined, was
    away or left or, with windows a day apart, on which days somebody worked.
    """
    return " ".join((query.key, query.scope.unit_word or "", f"{query.window.start} {query.window.end}"))


def _labelled(column: RowColumn) -> RowColumn:
    return replace(column, name=LABEL) if column.kind is ColumnKind.PERSON else column
