"""The page `/insights/planning/`: its declaration, its view and its parts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from insights.catalogue.registry import get
from insights.engine.fact_rows import GREATEST
from insights.pages.answers import PageQuery
from insights.pages.planning.forecasts import calibration_csv, forecasts_card, forecasts_csv, shipping_part
from insights.pages.planning.sprint_report import LISTED, report_context, report_of_scope, verdict
from insights.pages.planning.tabs import PLANNING_PAGE
from insights.pages.presenter import Additions, OwnCard
from insights.pages.rows import greatest_rows
from insights.pages.tabs import OpenTab, TabbedPage
from insights.privacy.visible import visible_rows
from insights.query.query import Statistic
from insights.ui import tiles, wording
from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_name

CYCLE_TIME, AGE = "issue.cycle_time", "wip.age"
USUAL = PageQuery(CYCLE_TIME, statistic=Statistic.P85, whole=True)
OLDEST_LISTED, MOST_COUNTED = 8, 500


def _report(request: HttpRequest, opened: OpenTab) -> dict[str, Any]:
    """The sprint report above the figures of the tab *Sprints*."""
    if opened.answers.page.tab:
        return {}
    filters = opened.answers.filters
    report = report_of_scope(request, filters, opened.around)
    if report is None:
        return {"has_no_sprint": True}
    return {
        "verdict": verdict(report, scope_name(filters, opened.around)) if opened.around.unit else None,
        "report": report_context(report, filters, opened.around),
    }


def _ageing(filters: Filters) -> dict[str, Any]:
    """The oldest work in progress, compared with the time within which 85 % of the items are done."""
    usual = tiles.whole(PLANNING_PAGE.read(filters, [USUAL]).now[USUAL])
    context = {
        **greatest_rows(filters, get(AGE), size=OLDEST_LISTED),
        "title": "Ageing work",
        "part": "insights/planning/_part_ageing.html",
    }
    if usual.value is None:
        return context
    ages = visible_rows(filters.query(AGE), filters.access, size=MOST_COUNTED, order=GREATEST)
    older = sum(row["contribution"] > usual.value for row in ages.rows)
    return {
        **context,
        "usual": str(wording.duration(usual.value)),
        "sample": wording.count(usual.sample_size, "item"),
        "older": f"{older:,}{' or more' if older == MOST_COUNTED else ''} of {wording.count(ages.total, 'item')}",
    }


PLANNING = TabbedPage(
    PLANNING_PAGE,
    "insights/planning/planning.html",
    own=Additions(
        cards={
            "ageing": OwnCard(part=_ageing),
            "forecasts": OwnCard(forecasts_card, table=forecasts_csv),
            "calibration": OwnCard(table=calibration_csv),
            "shipping": OwnCard(part=shipping_part),  # of the home page
        },
    ),
    own_choices=(LISTED,),
    more=_report,
)
