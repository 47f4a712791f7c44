"""Positions of commits in a history: plain functions over the parents of commits.

Histories are external data, so all of this works for graphs with holes, several roots, or even loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Parents = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """A commit's place in the graph; integrations.models.CommitPlace defines the numbers."""

    position: int | None
    base: int | None
    on_chain: bool


def chain_of(parents: Parents, tip: str) -> list[str]:
    """The first-parent chain that ends in `tip`, oldest first; the oldest may be known only as a parent."""
    chain: dict[str, None] = {}
    commit: str | None = tip
    while commit is not None and commit not in chain:
        chain[commit] = None
        commit = next(iter(parents.get(commit, ())), None)
    return list(reversed(chain))


def entered(parents: Parents, chain: Sequence[str], known: Iterable[str] = ()) -> Iterator[tuple[str, int]]:
    """Each commit reachable from the chain, with the index of the oldest chain commit that reaches it.

    Commits in `known` are already reachable from what precedes the chain.
    """
    seen = {*known, *chain}
    for index, commit in enumerate(chain):
        yield commit, index
        waiting = list(parents.get(commit, ()))
        while waiting:
            ancestor = waiting.pop()
            if ancestor not in seen:
                seen.add(ancestor)
                yield ancestor, index
                waiting.extend(parents.get(ancestor, ()))


def bases(parents: Parents, commits: Iterable[str], known: Mapping[str, int | None]) -> dict[str, int | None]:
    """The highest base among each commit's ancestors; `known` has the bases of placed commits."""
    known_bases: dict[str, int | None] = dict(known)
    for start in commits:
        waiting = [start]
        entered_now: set[str] = set()
        while waiting:
            commit = waiting[-1]
            if commit in known_bases:
                waiting.pop()
                continue
            entered_now.add(commit)
            missing = [
                parent for parent in parents.get(commit, ()) if parent not in known_bases and parent not in entered_now
            ]
            if missing:
                waiting.extend(missing)
                continue
            own = [base for parent in parents.get(commit, ()) if (base := known_bases.get(parent)) is not None]
            known_bases[commit] = max(own, default=None)
            waiting.pop()
    return known_bases


def number(parents: Parents, tip: str | None, *, first: int = 0) -> dict[str, Place]:
    """The position of every commit of the graph, and of all parents; `first` is the position of the oldest."""
    chain = chain_of(parents, tip) if tip is not None else []
    position = {commit: first + index for commit, index in entered(parents, chain)}
    everything = dict.fromkeys(parents) | dict.fromkeys(parent for of in parents.values() for parent in of)
    base = bases(parents, everything, {commit: position[commit] for commit in chain})
    on_chain = set(chain)
    return {commit: Place(position.get(commit), base[commit], commit in on_chain) for commit in everything}


def first_deployed(
    parents: Parents, deployments: Iterable[tuple[int, str]], on_chain: frozenset[str]
) -> dict[str, int]:
    """The first of the deployments (id, commit; in order) that contains each commit off the chain.

    Commits that only deployments of the chain contain are not included: their position is enough.
    """
    first: dict[str, int] = {}
    for deployment, commit in deployments:
        waiting = [commit]
        while waiting:
            ancestor = waiting.pop()
            if ancestor not in first and ancestor not in on_chain:
                first[ancestor] = deployment
                waiting.extend(parents.get(ancestor, ()))
    return first
