"""Whether seats are kept at all."""

from __future__ import annotations

from integrations.models import SeatPlan


def has_seats() -> bool:
    return SeatPlan.objects.exists()
