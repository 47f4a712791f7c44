"""Which published sets an organisation can choose to be shown beside: orgtree keeps the choice and knows none of them,
so that whoever has them names them here at start-up (insights/apps.py)."""

from __future__ import annotations

from collections.abc import Sequence

_offered: list[tuple[str, str]] = []


def offer_benchmark_sets(sets: Sequence[tuple[str, str]]) -> None:
    """Let these sets, as slug and name, be chosen from."""
    _offered[:] = sets


def offered_benchmark_sets() -> list[tuple[str, str]]:
    """Slug and name of the sets that can be chosen."""
    return list(_offered)
