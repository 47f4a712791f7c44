"""The baseline next to each row of the form: value, window, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.catalogue.registry import find
from insights.query import windows
from insights.query.enums import Better
from insights.query.query import Statistic
from insights.ui import wording
from insights.ui.amounts import amount_text
from orgtree.access.access import Access
from programs.key_results.services.baselines import BaselinePreview, baseline_previews
from programs.models import Quarter
from programs.teams.pages import WHOLE

DIRECTIONS = {
    Better.HIGHER: "Higher is better.",
    Better.LOWER: "Lower is better.",
    Better.NEITHER: "Neither direction is better by itself: choose one.",
}


@dataclass(frozen=True)
class BaselineLine:
    text: str  # "57.0 h, 1 Jul – 30 Sep 2026, from 412 facts"; empty where there is no metric
    reason: str  # why there is none
    direction: str


NOTHING = BaselineLine("", "", "")


def baseline_lines(
    rows: Sequence[tuple[str, str]], unit: str, quarter: str, known: Sequence[Quarter], access: Access
) -> list[BaselineLine]:
    """Of each row's metric and statistic; nothing for rows without a metric."""
    chosen = next((row for row in known if row.start.isoformat() == quarter), None)
    requested = [(key, statistic if statistic in set(Statistic) else "") for key, statistic in rows]
    positions = [position for position, (key, _) in enumerate(requested) if find(key)]
    lines = [NOTHING] * len(rows)
    if chosen is None or not unit or not positions:
        return lines
    slug = None if unit == WHOLE else unit
    queries = [requested[position] for position in positions]
    previews = baseline_previews(queries, slug, chosen, access, today=windows.local_today())
    for position, preview in zip(positions, previews, strict=True):
        lines[position] = _line(requested[position][0], preview)
    return lines


def _line(key: str, preview: BaselinePreview) -> BaselineLine:
    metric = find(key)
    if metric is None:
        return NOTHING
    direction, days = DIRECTIONS[metric.better], wording.days(preview.window)
    if preview.value is None:
        return BaselineLine("", f"{preview.reason or 'No data.'} ({days})", direction)
    facts = f", from {wording.count(preview.sample_size, 'fact')}" if preview.sample_size else ""
    return BaselineLine(f"{amount_text(preview.value, metric.unit.value)}, {days}{facts}", "", direction)
