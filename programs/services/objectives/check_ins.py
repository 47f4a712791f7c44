"""Check-ins: what somebody says of an objective at a time."""

from __future__ import annotations

from orgtree.services.access import Access
from programs.models import CheckIn, Objective


def check_in(
    access: Access,
    objective: Objective,
    *,
    confidence: str,
    key_result: int | None = None,
    note: str = "",
    value: float | None = None,
) -> CheckIn:
    """`value` is of a key result that is entered by hand.  Raises ObjectiveError, MayNotWriteObjectiveError."""
    raise NotImplementedError
