"""From each point, bar and slice of a chart to the rows behind it: addresses that the script puts together.

`rows` has an address for each dataset, `buckets` what each label adds to it; where a dataset has none, or the chart no
rows, nothing can be opened but the card's own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from insights import windows
from insights.charts import ChartData
from insights.filters import Filters
from insights.metrics.query import Dimension
from insights.metrics.registry import get

# Of several values, of nobody's agent, or of any: no facet says so.
NO_FACET = frozenset({"other", "none", "any"})
WINDOW_PARAMETERS = frozenset({"range", "from", "to"})


def drill(filters: Filters, drawn: ChartData, key: str = "", dimension: Dimension | None = None) -> dict[str, Any]:
    """For the chart's JSON.  Of a donut `key` and `dimension` say what its parts are; a trend knows its query."""
    if drawn.query is None:
        rows = [_rows(filters, key, dimension, dataset.key) for dataset in drawn.datasets] if key else []
        return {"rows": rows} if any(rows) else {}
    query = drawn.query
    split = query.segments[0] if len(query.segments) == 1 else None
    buckets = [bucket.clipped for bucket in windows.buckets(query.window, query.granularity)]
    if len(buckets) != len(drawn.labels):
        return {}
    return {
        "rows": [_rows(filters, query.key, split, dataset.key, of_bucket=True) for dataset in drawn.datasets],
        "buckets": [urlencode({"from": bucket.start.isoformat(), "to": bucket.end.isoformat()}) for bucket in buckets],
    }


def _rows(filters: Filters, key: str, dimension: Dimension | None, value: str, *, of_bucket: bool = False) -> str:
    """The rows of one part; empty where no facet picks it.  Of a bucket, the window is put behind it."""
    metric = get(key)
    kept = replace(filters, choices=(), facets={d: v for d, v in filters.facets.items() if d in metric.facets})
    if dimension is not None and dimension not in metric.always_by:
        if value in NO_FACET or dimension not in metric.facets:
            return ""
        kept = replace(kept, facets={**kept.facets, dimension: (value,)})
    pairs: Sequence[tuple[str, str]] = kept.parameters()
    if of_bucket:
        pairs = [pair for pair in pairs if pair[0] not in WINDOW_PARAMETERS]
    path = reverse("metric_rows", args=[key])
    return f"{path}?{urlencode(pairs)}" if pairs else path
