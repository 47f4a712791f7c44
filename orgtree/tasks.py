"""Background work on people and identities."""

from __future__ import annotations

from celery import shared_task

from orgtree.services import identity_matching


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def match_identities() -> None:
    """Look for somebody known behind new names, once no more of them come in at this moment."""
    if identity_matching.is_time_to_match():
        identity_matching.match_identities()
