"""Background work on people, their names and their trees."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction

from orgtree.identities import match_identities as matching
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import follow_people


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def match_identities() -> None:
    """Look for somebody known behind new names, once no more of them come in at this moment."""
    if matching.is_time_to_match():
        matching.match_identities()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def follow_people_in_trees() -> None:
    """After midnight: what was to begin on this day begins, such as who leads a unit and what it is called.

    Placements are compared with what they are made from, should a row ever have gone astray.
    """
    with transaction.atomic():
        follow_people()
        rebuild_placements()
