"""The order of a record's parts within one moment: providers write whole seconds, and scripts do two things in one
second.

Parts of different moments are ordered by time.  Those of one moment keep the provider's order, except transitions: each
is followed by one that starts from the status it led to, so that they form a chain if possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from integrations.connectors.drafts import AssignmentDraft, PullRequestEventDraft, TransitionDraft

MOST_CHAINED = 8  # transitions of one moment for which every order is tried
Part = TypeVar("Part", AssignmentDraft, PullRequestEventDraft, TransitionDraft)


def parts_in_order(parts: Sequence[Part]) -> list[Part]:
    """The record's parts in order, each with its position among those of the same moment."""
    return [part for moment in _moments(parts) for part in _positioned(moment)]


def moves_in_order(moves: Sequence[TransitionDraft]) -> list[TransitionDraft]:
    """The record's transitions in order, each with its position among those of the same moment."""
    ordered: list[TransitionDraft] = []
    for moment in _moments(moves):
        ordered += _positioned(_chained(moment, ordered[-1].to_status if ordered else None))
    return ordered


def _moments(parts: Iterable[Part]) -> Iterator[list[Part]]:
    at = attrgetter("at")
    return (list(moment) for _, moment in groupby(sorted(parts, key=at), key=at))


def _positioned(moment: Iterable[Part]) -> list[Part]:
    return [replace(part, position=position) for position, part in enumerate(moment)]


def _chained(moment: list[TransitionDraft], status: str | None) -> Iterator[TransitionDraft]:
    """The transitions of one moment as a chain that starts at `status`; if that is unknown, at a status that none of
    them leads to.
    """
    left = list(moment)
    if status is None:
        reached = {move.to_status for move in left}
        status = next((move.from_status for move in left if move.from_status not in reached), left[0].from_status)
    if len(left) <= MOST_CHAINED and (chain := _chain_of_all(left, status)):
        yield from chain
        return
    while left:
        following = next((move for move in left if move.from_status == status), left[0])
        left.remove(following)
        status = following.to_status
        yield following


def _chain_of_all(moves: Sequence[TransitionDraft], status: str) -> list[TransitionDraft] | None:
    """These transitions as one chain in which each starts where the previous one ended; None if there is no such
    order.
    """
    for position, move in enumerate(moves):
        if move.from_status == status:
            rest = [*moves[:position], *moves[position + 1 :]]
            following = _chain_of_all(rest, move.to_status) if rest else []
            if following is not None:
                return [move, *following]
    return None
