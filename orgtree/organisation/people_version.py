"""Whose activity there is, and who is known besides: a number in the organisation's row that only rises.

Each response reads that row.  What a process keeps of people stands beside the number, and is read anew for another
one: whoever is newly claimed makes no group larger in the meantime.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from orgtree.models import Organisation


def raise_people_version() -> None:
    """For the last statement of a transaction: its lock on the one row is waited for by whoever raises it, too."""
    Organisation.current()  # where nobody has looked yet
    Organisation.objects.filter(pk=1).update(people_version=F("people_version") + 1)


def raise_people_version_on_commit() -> None:
    """For a transaction that may lock more rows after this: raised in one of its own, right after it."""
    transaction.on_commit(raise_people_version, robust=True)
