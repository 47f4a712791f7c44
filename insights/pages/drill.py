"""From each point, bar and slice of a chart to the rows behind it: addresses that the script puts together.

`rows` has an address for each dataset, `buckets` what each label adds to it; where a dataset has none, or the chart no
rows, nothing can be opened but the card's own rows.
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

OTHER_WORK = "other"  # beside its finer classes a class of its own
NAMELESS = "unknown"
# The lines of a comparison that are of no one agent are of another dimension.
ASSISTED = {"none": WITHOUT, "any": ANY_AGENT}
WINDOW_PARAMETERS = frozenset({"range", "from", "to"})


def drill(filters: Filters, drawn: ChartData, key: str = "", dimension: Dimension | None = None) -> dict[str, Any]:
    """For the chart's JSON.  Of a donut `key` and `dimension` say what its parts are; a trend knows its query."""
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
    """The rows of one part of a metric's figure in the page's window, whatever else of the dimension is chosen."""
    return _rows(filters, key, filters.facets, dimension, (value,))


def _values(dataset: Dataset) -> tuple[str, ...]:
    """The values of the segment that a part stands for: one, or those that it puts together."""
    return tuple(value or NAMELESS for value in dataset.of) if isinstance(dataset, Rest) else (dataset.key,)


def _rows(
    filters: Filters,
    key: str,
    facets: Mapping[Dimension, tuple[str, ...]],
    dimension: Dimension | None,
    values: tuple[str, ...],
) -> str:
    """The rows of one part; empty where no facet picks it, or more values than one address may name."""
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
    """The address to which a bucket's days are put."""
    path, _, query = address.partition("?")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in WINDOW_PARAMETERS]
    return f"{path}?{urlencode(pairs)}" if pairs else path
