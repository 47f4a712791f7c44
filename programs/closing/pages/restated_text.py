"""What stands beside a frozen value that reads differently today."""

from __future__ import annotations

from insights.ui.amounts import amount_text
from programs.closing.services.restated import Restated


def restated_text(restated: Restated, *, value: float | None, unit: str, version: int | None, sample_size: int) -> str:
    """`value`, `version` of the formula and `sample_size` are the frozen ones; empty where both read the same."""
    if restated.figure is None:
        return "hidden: the two values would reveal few people"
    today = _amount(restated.figure.value, unit, "no data")
    if today == _amount(value, unit, "–"):
        return ""
    if restated.version != version:
        return f"{today} today, by version {restated.version} of the formula"
    now = restated.figure.sample_size
    return f"{today} today, of {now:,} facts instead of {sample_size:,}" if sample_size != now else f"{today} today"


def _amount(value: float | None, unit: str, missing: str) -> str:
    return missing if value is None else amount_text(value, unit)
