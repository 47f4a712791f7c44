"""Which units what is owned counts for, as a relation that metrics of owners are placed by.

A relation of what runs on a repository or service finds the column `owned_id` so: what has a service belongs to the
service, everything else to the repository.

    LEFT JOIN integrations_owned service ON service.kind = 'service' AND service.name = fact.service
    LEFT JOIN integrations_owned repository ON repository.repository_id = fact.repository_id
    … coalesce(service.id, repository.id) AS owned_id
"""

from __future__ import annotations

from typing import Final, LiteralString

OWNER_DAYS: Final[LiteralString] = """
    SELECT owned_id, tree_id, unit_id, during FROM integrations_ownership
    UNION ALL
    SELECT follower.id, followed.tree_id, followed.unit_id,
           unnest(datemultirange(followed.during) - coalesce(own.days, '{}'))
    FROM integrations_owned follower
    JOIN integrations_owned repository ON repository.repository_id = follower.follows_id
    JOIN integrations_ownership followed ON followed.owned_id = repository.id
    LEFT JOIN (
        SELECT owned_id, tree_id, range_agg(during) AS days FROM integrations_ownership GROUP BY owned_id, tree_id
    ) AS own ON own.owned_id = follower.id AND own.tree_id = followed.tree_id
"""
"""One row per owned thing, tree, unit that owns it and stretch of local days.

On days on which a service or project has no owner of its own in a tree, it has that of the repository that it follows.
"""

OWNER_PLACEMENTS: Final[LiteralString] = f"""
    SELECT owner.owned_id,
           owner.tree_id,
           owner.unit_id,
           above.ancestor_id,
           owner.during * above.during AS during
    FROM ({OWNER_DAYS}) AS owner
    JOIN orgtree_unitplacement above ON above.unit_id = owner.unit_id AND above.during && owner.during
"""  # noqa: S608  # constants of this module
"""One row per owned thing, unit that owns it, that unit or one above it, and stretch of local days.

As orgtree's Placement, with what is owned instead of a person: no two rows of one owned thing and ancestor share a
day.  The text has no parameters and ends without a semicolon.
"""

# That two ranges share days the planner takes for a hundred times rarer than it is, and would look through all pull
# requests of a time once for each repository; of a function it expects nothing.
REPOSITORY_PLACEMENTS: Final[LiteralString] = """
    SELECT owned.repository_id,
           owner.tree_id,
           owner.unit_id,
           above.ancestor_id,
           owner.during * above.during AS during
    FROM integrations_ownership owner
    JOIN integrations_owned owned ON owned.id = owner.owned_id AND owned.repository_id IS NOT NULL
    JOIN orgtree_unitplacement above ON above.unit_id = owner.unit_id
    WHERE NOT isempty(owner.during * above.during)
"""
"""The same of repositories alone, by their ids.  They follow nothing: what follows them is not looked through."""
