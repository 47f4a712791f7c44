"""The page `/insights/planning/`: its declaration, its view and its parts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from insights.pages.planning.ageing import ageing_part
from insights.pages.planning.forecasts import calibration_csv, forecasts_card, forecasts_csv, shipping_part
from insights.pages.planning.sprint_report import LISTED, report_context, report_of_scope, verdict
from insights.pages.planning.tabs import PLANNING_PAGE, TABS
from insights.pages.presenter import Additions, OwnCard
from insights.pages.tabs import OpenTab, TabbedPage
from insights.ui.scope_bar import scope_name
from insights.ui.views import figures_view


@figures_view
def planning_page(request: HttpRequest, tab: str = "") -> HttpResponseBase:
    opened = PLANNING.open(request, tab)
    more = {} if tab else _report(request, opened)
    return PLANNING.response(request, opened, "insights/planning/planning.html", more)


def _report(request: HttpRequest, opened: OpenTab) -> dict[str, Any]:
    """The sprint report above the figures of the tab *Sprints*."""
    filters = opened.answers.filters
    report = report_of_scope(request, filters, opened.around)
    if report is None:
        return {"has_no_sprint": True}
    return {
        "verdict": verdict(report, scope_name(filters, opened.around)) if opened.around.unit else None,
        "report": report_context(report, filters, opened.around),
    }


PLANNING = TabbedPage(
    PLANNING_PAGE,
    TABS,
    (),
    own=Additions(cards={"forecasts": OwnCard(forecasts_card)}),
    own_choices=(LISTED,),
    own_parts={"ageing": ageing_part, "shipping": shipping_part},
    own_tables={"forecasts": forecasts_csv, "calibration": calibration_csv},
    csv_prefix="headway-planning",
)
