"""Owned things with their owner on a day: for the page, the API, and counts of things without an owner."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

from core import sql
from integrations.facts.ownership import OWNER_DAYS
from integrations.models import OwnedKind
from orgtree.models import OrgTree
from orgtree.models.visibility import AGGREGATES, Visibility

# One row per thing: its owner in the tree on the day, whether the owner is inherited from the repository, and the next.
_LIST: LiteralString = f"""
    WITH owner AS MATERIALIZED (
        SELECT * FROM ({OWNER_DAYS}) AS days WHERE tree_id = %(tree)s AND NOT during << daterange(%(day)s, NULL)
    ), next_owner AS (
        SELECT DISTINCT ON (owned_id) owned_id, unit_id, lower(during) AS day
        FROM owner WHERE lower(during) > %(day)s::date ORDER BY owned_id, lower(during)
    )
    SELECT owned.id, owned.kind, coalesce(repository.name, project.key, owned.name) AS label,
           coalesce(project.name, renamed.name, board.name, ''), coalesce(followed.name, ''),
           unit.id, unit.slug, unit.name, lower(owner.during), upper(owner.during),
           owner.during IS NOT NULL AND own.id IS NULL,
           next_unit.name, next_owner.day,
           count(*) OVER ()
    FROM integrations_owned owned
    LEFT JOIN integrations_repository repository ON repository.id = owned.repository_id
    LEFT JOIN integrations_repository followed ON followed.id = owned.follows_id
    LEFT JOIN integrations_project project ON project.id = owned.project_id
    LEFT JOIN (
        SELECT service, (array_agg(name ORDER BY id))[1] AS name FROM integrations_resource
        WHERE kind = 'service' AND service <> '' AND name <> service GROUP BY service
    ) AS renamed ON owned.kind = 'service' AND renamed.service = owned.name
    LEFT JOIN integrations_resource board
      ON board.connection_id = owned.connection_id AND board.kind = 'board' AND board.external_id = owned.name
    LEFT JOIN owner ON owner.owned_id = owned.id AND owner.during @> %(day)s::date
    LEFT JOIN orgtree_unit unit ON unit.id = owner.unit_id
    LEFT JOIN integrations_ownership own
      ON own.owned_id = owned.id AND own.tree_id = %(tree)s AND own.during @> %(day)s::date
    LEFT JOIN next_owner ON next_owner.owned_id = owned.id
    LEFT JOIN orgtree_unit next_unit ON next_unit.id = next_owner.unit_id
    WHERE (%(kind)s = '' OR owned.kind = %(kind)s) AND repository.joined_into_id IS NULL
      AND (%(unit)s::bigint IS NULL OR owner.unit_id IN (
          SELECT unit_id FROM orgtree_unitplacement WHERE ancestor_id = %(unit)s AND during @> %(day)s::date
      ))
      AND NOT (%(without)s AND unit.id IS NOT NULL)
      AND (%(seen)s::bigint[] IS NULL OR unit.id = ANY (%(seen)s))
      AND strpos(
          lower(concat_ws(' ', repository.name, project.key, project.name, owned.name, renamed.name, board.name)),
          %(search)s
      ) > 0
    ORDER BY unit.id IS NOT NULL, lower(coalesce(repository.name, project.key, owned.name)), owned.kind, owned.id
    LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608  # constants of this module
_COUNT: LiteralString = f"""
    SELECT tree.id, owned.kind, count(*), count(*) FILTER (WHERE owner.owned_id IS NULL)
    FROM orgtree_orgtree tree
    CROSS JOIN integrations_owned owned
    LEFT JOIN integrations_repository repository ON repository.id = owned.repository_id
    LEFT JOIN ({OWNER_DAYS}) AS owner
      ON owner.owned_id = owned.id AND owner.tree_id = tree.id AND owner.during @> %(day)s::date
    WHERE tree.id = ANY (%(trees)s) AND repository.joined_into_id IS NULL
    GROUP BY tree.id, owned.kind
"""  # noqa: S608  # constants of this module


@dataclass(frozen=True)
class Filters:
    """Filters of the list: by kind, by text in the name, by owning unit or those below it, and things without an
    owner.
    """

    kind: OwnedKind | None = None
    search: str = ""
    unit_id: int | None = None
    without_owner: bool = False


@dataclass(frozen=True)
class ListedThing:
    """A thing that can be owned, on a day.  `since` and `until` are None if the ownership is open on that side.

    `follows` names the repository whose owner it inherits while it has none itself; `by_following`: its owner is
    inherited.
    """

    id: int
    kind: OwnedKind
    name: str
    title: str
    follows: str
    unit_id: int | None
    unit_slug: str | None
    unit_name: str | None
    since: date | None
    until: date | None
    by_following: bool
    next_unit_name: str | None
    next_from: date | None


@dataclass(frozen=True)
class Listed:
    """One page of things, and the total."""

    things: Sequence[ListedThing]
    total: int


@dataclass(frozen=True)
class Counted:
    """The number of things of a kind, and how many of them have no owner in the tree."""

    total: int
    without_owner: int


def listed_things(
    tree: OrgTree, filters: Filters, *, on: date, visibility: Visibility = AGGREGATES, limit: int = 100, offset: int = 0
) -> Listed:
    """Things that can be owned: those without an owner first, then by name.

    Viewers who may not see every unit get only things owned by units that they may see.
    """
    params: dict[str, Any] = {
        "tree": tree.pk,
        "day": on,
        "kind": filters.kind or "",
        "unit": filters.unit_id,
        "without": filters.without_owner,
        "seen": None if visibility.unit_ids is None else sorted(visibility.unit_ids),
        "search": filters.search.lower(),
        "limit": limit,
        "offset": offset,
    }
    rows = sql.rows(_LIST, params)
    first = rows
    if not rows and offset:  # past the last page: the total comes with a row
        first = sql.rows(_LIST, {**params, "limit": 1, "offset": 0})
    things = [ListedThing(row[0], OwnedKind(row[1]), *row[2:-1]) for row in rows]
    return Listed(things, first[0][-1] if first else 0)


def counted_things(trees: Collection[OrgTree], *, on: date) -> Mapping[tuple[int, OwnedKind], Counted]:
    """Counts by tree and kind; kinds without any thing are left out."""
    return {
        (tree, OwnedKind(kind)): Counted(total, without)
        for tree, kind, total, without in sql.rows(_COUNT, {"trees": [tree.pk for tree in trees], "day": on})
    }
