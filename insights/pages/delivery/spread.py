"""The distribution of lead time and cycle time, and the slowest changes."""

from __future__ import annotations

from typing import Any

from insights.engine.fact_rows import RowOrder
from insights.pages.answers import Answers, PageQuery
from insights.pages.delivery.dora import TILES as DORA_TILES
from insights.pages.drawing import BULK, histogram
from insights.pages.rows import record_url
from insights.privacy.visible import visible_distribution, visible_rows
from insights.query.query import Query
from insights.ui import wording
from insights.ui.charts import ChartData
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard

SPREAD = Choice("spread", {"dora.lead_time": "Lead time", "pr.cycle_time": "Cycle time"})
TITLES = {"dora.lead_time": "Lead time distribution", "pr.cycle_time": "Cycle time distribution"}
QUERIES = tuple(PageQuery(key) for key in TITLES if key not in DORA_TILES)
SLOWEST_LISTED = 8


def spread_card(answers: Answers) -> ChartCard:
    key = answers.filters.picked[SPREAD.parameter]
    figure = answers.figure(key)
    return answers.card(
        "spread",
        key,
        title=TITLES[key],
        kind="stacked_bar",
        span=6,
        missing=None if figure.value is not None else figure,
        pickers=answers.pickers(SPREAD),
    )


def query_of(filters: Filters) -> Query:
    """The query of the picked duration, without the page's statistic."""
    return filters.query(filters.picked[SPREAD.parameter])


def spread_chart(filters: Filters) -> ChartData:
    distribution = visible_distribution(query_of(filters), filters.access)
    tail = f"Slowest {100 - BULK}%"
    return histogram(distribution, "seconds", facts="Pull requests", tail=tail, label_name="Took")


def slowest(filters: Filters) -> dict[str, Any]:
    """The slowest changes, pull requests with links to their pages."""
    query = query_of(filters)
    rows = visible_rows(query, filters.access, size=SLOWEST_LISTED, order=RowOrder.GREATEST)
    longest = max((row["contribution"] for row in rows.rows), default=0.0) or 1.0
    return {
        "rows": [
            {
                "title": row.get("title") or row.get("reference") or "Change",
                "reference": row.get("reference") or "",
                "url": record_url("pull_request", row["fact_id"]),
                "person": row["person"],
                "took": str(wording.duration(row["contribution"])),
                "fraction": row["contribution"] / longest,
            }
            for row in rows.rows
        ],
        "what": SPREAD.options[query.key].lower(),
        "note": rows.note,
    }
