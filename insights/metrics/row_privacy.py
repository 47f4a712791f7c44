"""What of the rows a viewer may see.  PRODUCT.md §9: one's own in full, others' as the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from insights.metrics.rows import ColumnKind, RowsPage
from orgtree.models import IndividualPolicy, Person
from orgtree.services.trust import Viewer, effective_policy, person_labels, person_of

# Of others these would tell more than a pseudonym does: an id can be looked up, a time recognised.
TELLING = (ColumnKind.FACT, ColumnKind.INSTANT)
UNMATCHED = "Unmatched"


def visible_rows(page: RowsPage, viewer: Viewer) -> RowsPage:
    """The page with `person` (a label) for `person_id`; what the policy withholds of others is null."""
    ids = {row["person_id"] for row in page.rows if row["person_id"] is not None}
    labels = person_labels(viewer, Person.objects.filter(pk__in=ids))
    own = person_of(viewer)
    named = effective_policy() == IndividualPolicy.NAMED
    withheld = {column.name for column in page.columns if column.kind in TELLING}

    def shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
        person_id = row["person_id"]
        label = {"person": UNMATCHED if person_id is None else labels[person_id]}
        rest = {name: value for name, value in row.items() if name != "person_id"}
        if not named and (own is None or person_id != own.pk):
            rest |= dict.fromkeys(withheld)
        return label | rest

    columns = [replace(c, name="person") if c.kind is ColumnKind.PERSON else c for c in page.columns]
    return replace(page, columns=columns, rows=[shown(row) for row in page.rows])
