"""Which published figures an organisation can choose to be shown beside.

orgtree keeps the choice and knows none of them: whoever has them names them here at start-up (insights/apps.py).
"""

from __future__ import annotations

from collections.abc import Sequence

Choices = Sequence[tuple[str, str]]  # what is kept, and its name

_offered_sets: list[tuple[str, str]] = []
_offered_peers: list[tuple[str, str]] = []


def offer_benchmark_sets(sets: Choices) -> None:
    """Let these sets, as slug and name, be chosen from."""
    _offered_sets[:] = sets


def offered_benchmark_sets() -> list[tuple[str, str]]:
    """Slug and name of the sets that can be chosen."""
    return list(_offered_sets)


def offer_peers(groups: Choices) -> None:
    """Let these groups of organisations be chosen from."""
    _offered_peers[:] = groups


def offered_peers() -> list[tuple[str, str]]:
    """What is kept of a group, and its name."""
    return list(_offered_peers)
