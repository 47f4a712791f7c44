"""Split whole lines so that the parts sum to the total."""

from __future__ import annotations

from collections.abc import Sequence


def share_evenly(amount: int, parts: int) -> list[int]:
    """Split the amount into that many parts that differ by at most one.

    >>> share_evenly(7, 3)
    [3, 2, 2]
    """
    least, left = divmod(amount, parts)
    return [least + (position < left) for position in range(parts)]


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
