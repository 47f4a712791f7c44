"""Random seeds for organisations and histories: one for `make test`, more for `make soak`."""

from __future__ import annotations

from typing import Any

import pytest

SOAKED = 10  # an oracle takes 1 to 15 s for a seed


def seeds(first: int = 1, *, soaked: int = SOAKED) -> list[Any]:
    """`first`, and for `make soak` the `soaked` numbers after it."""
    return [first, *(pytest.param(first + n, marks=pytest.mark.soak) for n in range(1, soaked + 1))]
