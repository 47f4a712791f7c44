"""What a viewer may know of the people behind a page of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orgtree.models import IndividualPolicy, Person
from orgtree.services.trust import Viewer, effective_policy, person_labels, person_of

UNMATCHED = "Nobody matched"


@dataclass(frozen=True)
class Individuals:
    labels: Mapping[int, str]  # of the people in the rows, by id
    own_id: int | None
    names_are_open: bool  # by policy, or while the installation is on trial

    @classmethod
    def of(cls, viewer: Viewer, rows: Sequence[Mapping[str, Any]]) -> Individuals:
        """For the people of these rows, in as many queries whatever their number."""
        people = Person.objects.filter(pk__in={row["person_id"] for row in rows if row.get("person_id")})
        own = person_of(viewer)
        return cls(
            labels=person_labels(viewer, people),
            own_id=own.pk if own else None,
            names_are_open=effective_policy() == IndividualPolicy.NAMED,
        )

    def label(self, person_id: int | None) -> str:
        return UNMATCHED if person_id is None else self.labels.get(person_id, UNMATCHED)

    def in_detail(self, row: Mapping[str, Any]) -> bool:
        """Whether the row may carry a session's number and times finer than a day."""
        return self.names_are_open or (self.own_id is not None and row.get("person_id") == self.own_id)
