"""Objectives below those that they serve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """An objective in the tree, by its id; `depth` 0 serves none of those that are listed."""

    pk: int
    depth: int


def branches(pairs: Iterable[tuple[int, int | None]]) -> list[Branch]:
    """Each (id, id of its parent) below its parent, in the given order; those whose parent is not among them on top."""
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
    """The stretch [first, last) of the tree, led by what the first one stands below."""
    above: list[Branch] = []
    depth = tree[first].depth if first < len(tree) else 0
    for branch in reversed(tree[:first]):
        if branch.depth < depth:
            above.append(branch)
            depth = branch.depth
    return [*reversed(above), *tree[first:last]]


def _serves_itself(pk: int, parents: Mapping[int, int | None]) -> bool:
    """Whether the way up comes back; such a ring would hang below nothing."""
    seen, here = {pk}, parents[pk]
    while here is not None and here in parents:
        if here in seen:
            return here == pk
        seen.add(here)
        here = parents[here]
    return False
