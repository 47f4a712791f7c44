"""URLs from each point, bar and slice of a chart to the rows behind it, which the script combines.

`rows` has a URL per dataset, `buckets` the parameters of each label; without them only the card's own rows open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.urls import reverse

from insights.catalogue.registry import get
from insights.engine.comparison import ANY_AGENT, WITHOUT
from insights.engine.plan import OTHER_ALONE
from insights.pages.drawing import Rest
from insights.query import windows
from insights.query.query import Dimension
from insights.ui.charts import ChartData, Dataset
from insights.ui.filters import MOST_FACET_VALUES, Filters

OTHER_WORK = "other"  # also a class of its own, besides its finer classes
NAMELESS = "unknown"
# Lines of a comparison without a single agent are of another dimension.
ASSISTED = {"none": WITHOUT, "any": ANY_AGENT}
WINDOW_PARAMETERS = frozenset({"range", "from", "to"})


def drill(filters: Filters, drawn: ChartData, key: str = "", dimension: Dimension | None = None) -> dict[str, Any]:
    """For the chart's JSON.  `key` and `dimension` describe the parts of a donut; a trend has its query."""
    if drawn.query is None:
        rows = (
            [_rows(filters, key, filters.facets, dimension, _values(dataset)) for dataset in drawn.datasets]
            if key
            else []
        )
        return {"rows": rows} if any(rows) else {}
    query = drawn.query
    split = query.segments[0] if len(query.segments) == 1 else None
    buckets = [bucket.clipped for bucket in windows.buckets(query.window, query.granularity)]
    if len(buckets) != len(drawn.labels):
        return {}
    return {
        "rows": [
            _without_window(_rows(filters, query.key, query.facets, split, _values(dataset)))
            for dataset in drawn.datasets
        ],
        "buckets": [urlencode({"from": bucket.start.isoformat(), "to": bucket.end.isoformat()}) for bucket in buckets],
    }


def rows_of_part(filters: Filters, key: str, dimension: Dimension, value: str) -> str:
    """The URL of one part's rows in the page's window; replaces other chosen values of the dimension."""
    return _rows(filters, key, filters.facets, dimension, (value,))


def _values(dataset: Dataset) -> tuple[str, ...]:
    """The segment values of a part: one, or those that it combines."""
    return tuple(value or NAMELESS for value in dataset.of) if isinstance(dataset, Rest) else (dataset.key,)


def _rows(
    filters: Filters,
    key: str,
    facets: Mapping[Dimension, tuple[str, ...]],
    dimension: Dimension | None,
    values: tuple[str, ...],
) -> str:
    """The URL of one part's rows; empty without such a facet, or with too many values for a URL."""
    metric = get(key)
    selected = {name: chosen for name, chosen in facets.items() if name in metric.facets}
    if dimension is not None and dimension not in metric.always_by:
        part, chosen = dimension, values
        if values[0] in ASSISTED:
            part, chosen = Dimension.ASSISTANCE, (ASSISTED[values[0]],)
            selected.pop(dimension, None)
        if dimension is Dimension.WORK_TYPE:
            chosen = tuple(OTHER_ALONE if value == OTHER_WORK else value for value in values)
        if part not in metric.facets or len(chosen) > MOST_FACET_VALUES:
            return ""
        selected[part] = chosen
    return replace(filters, choices=(), facets=selected).url(reverse("metric_rows", args=[key]))


def _without_window(address: str) -> str:
    """The URL without its window, to which a bucket's days are added."""
    path, _, query = address.partition("?")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in WINDOW_PARAMETERS]
    return f"{path}?{urlencode(pairs)}" if pairs else path
