"""Whole lines shared out: nothing is lost, nothing is counted twice."""

from __future__ import annotations

from collections.abc import Sequence


def share_evenly(amount: int, parts: int) -> list[int]:
    """The amount in that many parts, as equal as whole numbers are; they sum to it.

    >>> share_evenly(7, 3)
    [3, 2, 2]
    """
    least, left = divmod(amount, parts)
    return [least + (position < left) for position in range(parts)]


def fit(amounts: Sequence[int], limit: int) -> list[int]:
    """The amounts as they are, or scaled down in proportion so that they sum to the limit.

    None becomes greater than it was.

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
