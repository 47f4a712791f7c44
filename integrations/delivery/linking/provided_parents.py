"""Parents of commits that pull requests provide, for histories without a clone.

A pull request lists its commits with their parents, and any deployment that contains its merge contains them: the last
listed commit becomes a parent of the merge commit, and a squash represents the listed commits.  If no source provides
the merge commit's own parents, and none will (only the history of the default branch is read), its first parent is
taken to be the previous merge on the same branch: develop and release branches become chains of merges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import LiteralString, NamedTuple

from core import sql
from integrations.models.connections import USUAL_DEFAULT_BRANCHES

LISTED: LiteralString = """
    SELECT listed.sha, listed.parents
    FROM integrations_pullrequest pull_request
    JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id AND listed.parents <> '{}'
    WHERE pull_request.repository_id = %(repository)s
"""
"""One row per commit that a pull request of %(repository)s lists with its parents."""

# The previous merge is searched for among all merges: `one_of` limits the rows afterwards.
_MERGES: LiteralString = """
    SELECT merge.sha, last.sha, merge.before, merge.is_beside
    FROM (
        SELECT pull_request.id, pull_request.repository_id, merge_sha AS sha,
               lag(merge_sha) OVER (PARTITION BY target_branch ORDER BY merged_at, pull_request.id) AS before,
               target_branch <> ''
               AND CASE WHEN repository.default_branch <> '' THEN target_branch <> repository.default_branch
                        ELSE target_branch <> ALL (%(usual_branches)s) END AS is_beside
        FROM integrations_pullrequest pull_request
        JOIN integrations_repository repository ON repository.id = pull_request.repository_id
        WHERE pull_request.repository_id = %(repository)s AND state = 'merged' AND deleted_at IS NULL
          AND merge_sha <> ''
    ) AS merge
    JOIN LATERAL (
        SELECT listed.sha FROM integrations_pullrequestcommit listed
        WHERE listed.pull_request_id = merge.id AND listed.parents <> '{}'
        ORDER BY listed.position DESC LIMIT 1
    ) AS last ON true
    WHERE %(one_of)s::text[] IS NULL OR merge.sha = ANY (%(one_of)s)
"""
# Pull requests whose merge is not placed with the commits that they listed.
_NOT_PLACED: LiteralString = """
    SELECT DISTINCT pull_request.repository_id
    FROM integrations_pullrequest pull_request
    JOIN integrations_repository repository ON repository.id = pull_request.repository_id
    JOIN LATERAL (
        SELECT listed.sha FROM integrations_pullrequestcommit listed
        WHERE listed.pull_request_id = pull_request.id AND listed.parents <> '{}'
        ORDER BY listed.position DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN integrations_commitplace merge
         ON merge.repository_id = pull_request.repository_id AND merge.sha = pull_request.merge_sha
    LEFT JOIN integrations_commitplace head
         ON head.repository_id = pull_request.repository_id AND head.sha = last.sha
    WHERE pull_request.id = ANY (%(ids)s) AND pull_request.state = 'merged' AND pull_request.merge_sha <> ''
      AND CASE WHEN merge.parents_known THEN merge.position IS NOT NULL AND head.position IS NULL
               ELSE target_branch <> ''
                    AND CASE WHEN repository.default_branch <> '' THEN target_branch <> repository.default_branch
                             ELSE target_branch <> ALL (%(usual_branches)s) END END
"""


class Merge(NamedTuple):
    """A merge commit, the last commit listed for it with its parents, and the previous merge on its branch.

    `is_beside`: it is on a branch other than the default one, whose history is read.
    """

    sha: str
    head: str
    before: str | None
    is_beside: bool


def merges_of(repository: int, *, one_of: Sequence[str] | None = None) -> list[Merge]:
    """The merges of the repository, optionally limited to these shas."""
    rows = sql.rows(
        _MERGES,
        {
            "repository": repository,
            "one_of": None if one_of is None else list(one_of),
            "usual_branches": sorted(USUAL_DEFAULT_BRANCHES),
        },
    )
    return [Merge(*row) for row in rows]


def add_merges(parents: dict[str, Sequence[str]], merges: Iterable[Merge]) -> None:
    """Add the commits that merges brought to the parents of the merge commits; a commit's own parents stay first."""
    for merge in merges:
        own = parents.get(merge.sha)
        if own is None and merge.is_beside:
            own = [merge.before] if merge.before else []
        if own is not None and merge.head != merge.sha and merge.head not in own:
            parents[merge.sha] = [*own, merge.head]


def with_merges_to_place(pull_requests: Iterable[int]) -> set[int]:
    """The repositories in which a merge of these pull requests is not placed with the commits that it listed."""
    return sql.ids(_NOT_PLACED, {"ids": list(pull_requests), "usual_branches": sorted(USUAL_DEFAULT_BRANCHES)})
