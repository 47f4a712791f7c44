"""Previews of key results' baselines, before saving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from insights.privacy.visible import Freshness, visible_totals
from insights.query.errors import QueryError
from insights.query.query import Window
from orgtree.access.access import Access
from programs.key_results.services.reading import baseline_window, metric_of, metric_query
from programs.models import Quarter

NO_SUCH_METRIC = "There is no such metric."


@dataclass(frozen=True)
class BaselinePreview:
    """A metric over the days before the quarter, in its unit of measure; None with the `reason` why."""

    value: float | None
    window: Window
    reason: str = ""
    people: int = 0
    sample_size: int = 0


def baseline_previews(
    requests: Sequence[tuple[str, str]], unit: str | None, quarter: Quarter, access: Access, *, today: date
) -> list[BaselinePreview]:
    """Of each metric and statistic, for that unit (slug; None: the whole organisation), as this viewer may see it.

    All of them are read together, or each by itself where one cannot be asked.
    """
    window = baseline_window(quarter.window, today)
    previews = [BaselinePreview(None, window, NO_SUCH_METRIC)] * len(requests)
    known = [position for position, (key, _) in enumerate(requests) if metric_of(key)]
    if not known:
        return previews
    queries = [metric_query(*requests[position], unit, window) for position in known]
    try:
        answers = visible_totals(queries, access, freshness=Freshness.OF_PAGES)
    except QueryError as problem:
        if len(requests) == 1:
            return [BaselinePreview(None, window, problem.message)]
        return [
            preview for draft in requests for preview in baseline_previews([draft], unit, quarter, access, today=today)
        ]
    for position, answer in zip(known, answers, strict=True):
        figure = answer.total[0]
        previews[position] = BaselinePreview(
            figure.value, window, figure.reason or "", figure.people, figure.sample_size
        )
    return previews
