"""What of the rows a viewer may see.  docs/access.md: one's own in full, others' as the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from insights.metrics.query import MetricQuery
from insights.metrics.registry import get
from insights.metrics.rows import AUTONOMOUS_AGENTS, PERSON, ColumnKind, RowsPage
from insights.metrics.withhold import is_of_delivery
from orgtree.models import IndividualPolicy, Person
from orgtree.services.access import Access

# Of others these would tell more than a pseudonym does: an id or a commit can be looked up, a time recognised.
TELLING = (ColumnKind.FACT, ColumnKind.INSTANT, ColumnKind.PLACE)
UNMATCHED = "Unmatched"
NOBODY: Mapping[int | None, str] = {None: UNMATCHED, AUTONOMOUS_AGENTS: "Autonomous agents"}  # instead of a label


def open_as_in_tools(query: MetricQuery) -> bool:
    """Whether the rows tell no more than the tools that they come from show to everybody."""
    return is_of_delivery(get(query.key))


def masked_rows(page: RowsPage, access: Access) -> RowsPage:
    """The page with `person` (a label) for `person_id`; what the policy withholds of others is null.

    Rows that tell no more than the tools that they come from show names, as these tools do.
    """
    if PERSON not in page.columns:
        return page
    people = Person.objects.filter(pk__in={row["person_id"] for row in page.rows} - NOBODY.keys())
    is_open = open_as_in_tools(page.query)
    named = is_open or access.policy == IndividualPolicy.NAMED
    labels = {person.pk: person.full_name for person in people} if is_open else access.labels(people)
    withheld = {column.name for column in page.columns if column.kind in TELLING}

    def shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
        person_id = row["person_id"]
        label = {"person": NOBODY[person_id] if person_id in NOBODY else labels[person_id]}
        rest = {name: value for name, value in row.items() if name != "person_id"}
        if not named and (person_id is None or person_id != access.sight.person_id):
            rest |= dict.fromkeys(withheld)
        return label | rest

    columns = [replace(c, name="person") if c.kind is ColumnKind.PERSON else c for c in page.columns]
    return replace(page, columns=columns, rows=[shown(row) for row in page.rows])
