"""Answers as the JSON documents that the API sends and the command prints.  Shapes: docs/reference/api.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.engine.contributions import RowsPage
from insights.engine.distribution import DistributionAnswer
from insights.query import windows
from insights.query.query import Answer, MetricValue, Query, Window
from insights.ui import tiles, wording
from insights.ui.shortfalls import Shortfall

Document = dict[str, Any]


MOST_SEGMENTS = 200  # on a page


def series_document(answer: Answer, lacking: Sequence[Shortfall], segment_page: int | None = None) -> Document:
    """The answer as a document; for a split answer, one page of its segments, the same in the window and in all
    buckets.
    """
    ranked = _segments_by_size(answer)
    is_paged = segment_page is not None and ranked != [()]
    first = (segment_page - 1) * MOST_SEGMENTS if is_paged and segment_page else 0
    listed = {*ranked[first : first + MOST_SEGMENTS]} if is_paged else {*ranked}
    return {
        **heading(answer.query),
        "granularity": answer.query.granularity.value,
        "computed_at": instant(answer.computed_at),
        "fresh_until": instant(answer.fresh_until),
        **({} if answer.query.scope.unit or answer.query.scope.person_id else {"unmatched": answer.unmatched}),
        **({"segment_page": segment_page, "segments": len(ranked)} if is_paged and len(ranked) > MOST_SEGMENTS else {}),
        "total": [figure_document(figure) for figure in answer.total if _segment(figure) in listed],
        "series": [
            {"from": figure.window.start.isoformat(), "to": figure.window.end.isoformat(), **figure_document(figure)}
            for figure in answer.series
            if _segment(figure) in listed
        ],
        "shortfalls": [
            {"key": shortfall.key, "count": shortfall.count, "sentence": shortfall.sentence} for shortfall in lacking
        ],
    }


def _segments_by_size(answer: Answer) -> list[tuple[str, ...]]:
    """The segments by their number of facts in the whole window; hidden ones come last, by name, so that their position
    reveals nothing.
    """
    sizes = {
        _segment(figure): (figure.withheld, 0 if figure.withheld else -figure.sample_size) for figure in answer.total
    }
    return sorted(sizes, key=lambda segment: (sizes[segment], segment))


def _segment(figure: MetricValue) -> tuple[str, ...]:
    return tuple(figure.segment.values())


def figure_with_change(answer: Answer, earlier: Answer) -> Document:
    """The value of the window next to that of the window before.  The buckets show how much the value varies
    normally.
    """
    metric, [now], [before] = get(answer.query.key), answer.total, earlier.total
    comparison = tiles.earlier(answer.query.window, earlier.query.window)
    change = tiles.change(metric, now, before, comparison, answer.series)
    return {
        **heading(answer.query),
        "computed_at": instant(answer.computed_at),
        **figure_document(now),
        "text": _in_words(metric, now),
        "previous": {
            "from": earlier.query.window.start.isoformat(),
            "to": earlier.query.window.end.isoformat(),
            **figure_document(before),
            "text": _in_words(metric, before),
        },
        "change": {"text": change.text, "judgement": change.judgement} if change else None,
    }


def _in_words(metric: Metric, figure: MetricValue) -> str | None:
    return None if figure.value is None else str(wording.reading(figure.value, metric.unit))


def quarter_document(quarter: Window) -> Document:
    name = windows.quarter_name(quarter.start)
    return {"name": name, "from": quarter.start.isoformat(), "to": quarter.end.isoformat()}


def rows_document(page: RowsPage) -> Document:
    return {
        **heading(page.query),
        "recipe": page.recipe,
        "note": page.note or None,
        "columns": [{"name": c.name, "label": c.label, "meaning": c.meaning} for c in page.columns],
        "total": page.total,
        "page": page.page,
        "size": page.size,
        "rows": [{name: _plain(value) for name, value in row.items()} for row in page.rows],
    }


def distribution_document(spread: DistributionAnswer) -> Document:
    return {
        **heading(spread.query),
        "sample_size": spread.sample_size,
        "minimum": spread.minimum,
        "maximum": spread.maximum,
        "mean": spread.mean,
        "percentiles": dict(spread.percentiles),
        "histogram": [{"from": bin_.start, "to": bin_.end, "count": bin_.count} for bin_ in spread.histogram],
        "reason": spread.reason,
    }


def heading(query: Query) -> Document:
    """The query, and the properties of its metric."""
    metric = get(query.key)
    statistic = query.statistic or metric.statistic
    return {
        "key": metric.key,
        "version": metric.version,
        "unit_of_measure": metric.unit.value,
        "better": metric.better.value,
        "belongs_to": metric.belongs_to.value,
        "hand_kept": metric.is_hand_kept,
        "statistic": statistic.value if statistic else None,
        "time_zone": settings.TIME_ZONE,
        "scope": {"unit": query.scope.unit_word, "where": {name: list(v) for name, v in query.scope.where.items()}},
        "facets": {dimension.value: list(values) for dimension, values in query.facets.items()},
        "from": query.window.start.isoformat(),
        "to": query.window.end.isoformat(),
    }


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


def figure_document(figure: MetricValue) -> Document:
    """One figure without its window."""
    return {
        "segment": dict(figure.segment),
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "sample_size": None if figure.withheld else figure.sample_size,
        "people": None if figure.withheld else figure.people,
        "reason": figure.reason,
        "to_date": figure.to_date,
        "left_out": None if figure.withheld else figure.left_out,
        **({} if figure.low is None else {"range": {"low": figure.low, "high": figure.high}}),
        **({"evidence": dict(figure.mix)} if figure.mix else {}),
    }
