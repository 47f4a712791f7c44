"""A branch's commits after their squash are one change: the squash on the default branch stands for them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from integrations.connectors.git.history import new_commits
from integrations.connectors.git.repository import GitRepository
from integrations.git.store import counts_key
from integrations.models import Repository


def note_squashes(repository: Repository, git: GitRepository, branches: Mapping[str, str], default: str) -> set[int]:
    """Look, for every branch that is not merged, for a commit on the default branch that changes the same lines.

    Same lines means the same paths with the same counts as the branch as a whole.  The commits touched.
    """
    touched: set[int] = set()
    tip_of_default = branches[default]
    for branch, tip in branches.items():
        if branch == default:
            continue
        own = new_commits(git.git_dir, [tip], [tip_of_default])
        base = git.merge_base(tip_of_default, tip) if own else None
        if base is None:
            continue
        counts = git.counts_between(base, tip)
        if counts:
            key = counts_key(counts, otherwise="")
            touched |= _stand_in(repository, own, str(key), after=new_commits(git.git_dir, [tip_of_default], [base]))
    return touched


def _stand_in(repository: Repository, own: list[str], key: str, *, after: list[str]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH squash AS (
                SELECT commit.id FROM integrations_commit commit
                JOIN integrations_commitinrepository link ON link.commit_id = commit.id
                WHERE commit.counts_key = %(key)s AND link.repository_id = %(repository)s
                  AND link.on_default_branch AND commit.sha = ANY (%(after)s)
                ORDER BY commit.committed_at, commit.sha LIMIT 1
            )
            UPDATE integrations_commit commit SET stands_in_id = squash.id, squashed = true
            FROM squash
            WHERE commit.sha = ANY (%(own)s) AND commit.id <> squash.id
              AND (commit.stands_in_id IS DISTINCT FROM squash.id OR NOT commit.squashed)
            RETURNING commit.id, squash.id
            """,
            {"key": key, "repository": repository.pk, "own": own, "after": after},
        )
        return {id_ for row in cursor.fetchall() for id_ in row}
