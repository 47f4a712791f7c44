"""Array types for annotations only: numpy is imported where it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray

    Integers = NDArray[int64]
    Floats = NDArray[float64]
    Flags = NDArray[bool_]
