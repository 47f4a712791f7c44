"""The position of each commit in its repository's history: the numbers by which deployments contain merges.

Usually a branch grows, and new commits are placed after the existing ones.  Otherwise (history below the oldest known
commit, a rewritten branch, a commit that was known only as a parent) the whole repository is renumbered, and only
differences are written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core import sql
from integrations.delivery.linking.commit_graph import Place, bases, chain_of, entered, number
from integrations.delivery.linking.provided_parents import LISTED, add_merges, merges_of
from integrations.models import Repository

# Commits from a clone or a provider, commits that pull requests list with their parents, and commits that merges and
# deployments name although no branch contains them now.
_GRAPH = f"""
    SELECT commit.sha, commit.parents, link.on_default_branch, commit.committed_at
    FROM integrations_commitinrepository link
    JOIN integrations_commit commit ON commit.id = link.commit_id
    WHERE link.repository_id = %(repository)s
    UNION ALL
    SELECT listed.sha, listed.parents, false, NULL FROM ({LISTED}) AS listed
    UNION ALL
    SELECT commit.sha, commit.parents, false, NULL
    FROM (
        SELECT merge_sha FROM integrations_pullrequest WHERE repository_id = %(repository)s AND merge_sha <> ''
        UNION
        SELECT sha FROM integrations_deployment WHERE repository_id = %(repository)s AND sha <> ''
    ) AS named (sha)
    JOIN integrations_commit commit ON commit.sha = named.sha
"""  # noqa: S608  # a constant
_ELSEWHERE = "SELECT sha, parents FROM integrations_commit WHERE sha = ANY (%s)"
_PLACES = """
    SELECT sha, position, base, on_chain, parents_known FROM integrations_commitplace WHERE repository_id = %s
"""
_PUT = """
    INSERT INTO integrations_commitplace AS place (repository_id, sha, position, base, on_chain, parents_known)
    SELECT %s, * FROM unnest(%s::text[], %s::int[], %s::int[], %s::boolean[], %s::boolean[])
    ON CONFLICT (repository_id, sha) DO UPDATE
    SET position = excluded.position, base = excluded.base, on_chain = excluded.on_chain,
        parents_known = excluded.parents_known
"""
_NEW = """
    SELECT commit.sha, commit.parents, coalesce(link.on_default_branch, false), link.commit_id IS NULL,
           place.sha IS NOT NULL, place.on_chain, place.position, place.parents_known
    FROM integrations_commit commit
    LEFT JOIN integrations_commitinrepository link
         ON link.commit_id = commit.id AND link.repository_id = %(repository)s
    LEFT JOIN integrations_commitplace place
         ON place.repository_id = %(repository)s AND place.sha = commit.sha
    WHERE commit.id = ANY (%(commits)s)
"""
_PLACED = """
    SELECT place.sha, place.position, place.base, place.on_chain FROM integrations_commitplace place
    WHERE place.repository_id = %s AND place.sha = ANY (%s)
"""
_TIP = """
    SELECT sha, position FROM integrations_commitplace
    WHERE repository_id = %s AND on_chain ORDER BY position DESC LIMIT 1
"""
_UNMERGED = f"""
    SELECT place.sha, coalesce(commit.parents, listed.parents)
    FROM integrations_commitplace place
    LEFT JOIN integrations_commit commit ON commit.sha = place.sha
    LEFT JOIN ({LISTED}) AS listed ON listed.sha = place.sha AND commit.sha IS NULL
    WHERE place.repository_id = %(repository)s AND place.position IS NULL
      AND (commit.sha IS NOT NULL OR listed.sha IS NOT NULL)
"""  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class Graph:
    """The known history of a repository.  `tip` is the newest commit of the default branch."""

    parents: Mapping[str, Sequence[str]]
    tip: str | None


def place_repository(repository: Repository) -> set[str]:
    """Place all of a repository's commits from scratch; return the ids of those whose place changed."""
    graph = read_graph(repository)
    stored = {sha: (Place(*place), known) for sha, *place, known in sql.rows(_PLACES, [repository.pk])}
    places = number(graph.parents, graph.tip, first=_first_position(graph, stored))
    positions = {sha: (place, sha in graph.parents) for sha, place in places.items()}
    changed = {sha for sha, place in positions.items() if stored.get(sha) != place}
    gone = stored.keys() - positions.keys()
    _put(repository, {sha: positions[sha] for sha in changed})
    sql.execute(
        "DELETE FROM integrations_commitplace WHERE repository_id = %s AND sha = ANY (%s)",
        [repository.pk, list(gone)],
    )
    return changed | gone


def read_graph(repository: Repository) -> Graph:
    """A repository's known history, with ancestors that only other repositories hold."""
    parents: dict[str, Sequence[str]] = {}
    on_default: dict[str, object] = {}
    for sha, own_parents, is_on_default, committed_at in sql.rows(_GRAPH, {"repository": repository.pk}):
        parents.setdefault(sha, own_parents)
        if is_on_default:
            on_default[sha] = committed_at
    inner = {parent for sha in on_default for parent in parents[sha]}
    add_merges(parents, merges_of(repository.pk))
    missing = {parent for of in parents.values() for parent in of} - parents.keys()
    while missing:
        parents_by_sha = dict(sql.rows(_ELSEWHERE, [list(missing)]))
        parents |= parents_by_sha
        missing = {parent for of in parents_by_sha.values() for parent in of} - parents.keys()
    tips = on_default.keys() - inner or on_default.keys()
    return Graph(parents, max(tips, key=lambda sha: (on_default[sha], sha), default=None))


def _first_position(graph: Graph, stored: Mapping[str, tuple[Place, bool]]) -> int:
    """The position of the chain's oldest commit that lets most others keep theirs: the chain may grow at both ends."""
    for index, sha in enumerate(chain_of(graph.parents, graph.tip) if graph.tip else ()):
        known = stored.get(sha)
        if known is not None and known[0].on_chain and known[0].position is not None:
            return known[0].position - index
    return 0


def place_new_commits(repository: Repository, commits: Collection[int]) -> set[str] | None:
    """Place the repository's new commits after the placed ones; return the ids of those whose place changed.

    Places nothing and returns None unless the branches simply grew by these commits.
    """
    if not commits:
        return set()
    rows = sql.rows(_NEW, {"repository": repository.pk, "commits": list(commits)})
    tip, last = next(iter(sql.rows(_TIP, [repository.pk])), (None, -1))
    parents: dict[str, Sequence[str]] = {}
    on_default: set[str] = set()
    placed: set[str] = set()
    for sha, own_parents, is_on_default, is_gone, is_placed, on_chain, position, parents_known in rows:
        if is_gone or (is_placed and not parents_known) or (not is_on_default and position is not None):
            return None
        if on_chain or position is not None:
            continue
        parents[sha] = own_parents
        if is_placed:
            placed.add(sha)
        if is_on_default:
            on_default.add(sha)
    grown = _growth(parents, on_default, tip)
    add_merges(parents, merges_of(repository.pk, one_of=list(parents)))
    if grown is None or not placed.isdisjoint(grown):
        return None  # fast-forwarded to a branch's commit: commits above it contain more of the chain now
    return _place_after(repository, parents, grown, last)


def _growth(parents: Mapping[str, Sequence[str]], on_default: set[str], tip: str | None) -> list[str] | None:
    """The commits by which the chain has grown, oldest first; None if it did not simply grow from its tip."""
    if not on_default:
        return []
    tips = on_default - {parent for sha in on_default for parent in parents[sha]}
    if tip is None or len(tips) != 1:
        return None
    grown: list[str] = []
    commit: str | None = tips.pop()
    while commit is not None and commit in on_default and commit not in grown[-1:]:
        grown.append(commit)
        if len(grown) > len(on_default):
            return None
        commit = next(iter(parents[commit]), None)
    return list(reversed(grown)) if commit == tip else None


def _place_after(
    repository: Repository,
    parents: dict[str, Sequence[str]],
    grown: Sequence[str],
    last: int,
) -> set[str] | None:
    others = {parent for of in parents.values() for parent in of} - parents.keys()
    open_branches: dict[str, Sequence[str]] = {}
    if grown:
        open_branches = dict(sql.rows(_UNMERGED, {"repository": repository.pk}))
        add_merges(open_branches, merges_of(repository.pk, one_of=list(open_branches)))
    graph = {**open_branches, **parents}
    around = {parent for of in graph.values() for parent in of} | others
    known = {sha: Place(*place) for sha, *place in sql.rows(_PLACED, [repository.pk, list(around | set(graph))])}
    if not around <= known.keys() | graph.keys():
        return None  # an unknown parent: it gets a place, too
    on_default_already = [sha for sha, place in known.items() if place.position is not None]
    positions = {sha: last + 1 + index for sha, index in entered(graph, grown, on_default_already)}
    base_of = bases(
        graph,
        parents,
        {sha: place.base for sha, place in known.items()} | {sha: positions[sha] for sha in grown},
    )
    chain = set(grown)
    changed = {
        sha: (Place(positions.get(sha), base_of[sha], sha in chain), True)
        for sha in {*parents, *positions}
        if sha in graph
    }
    merged_unknown = [sha for sha in positions if sha not in graph]
    if merged_unknown:
        return None
    _put(repository, changed)
    return set(changed)


def _put(repository: Repository, places: Mapping[str, tuple[Place, bool]]) -> None:
    if not places:
        return
    shas = sorted(places)
    rows = [places[sha] for sha in shas]
    sql.execute(
        _PUT,
        [
            repository.pk,
            shas,
            [place.position for place, _ in rows],
            [place.base for place, _ in rows],
            [place.on_chain for place, _ in rows],
            [known for _, known in rows],
        ],
    )
