"""The oldest work in progress, beside the time within which 85 % of the items are done."""

from __future__ import annotations

from typing import Any

from insights.engine.fact_rows import GREATEST
from insights.pages.answers import PageQuery
from insights.pages.planning.tabs import PLANNING_PAGE
from insights.pages.rows import greatest_rows
from insights.privacy.visible import visible_rows
from insights.query.query import Statistic
from insights.ui import tiles, wording
from insights.ui.filters import Filters

CYCLE_TIME, AGE = "issue.cycle_time", "wip.age"
USUAL = PageQuery(CYCLE_TIME, statistic=Statistic.P85, whole=True)
LISTED, MOST = 10, 500


def ageing_part(filters: Filters) -> dict[str, Any]:
    """The context of insights/planning/_part_ageing.html."""
    usual = tiles.whole(PLANNING_PAGE.read(filters, [USUAL]).now[USUAL])
    context = {
        **greatest_rows(filters, AGE, size=LISTED),
        "title": "Ageing work",
        "part": "insights/planning/_part_ageing.html",
    }
    if usual.value is None:
        return context
    ages = visible_rows(filters.query(AGE), filters.access, size=MOST, order=GREATEST)
    older = sum(row["contribution"] > usual.value for row in ages.rows)
    return {
        **context,
        "usual": str(wording.duration(usual.value)),
        "sample": wording.count(usual.sample_size, "item"),
        "older": f"{older:,}{' or more' if older == MOST else ''} of {wording.count(ages.total, 'item')}",
    }
