"""A counter in the organisation's row that rises whenever people or the owners of activity change.

Every response reads that row, and caches about people are keyed by the counter, so that group sizes are never stale.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from orgtree.models import Organisation


def raise_people_version() -> None:
    """Call it last in a transaction: it locks the single row, and others wait for it."""
    Organisation.current()  # create the row if missing
    Organisation.objects.filter(pk=1).update(people_version=F("people_version") + 1)


def raise_people_version_on_commit() -> None:
    """For transactions that lock more rows afterwards: raises it in a transaction of its own on commit."""
    transaction.on_commit(raise_people_version, robust=True)
