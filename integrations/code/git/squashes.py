"""A branch's commits after their squash are one change: the squash on the default branch stands for them.

A branch may have grown since, so that every stretch from where it left the default branch is looked at, not only the
branch as a whole.  The same files with the same counts make a candidate; the same lines make it sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from django.db import connection

from integrations.code.commits.store import counts_key
from integrations.connectors.git.commands import ObjectsMissingError
from integrations.connectors.git.repository import GitRepository
from integrations.models import Repository

LONGEST_STRETCH = 200  # commits: a branch that lives longer is merged, not squashed

Unmerged = Mapping[str, tuple[str, ...]]


def note_squashes(repository: Repository, git: GitRepository, branches: Mapping[str, str], default: str) -> set[int]:
    """Let commits of branches stand back for the commit on the default branch that squashed them; those touched.

    Whether that one is still there is looked at where changes are settled.
    """
    unmerged = git.unmerged(branches.values(), branches[default])
    stretches = {end: start for tip in branches.values() for start, end in _stretches(tip, unmerged)}
    pairs = [(start, end) for end, start in stretches.items()]
    try:
        keys = [str(counts_key(counts, otherwise="")) if counts else "" for counts in git.counts_between(pairs)]
    except ObjectsMissingError:
        return set()  # their lines are unknown, and so are those of a squash
    candidates = _candidates(repository, keys)
    squashes: dict[str, int] = {}
    for (start, end), key in zip(pairs, keys, strict=True):
        if squash := _squash(git, start, end, candidates.get(key, [])):
            for sha in _reachable(end, unmerged):
                squashes.setdefault(sha, squash)
    return _mark_squashed(squashes)


def _stretches(tip: str, unmerged: Unmerged) -> Iterator[tuple[str, str]]:
    """Where the branch left the default branch, and each of its commits since, the oldest first.

    Where it took the default branch in, it left it there.
    """
    chain = list(islice(_first_parents(tip, unmerged), LONGEST_STRETCH + 1))
    if not chain or len(chain) > LONGEST_STRETCH or not unmerged[chain[-1]]:
        return
    start = unmerged[chain[-1]][0]
    for sha in reversed(chain):
        taken_in = [parent for parent in unmerged[sha][1:] if parent not in unmerged]
        start = taken_in[-1] if taken_in else start
        yield start, sha


def _first_parents(tip: str, unmerged: Unmerged) -> Iterator[str]:
    sha = tip
    while sha in unmerged:
        yield sha
        sha = next(iter(unmerged[sha]), "")


def _reachable(tip: str, unmerged: Unmerged) -> set[str]:
    reachable, waiting = set(), [tip]
    while waiting:
        sha = waiting.pop()
        if sha in unmerged and sha not in reachable:
            reachable.add(sha)
            waiting += unmerged[sha]
    return reachable


def _candidates(repository: Repository, keys: list[str]) -> dict[str, list[tuple[int, str]]]:
    """Counts key → commits (id, sha) on the default branch that have it, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT commit.counts_key::text, commit.id, commit.sha
            FROM (SELECT DISTINCT key::uuid FROM unnest(%(keys)s::text[]) AS key WHERE key <> '') AS requested
            JOIN integrations_commit commit ON commit.counts_key = requested.key AND cardinality(commit.parents) = 1
            JOIN integrations_commitinrepository link
              ON link.commit_id = commit.id AND link.repository_id = %(repository)s AND link.on_default_branch
            ORDER BY commit.committed_at, commit.sha
            """,
            {"keys": keys, "repository": repository.pk},
        )
        by_key: dict[str, list[tuple[int, str]]] = {}
        for key, id_, sha in cursor.fetchall():
            by_key.setdefault(key, []).append((id_, sha))
        return by_key


def _squash(git: GitRepository, start: str, end: str, candidates: list[tuple[int, str]]) -> int | None:
    """The candidate that came after the branch left, and changes the very same lines."""
    patch = git.patch_id(start, end) if candidates else ""
    for id_, sha in candidates:
        if not git.is_ancestor(sha, start) and git.patch_id(f"{sha}^", sha) == patch:
            return id_
    return None


def _mark_squashed(squashes: Mapping[str, int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_commit commit SET stands_in_id = pair.squash, squashed = true
            FROM unnest(%(own)s::text[], %(squashes)s::bigint[]) AS pair (sha, squash)
            WHERE commit.sha = pair.sha AND commit.id <> pair.squash
              AND (commit.stands_in_id IS DISTINCT FROM pair.squash OR NOT commit.squashed)
            RETURNING commit.id, pair.squash
            """,
            {"own": list(squashes), "squashes": list(squashes.values())},
        )
        return {id_ for row in cursor.fetchall() for id_ in row}
