"""The difference between the picked line and Non-AI, with its interval; a separate part, because it reads facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.csv_export import Cell
from insights.engine.compared_lines import ANY_AGENT
from insights.pages.ai.lines import COMPARED, FATE, LINE, of_work, query_of
from insights.pages.compared import Compared, beside_non_ai, beside_non_ai_csv
from insights.privacy.visible import visible_totals
from insights.query.query import Dimension, Freshness
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.tiles import by_segment

WHY_LEFT_OUT = {"pending": "merged less than 21 full days ago", "unknown": "without a clone that shows their lines"}


def differences_table(filters: Filters) -> Iterator[list[Cell]]:
    """The same as numbers; of withheld figures only the reason."""
    narrowed = of_work(filters)
    queries = [query_of(narrowed, key) for key in COMPARED]
    return beside_non_ai_csv(narrowed, filters.picked[LINE.parameter], queries)


def differences(filters: Filters) -> dict[str, Any]:
    return _of_metrics(of_work(filters), filters.picked[LINE.parameter], COMPARED)


def fate_differences(filters: Filters) -> dict[str, Any]:
    """Pull request outcomes with any agent and without; a repository's commits name no agent."""
    narrowed = replace(of_work(filters), facets={})
    return {**_of_metrics(narrowed, ANY_AGENT, FATE), "note": _lines_left_out(narrowed)}


def _of_metrics(filters: Filters, line: str, metrics: Mapping[str, Compared]) -> dict[str, Any]:
    return beside_non_ai(filters, line, [(compared, query_of(filters, key)) for key, compared in metrics.items()])


def _lines_left_out(filters: Filters) -> str:
    """A sentence with the number of pull requests whose rewritten lines are unknown."""
    query = replace(query_of(filters, "pr.rewritten_left_out"), segments=(Dimension.LINES_KNOWN,))
    [answer] = visible_totals([query], filters.access, freshness=Freshness.OF_PAGES)
    known = by_segment(answer, Dimension.LINES_KNOWN)
    counted = {name: int(known[name].numerator or 0) for name in WHY_LEFT_OUT if name in known}
    parts = [f"{wording.count(count, 'PR')} {WHY_LEFT_OUT[name]}" for name, count in counted.items() if count]
    return f"Lines rewritten leave out {' and '.join(parts)}." if parts else ""
