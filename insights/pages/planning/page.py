"""The page `/insights/planning/`: its declaration, its view and its parts."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from insights.pages.planning.tabs import PLANNING_PAGE, TABS
from insights.pages.tabs import TabbedPage
from insights.ui.views import figures_view


@figures_view
def planning_page(request: HttpRequest, tab: str = "") -> HttpResponseBase:
    opened = PLANNING.open(request, tab)
    return PLANNING.response(request, opened, "insights/planning/planning.html", {})


PLANNING = TabbedPage(PLANNING_PAGE, TABS, (), csv_prefix="headway-planning")
