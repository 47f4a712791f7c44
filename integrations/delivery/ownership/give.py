"""Assigns owned things to units, with dates: a new owner ends the former one's ownership the day before, and the past
stays.

A thing has one owner at a time in each Org Tree.  `start` is the first day, and None means from the beginning; `end` is
the day after the last, and None means until further notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from core import sql
from integrations.delivery.ownership.refusals import ArchivedTreeError, NoDaysError, NotStandingError
from integrations.models import Owned
from orgtree.models import OrgTree, Unit, UnitPlacement

_FRESH_TABLES = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS ownership_gift (
        owned_id bigint, tree_id bigint, unit_id bigint, during daterange
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS ownership_wanted (
        owned_id bigint, tree_id bigint, unit_id bigint, during daterange
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE ownership_gift, ownership_wanted",
)
_GIFTS = """
    INSERT INTO ownership_gift
    SELECT owned_id, tree_id, unit_id, daterange(day_from, day_to)
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::date[])
         AS gift (owned_id, tree_id, unit_id, day_from, day_to)
"""
# Existing ownerships outside the gift's days, and the gift; adjacent days of one unit are one row.
_WANT = """
    INSERT INTO ownership_wanted
    SELECT owned_id, tree_id, unit_id, unnest(range_agg(during))
    FROM (
        SELECT stored.owned_id, stored.tree_id, stored.unit_id,
               unnest(datemultirange(stored.during) - datemultirange(gift.during)) AS during
        FROM integrations_ownership stored JOIN ownership_gift gift USING (owned_id, tree_id)
        UNION ALL
        SELECT owned_id, tree_id, unit_id, during FROM ownership_gift WHERE unit_id IS NOT NULL
    ) AS kept_or_given
    GROUP BY owned_id, tree_id, unit_id
"""
_REMOVE = """
    DELETE FROM integrations_ownership stored USING ownership_gift gift
    WHERE (stored.owned_id, stored.tree_id) = (gift.owned_id, gift.tree_id) AND NOT EXISTS (
        SELECT FROM ownership_wanted wanted
        WHERE (wanted.owned_id, wanted.tree_id, wanted.unit_id, wanted.during)
            = (stored.owned_id, stored.tree_id, stored.unit_id, stored.during)
    )
    RETURNING stored.owned_id, stored.tree_id
"""
_ADD = """
    INSERT INTO integrations_ownership (owned_id, tree_id, unit_id, during)
    SELECT owned_id, tree_id, unit_id, during FROM ownership_wanted
    EXCEPT
    SELECT owned_id, tree_id, unit_id, during FROM integrations_ownership
    RETURNING owned_id, tree_id
"""
_LOG = """
    INSERT INTO integrations_ownershipchange (by_id, owned_id, kind, name, tree, unit, day_from, day_to)
    SELECT %(by)s, gift.owned_id, owned.kind, coalesce(repository.name, project.key, owned.name), tree.name,
           coalesce(unit.name, ''), lower(gift.during), upper(gift.during)
    FROM ownership_gift gift
    JOIN unnest(%(owned)s::bigint[], %(trees)s::bigint[]) AS changed (owned_id, tree_id) USING (owned_id, tree_id)
    JOIN integrations_owned owned ON owned.id = gift.owned_id
    LEFT JOIN integrations_repository repository ON repository.id = owned.repository_id
    LEFT JOIN integrations_project project ON project.id = owned.project_id
    JOIN orgtree_orgtree tree ON tree.id = gift.tree_id
    LEFT JOIN orgtree_unit unit ON unit.id = gift.unit_id
    ORDER BY gift.owned_id, gift.tree_id
"""


@dataclass(frozen=True, slots=True)
class Gift:
    """An assignment: the unit owns the thing in the tree from `start` to before `end`; without a unit, nobody
    owns it.
    """

    owned_id: int
    tree_id: int
    unit_id: int | None
    start: date | None = None
    end: date | None = None


def own(
    owned: Owned, unit: Unit, *, start: date | None = None, end: date | None = None, by: User | None = None
) -> bool:
    """Make the unit the owner on these days, in the unit's tree; return whether that changed anything.

    Raises ArchivedTreeError, NoDaysError, NotStandingError.
    """
    if not _stands(unit, start, end):
        raise NotStandingError(unit, start, end)
    return give([Gift(owned.pk, unit.tree_id, unit.pk, start, end)], by=by) > 0


def remove_owner(
    owned: Owned, tree: OrgTree, *, start: date | None = None, end: date | None = None, by: User | None = None
) -> bool:
    """Remove the owner on these days in the tree; return whether that changed anything.

    A service or project then has the owner of its repository.
    """
    return give([Gift(owned.pk, tree.pk, None, start, end)], by=by) > 0


def give(gifts: Sequence[Gift], *, by: User | None) -> int:
    """Make many assignments at once, all or none; return how many changed anything.

    At most one for each thing and tree, to units of that tree.  Raises ArchivedTreeError, NoDaysError.
    """
    if not gifts:
        return 0
    _check(gifts)
    with transaction.atomic():
        lock_trees({gift.tree_id for gift in gifts})
        for statement in _FRESH_TABLES:
            sql.execute(statement)
        sql.execute(_GIFTS, _columns(gifts))
        sql.execute(_WANT)
        changed: set[tuple[int, int]] = set()
        for statement in (_REMOVE, _ADD):
            changed |= set(sql.rows(statement))
        sql.execute(
            _LOG,
            {
                "by": None if by is None else by.pk,
                "owned": [owned_id for owned_id, _ in changed],
                "trees": [tree_id for _, tree_id in changed],
            },
        )
    return len(changed)


def _check(gifts: Iterable[Gift]) -> None:
    given = Counter((gift.owned_id, gift.tree_id) for gift in gifts)
    if twice := [owned_id for (owned_id, _), times in given.items() if times > 1]:
        raise ValueError(f"Given twice at once: {twice}")
    for gift in gifts:
        if gift.start is not None and gift.end is not None and gift.start >= gift.end:
            raise NoDaysError(gift.start, gift.end)


def lock_trees(tree_ids: Collection[int]) -> None:
    """Keep others from moving units or assigning owners in these trees until the transaction ends.

    Raises ArchivedTreeError.
    """
    for tree in OrgTree.objects.select_for_update(no_key=True).filter(pk__in=tree_ids).order_by("pk"):
        if tree.archived_at is not None:
            raise ArchivedTreeError(tree)


def _stands(unit: Unit, start: date | None, end: date | None) -> bool:
    if start is not None and end is not None and start >= end:
        raise NoDaysError(start, end)
    return UnitPlacement.objects.filter(unit=unit, during__overlap=DateRange(start, end)).exists()


def _columns(gifts: Iterable[Gift]) -> list[list[object]]:
    rows = [(gift.owned_id, gift.tree_id, gift.unit_id, gift.start, gift.end) for gift in gifts]
    return [list(column) for column in zip(*rows, strict=True)]
