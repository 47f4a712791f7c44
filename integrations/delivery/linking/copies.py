"""Copies of merges: later commits that state, or show, that they are the same change.

`git cherry-pick -x` records the copied commit in the message; two commits with one author, author time and changed
lines are one change (integrations/code/commits/duplicates.py).  Only copies of a pull request's merge commit, or of its
only commit, count: a copy of one commit among several contains only part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import LiteralString, NamedTuple

from core import sql

_MERGED: LiteralString = """
    pull_request.state = 'merged' AND pull_request.deleted_at IS NULL AND {pull_requests}
"""
_OF_ALL: LiteralString = "true"
_OF_THESE: LiteralString = "pull_request.id = ANY (%(ids)s)"
# The few copies come first: all of them, or those of the commits that these pull requests consist of.
_ALL_COPIES: LiteralString = """
    SELECT origin.sha AS origin, commit.sha, commit.committed_at
    FROM integrations_commit commit
    CROSS JOIN LATERAL unnest(commit.picked_from) AS origin (sha)
    WHERE commit.picked_from <> '{}'
    UNION
    SELECT origin.sha, commit.sha, commit.committed_at
    FROM integrations_commit commit
    JOIN integrations_commit origin ON origin.id = commit.stands_in_id
    WHERE commit.stands_in_id IS NOT NULL AND commit.set_apart = 'duplicate'
"""
COPIES_OF_THESE: LiteralString = """
    SELECT origins.sha AS origin, commit.sha, commit.committed_at
    FROM origins
    JOIN integrations_commit commit ON commit.picked_from <> '{}' AND commit.picked_from @> ARRAY[origins.sha]
    UNION
    SELECT origins.sha, commit.sha, commit.committed_at
    FROM origins
    JOIN integrations_commit origin ON origin.sha = origins.sha
    JOIN integrations_commit commit ON commit.stands_in_id = origin.id AND commit.set_apart = 'duplicate'
"""
_ORIGINS: LiteralString = """
    origins AS MATERIALIZED (
        SELECT merge_sha AS sha FROM integrations_pullrequest WHERE id = ANY (%(ids)s) AND merge_sha <> ''
        UNION
        SELECT min(sha) FROM integrations_pullrequestcommit WHERE pull_request_id = ANY (%(ids)s)
        GROUP BY pull_request_id HAVING count(*) = 1
    ),
"""
_COPIED: LiteralString = """
    WITH {origins} copy AS MATERIALIZED ({copies})
    SELECT pull_request.id, pull_request.repository_id, copy.sha
    FROM copy
    JOIN integrations_pullrequest pull_request
         ON pull_request.merge_sha = copy.origin AND copy.committed_at >= pull_request.merged_at
    WHERE {merged}
    UNION
    SELECT pull_request.id, pull_request.repository_id, copy.sha
    FROM copy
    JOIN integrations_pullrequestcommit listed ON listed.sha = copy.origin
    JOIN integrations_pullrequest pull_request
         ON pull_request.id = listed.pull_request_id AND copy.committed_at >= pull_request.merged_at
    WHERE {merged} AND NOT EXISTS (
        SELECT FROM integrations_pullrequestcommit other
        WHERE other.pull_request_id = pull_request.id AND other.sha <> listed.sha
    )
"""
# The originals of these commits, and the commits themselves if they have copies.  An array makes the planner look up
# each entry; a join would read all pull requests of the repository.
_MEANT: LiteralString = """
    WITH changed_commit AS MATERIALIZED (
        SELECT id, sha, stands_in_id, set_apart, picked_from FROM integrations_commit
        WHERE id = ANY (%(commits)s) OR sha = ANY (%(shas)s)
    ), meant AS MATERIALIZED (
        SELECT unnest(changed_commit.picked_from) AS sha FROM changed_commit
        UNION
        SELECT origin.sha FROM changed_commit JOIN integrations_commit origin ON origin.id = changed_commit.stands_in_id
        WHERE changed_commit.set_apart = 'duplicate'
        UNION
        SELECT changed_commit.sha FROM changed_commit
        WHERE EXISTS (SELECT FROM integrations_commit copy WHERE copy.stands_in_id = changed_commit.id)
    )
    SELECT id FROM integrations_pullrequest
    WHERE merge_sha = ANY (ARRAY(SELECT sha FROM meant)) AND merge_sha <> '' AND repository_id = %(repository)s
    UNION
    SELECT pull_request.id FROM integrations_pullrequestcommit listed
    JOIN integrations_pullrequest pull_request ON pull_request.id = listed.pull_request_id
    WHERE listed.sha = ANY (ARRAY(SELECT sha FROM meant)) AND pull_request.repository_id = %(repository)s
"""


class Copy(NamedTuple):
    """A commit that contains a copy of a pull request's, or a push's, change."""

    merge_id: int
    repository_id: int
    sha: str


def copies_of(pull_requests: Collection[int]) -> Sequence[Copy]:
    """The copies of these pull requests' merge commits."""
    return _read(_ORIGINS, COPIES_OF_THESE, _OF_THESE, pull_requests)


def all_copies() -> Sequence[Copy]:
    """The copies of all pull requests' merge commits."""
    return _read("", _ALL_COPIES, _OF_ALL, ())


def copied_by(repository_id: int, *, commits: Collection[int] = (), shas: Collection[str] = ()) -> set[int]:
    """Pull requests of the repository that these commits (by id or sha) may copy, or may have copies of."""
    return sql.ids(_MEANT, {"repository": repository_id, "commits": list(commits), "shas": list(shas)})


def _read(
    origins: LiteralString, copies: LiteralString, pull_requests: LiteralString, ids: Collection[int]
) -> Sequence[Copy]:
    rows = sql.rows(
        _COPIED.format(origins=origins, copies=copies, merged=_MERGED.format(pull_requests=pull_requests)),
        {"ids": sorted(ids)},
    )
    return [Copy(*row) for row in rows]
