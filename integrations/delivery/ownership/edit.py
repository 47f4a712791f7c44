"""Corrects the stored days of one owned thing row by row, as in Django admin; logged and recomputed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction

from integrations.delivery.ownership.give import lock_trees
from integrations.models import Owned, Ownership, OwnershipChange
from orgtree.models import OrgTree

_Row = tuple[str, str, date | None, date | None]  # tree, unit, first day, first day no longer


@contextmanager
def editing_rows(owned: Owned, *, by: User) -> Iterator[None]:
    """Wraps changes, additions and deletions of the thing's ownerships; the log names removed ownerships first, then
    new ones.
    """
    with transaction.atomic():
        lock_trees(OrgTree.objects.filter(archived_at=None).values_list("pk", flat=True))
        before = _rows(owned)
        yield
        after = _rows(owned)
        gone = [(tree, "", start, end) for tree, _, start, end in sorted(before - after, key=_order)]
        OwnershipChange.objects.bulk_create(
            OwnershipChange(
                by=by,
                owned_id=owned.pk,
                kind=owned.kind,
                name=str(owned),
                tree=tree,
                unit=unit,
                day_from=start,
                day_to=end,
            )
            for tree, unit, start, end in [*gone, *sorted(after - before, key=_order)]
        )


def _rows(owned: Owned) -> set[_Row]:
    rows = Ownership.objects.filter(owned=owned)
    return set(rows.values_list("tree__name", "unit__name", "during__startswith", "during__endswith"))


def _order(row: _Row) -> tuple[str, date]:
    return row[0], row[2] or date.min
