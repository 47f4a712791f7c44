"""Registry of the published benchmarks an organisation can choose from.

orgtree stores the choice only; insights/apps.py registers the options at start-up.
"""

from __future__ import annotations

from collections.abc import Sequence

Choices = Sequence[tuple[str, str]]  # stored value and label

_offered_sets: list[tuple[str, str]] = []
_offered_peers: list[tuple[str, str]] = []


def offer_benchmark_sets(sets: Choices) -> None:
    """Register benchmark sets, as slug and name."""
    _offered_sets[:] = sets


def offered_benchmark_sets() -> list[tuple[str, str]]:
    """Slug and name of the registered sets."""
    return list(_offered_sets)


def offer_peers(groups: Choices) -> None:
    """Register peer groups."""
    _offered_peers[:] = groups


def offered_peers() -> list[tuple[str, str]]:
    """Stored value and label of the registered peer groups."""
    return list(_offered_peers)
