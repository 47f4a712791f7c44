"""Date ranges as text."""

from __future__ import annotations

from datetime import date


def date_range_in_words(start: date | None, end: date | None) -> str:
    """`end` is exclusive."""
    if start is None:
        return "always" if end is None else f"until {end}"
    return f"from {start}" if end is None else f"{start} – {end}"
