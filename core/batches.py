"""Work in batches, as itertools.batched of Python 3.12 does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batched(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The values in their order, at most `size` at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))
