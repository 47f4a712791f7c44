"""Background tasks on people, identities and trees."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction

from orgtree.identities import match_identities as matching
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import sync_trees


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def match_identities() -> None:
    """Match new identities with known people once no new ones arrive."""
    if matching.is_time_to_match():
        matching.match_identities()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def update_trees() -> None:
    """Apply changes planned for this day, such as leaders and names of units, after midnight.

    Rebuilds all placements, in case a row is out of sync.
    """
    with transaction.atomic():
        sync_trees()
        rebuild_placements()
