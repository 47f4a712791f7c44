"""The tree of aligned objectives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """An objective in the tree, by id; at `depth` 0 it serves none of the listed ones."""

    pk: int
    depth: int


def branches(pairs: Iterable[tuple[int, int | None]]) -> list[Branch]:
    """A depth-first tree of (id, parent id) pairs in the given order; objectives without a listed parent are roots."""
    parents = dict(pairs)
    below: Mapping[int | None, list[int]] = defaultdict(list)
    for pk, parent in parents.items():
        below[parent if parent in parents and not _serves_itself(pk, parents) else None].append(pk)
    ordered = []
    waiting = [(pk, 0) for pk in reversed(below[None])]
    while waiting:
        pk, depth = waiting.pop()
        ordered.append(Branch(pk, depth))
        waiting += [(child, depth + 1) for child in reversed(below[pk])]
    return ordered


def with_those_above(tree: Sequence[Branch], first: int, last: int) -> list[Branch]:
    """Rows [first, last) of the tree, preceded by the ancestors of the first one."""
    above: list[Branch] = []
    depth = tree[first].depth if first < len(tree) else 0
    for branch in reversed(tree[:first]):
        if branch.depth < depth:
            above.append(branch)
            depth = branch.depth
    return [*reversed(above), *tree[first:last]]


def _serves_itself(pk: int, parents: Mapping[int, int | None]) -> bool:
    """Whether following parents leads back to the start: such a cycle would have no root."""
    seen, here = {pk}, parents[pk]
    while here is not None and here in parents:
        if here in seen:
            return here == pk
        seen.add(here)
        here = parents[here]
    return False
