"""Scaling of whole line counts so that the parts keep to their total."""

from __future__ import annotations

from collections.abc import Sequence


def fit(amounts: Sequence[int], limit: int) -> list[int]:
    """Scale the amounts down in proportion so that they sum to at most the limit.

    No amount grows.

    >>> fit([6, 3, 3], 8)
    [4, 2, 2]
    """
    total = sum(amounts)
    if total <= limit:
        return list(amounts)
    fitted, before = [], 0
    for amount in amounts:
        fitted.append((before + amount) * limit // total - before * limit // total)
        before += amount
    return fitted
