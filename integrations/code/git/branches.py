"""Unmerged branches: the commit at which each began, and when it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from core import sql
from integrations.connectors.git.repository import GitRepository
from integrations.models import FactFamily, RepositorySource
from integrations.models.code import LONGEST_BRANCH_NAME
from integrations.outbox.fact_changes import announce_changes, append_days, insert_days

_NOTE = f"""
    WITH seen AS (
        SELECT seen.name, commit.id AS tip_id
        FROM unnest(%(names)s::text[], %(tips)s::text[]) AS seen (name, tip)
        JOIN integrations_commit commit ON commit.sha = seen.tip
    ), gone AS (
        UPDATE integrations_unmergedbranch stored SET gone_on = current_date
        WHERE stored.source_id = %(source)s AND stored.gone_on IS NULL
          AND NOT EXISTS (SELECT FROM seen WHERE (seen.name, seen.tip_id) = (stored.name, stored.tip_id))
        RETURNING name, tip_id
    ), known AS (
        SELECT name FROM integrations_unmergedbranch WHERE source_id = %(source)s AND gone_on IS NULL
        EXCEPT SELECT name FROM gone
    ), added AS (
        INSERT INTO integrations_unmergedbranch (source_id, name, tip_id)
        SELECT %(source)s, name, tip_id FROM seen WHERE name NOT IN (SELECT name FROM known)
        RETURNING tip_id
    ), stale AS (
        SELECT min(tip.counted_on) + %(stale_after)s + 1 AS since
        FROM (SELECT tip_id FROM gone UNION SELECT tip_id FROM added) AS changed
        JOIN integrations_commit tip ON tip.id = changed.tip_id
    )
    {insert_days({FactFamily.CLONE: "SELECT since, current_date + 1 FROM stale"})}
"""  # noqa: S608  # constants of this module
# If a repository has several clones, another one provides its branches from now on.
_DAYS_OF_LEAVING = """
    SELECT min(tip.counted_on) + %(stale_after)s + 1, current_date + 1
    FROM integrations_unmergedbranch branch
    JOIN integrations_commit tip ON tip.id = branch.tip_id
    JOIN integrations_repositorysource source ON source.id = branch.source_id
    WHERE source.repository_id IN (
        SELECT repository_id FROM integrations_repositorysource WHERE connection_id = %(connection)s
    )
"""
STALE_AFTER_DAYS = 30


def sync_branches(source: RepositorySource, git: GitRepository, branches: Mapping[str, str], default: str) -> None:
    """Store which of these branches (ref → object id) are unmerged, in the transaction that stores their commits."""
    unmerged = git.unmerged(branches.values(), branches[default])
    # A clone has local and remote-tracking branches of the same name; the local one wins.
    tips = {
        name: tip
        for ref, tip in sorted(branches.items(), key=lambda item: item[0].startswith("refs/heads/"))
        if tip in unmerged and (name := short_name(ref)) != short_name(default)
    }
    changed = sql.execute(
        _NOTE,
        {
            "source": source.pk,
            "names": list(tips),
            "tips": list(tips.values()),
            "stale_after": STALE_AFTER_DAYS,
        },
    )
    if changed:
        announce_changes()


def append_changes_of_branches(connection_id: int) -> None:
    """Append to the outbox that the branches of this connection's clones disappear.

    Call it in the transaction that deletes the connection, before the deletion.
    """
    append_days({FactFamily.CLONE: _DAYS_OF_LEAVING}, {"connection": connection_id, "stale_after": STALE_AFTER_DAYS})


def short_name(ref: str) -> str:
    """The name by which hosts, runs and pushes know a branch: feature/cart for refs/heads/feature/cart and for
    refs/remotes/origin/feature/cart.

    A name too long to store ends in its digest, so that names with a common prefix stay distinct.
    """
    name = ref.split("/", 3)[-1] if ref.startswith("refs/remotes/") else ref.removeprefix("refs/heads/")
    if len(name) <= LONGEST_BRANCH_NAME:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return f"{name[: LONGEST_BRANCH_NAME - len(digest) - 1]}~{digest}"
