"""Formats values of key results.

What is stored stands in the metric's unit of measure: seconds, percent from 0 to 100, US dollars, plain counts.
"""

from __future__ import annotations

from insights.ui.amounts import amount_text
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult


def printed(value: float, key_result: KeyResult) -> str:
    """40.0 h, 80.0%, 12 points."""
    return amount_text(value, unit_of(key_result))
