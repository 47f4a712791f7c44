"""Edits of people's dated rows in admin: trees, placements and figures are updated as after an import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction

from orgtree.models import Identity, IdentityKind, Person, Reporting
from orgtree.organisation.people_version import wait_for_other_writers
from orgtree.organisation.presence import PresenceChange, notify_presence_changed
from orgtree.people_import.employments import changed_presences, snapshot_presences
from orgtree.people_import.managers import Line, circles_on_any_day
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import sync_trees


@contextmanager
def editing_history(person_ids: Collection[int]) -> Iterator[None]:
    """For a block that edits employments, attributes or reporting lines; updates everything derived from them."""
    with transaction.atomic():
        wait_for_other_writers()
        snapshot_presences()
        yield
        sync_trees(person_ids)
        rebuild_placements(person_ids=person_ids)
        notify_presence_changed([PresenceChange(person, since) for person, since, _ in changed_presences()])


def keep_former_address(person: Person, address: str | None) -> None:
    """Keep a former address as the person's identity, so that later activity under it is still theirs."""
    if address and address.lower() != (person.email or "").lower():
        Identity.objects.get_or_create(
            kind=IdentityKind.EMAIL, provider="", value=address.lower(), defaults={"person": person}
        )


def creates_cycle(person: Person, lines: Sequence[Line]) -> bool:
    """Whether replacing the person's reporting lines with these creates a cycle."""
    others = [
        (other, manager, during.lower, during.upper)
        for other, manager, during in Reporting.objects.exclude(person=person).values_list(
            "person_id", "manager_id", "during"
        )
    ]
    return any(True for _ in circles_on_any_day([*others, *lines]))
