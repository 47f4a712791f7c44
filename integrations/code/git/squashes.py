"""Detects squash merges: the squash on the default branch represents the branch's commits.

A branch may have grown since, so every prefix of the branch is compared, not only the whole branch.  Equal files and
line counts make a candidate; equal patch ids confirm it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from core import sql
from integrations.code.commits.store import counts_key
from integrations.connectors.git.commands import ObjectsMissingError
from integrations.connectors.git.repository import GitRepository
from integrations.models import Repository

LONGEST_BRANCH = 200  # commits: longer branches are merged, not squashed

Unmerged = Mapping[str, tuple[str, ...]]


def link_squashes(
    repository: Repository, git: GitRepository, branches: Mapping[str, str], default: str, gone: Collection[str] = ()
) -> set[int]:
    """Mark commits of branches as represented by their squash on the default branch; return the commits touched.

    `gone` are tips that no branch contains any more, but whose objects still exist.  duplicates.py checks whether the
    squash still exists.
    """
    tips = [*branches.values(), *gone]
    unmerged = git.unmerged(tips, branches[default])
    branch_ranges = {end: start for tip in tips for start, end in _branch_ranges(tip, unmerged)}
    pairs = [(start, end) for end, start in branch_ranges.items()]
    try:
        keys = [str(counts_key(counts, otherwise="")) if counts else "" for counts in git.counts_between(pairs)]
    except ObjectsMissingError:
        return set()  # without line counts squashes cannot be detected
    candidates = _candidates(repository, keys)
    squashes: dict[str, int] = {}
    for (start, end), key in zip(pairs, keys, strict=True):
        if squash := _squash(git, start, end, candidates.get(key, [])):
            for sha in _reachable(end, unmerged):
                squashes.setdefault(sha, squash)
    return _mark_squashed(squashes)


def _branch_ranges(tip: str, unmerged: Unmerged) -> Iterator[tuple[str, str]]:
    """(fork point, commit) for each commit of the branch, the oldest first.

    Merging the default branch into the branch moves the fork point.
    """
    chain = list(islice(_first_parents(tip, unmerged), LONGEST_BRANCH + 1))
    if not chain or len(chain) > LONGEST_BRANCH or not unmerged[chain[-1]]:
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
    """Counts key → commits (id, sha) on the default branch with that key, the oldest first."""
    by_key: dict[str, list[tuple[int, str]]] = {}
    for key, id_, sha in sql.rows(
        """
        SELECT commit.counts_key::text, commit.id, commit.sha
        FROM (SELECT DISTINCT key::uuid FROM unnest(%(keys)s::text[]) AS key WHERE key <> '') AS requested
        JOIN integrations_commit commit ON commit.counts_key = requested.key AND cardinality(commit.parents) = 1
        JOIN integrations_commitinrepository link
          ON link.commit_id = commit.id AND link.repository_id = %(repository)s AND link.on_default_branch
        ORDER BY commit.committed_at, commit.sha
        """,
        {"keys": keys, "repository": repository.pk},
    ):
        by_key.setdefault(key, []).append((id_, sha))
    return by_key


def _squash(git: GitRepository, start: str, end: str, candidates: list[tuple[int, str]]) -> int | None:
    """The candidate after the fork point with the same patch id."""
    patch = git.patch_id(start, end) if candidates else ""
    for id_, sha in candidates:
        if not git.is_ancestor(sha, start) and git.patch_id(f"{sha}^", sha) == patch:
            return id_
    return None


def _mark_squashed(squashes: Mapping[str, int]) -> set[int]:
    rows = sql.rows(
        """
        UPDATE integrations_commit commit SET stands_in_id = pair.squash, squashed = true
        FROM unnest(%(own)s::text[], %(squashes)s::bigint[]) AS pair (sha, squash)
        WHERE commit.sha = pair.sha AND commit.id <> pair.squash
          AND (commit.stands_in_id IS DISTINCT FROM pair.squash OR NOT commit.squashed)
        RETURNING commit.id, pair.squash
        """,
        {"own": list(squashes), "squashes": list(squashes.values())},
    )
    return {id_ for row in rows for id_ in row}
