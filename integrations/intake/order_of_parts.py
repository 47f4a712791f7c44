"""The order of a record's parts within one moment: providers write whole seconds, and scripts do two things in one.

Parts of different moments are in the order of their times.  Those of one moment are in the provider's order; among
transitions, the next is the one that leaves the status to which the last one led, so that all form a chain if possible.
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
    """All of a record's parts, each with its position in its moment."""
    return [part for moment in _moments(parts) for part in _positioned(moment)]


def moves_in_order(moves: Sequence[TransitionDraft]) -> list[TransitionDraft]:
    """All of a record's transitions, each with its position in its moment."""
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
    """The transitions of one moment, from `status` on; if that is unknown, from a status to which none of them
    leads.
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
    """All of these transitions, each from where the last one led; None if there is no such order."""
    for position, move in enumerate(moves):
        if move.from_status == status:
            rest = [*moves[:position], *moves[position + 1 :]]
            following = _chain_of_all(rest, move.to_status) if rest else []
            if following is not None:
                return [move, *following]
    return None
