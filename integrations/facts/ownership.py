"""Owners of repositories, services, projects and boards, as relations that place facts in units.

A relation of facts on a repository or service computes `owned_id` as follows: the service, if any, else the repository.

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
"""One row per owned object, tree, owning unit and range of local days.

On days without an own owner in a tree, a service or project has the owner of the repository that it follows.
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
"""One row per owned object, owning unit, that unit or an ancestor, and range of local days.

Like orgtree's Placement, for owned objects instead of people: no two rows of one object and ancestor share a day.
The text has no parameters and ends without a semicolon.
"""

# The planner underestimates how often ranges overlap by a factor of a hundred, and would scan all pull requests of a
# window once per repository; for a function it assumes nothing.
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
"""The same for repositories alone, by id.  Repositories follow nothing, so followers are skipped."""
