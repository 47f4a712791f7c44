"""The routes of a page of figures: parts that load after it, its charts, and its table of units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from core.csv_export import Cell, csv_response
from core.views import page_view, part_view
from insights.annotations.notes import with_notes
from insights.columns.source import PAGE
from insights.engine.live_rows import rows_of_answer
from insights.findings.marks import with_findings
from insights.pages.answers import TAB, InsightsPage
from insights.pages.drawing import drill
from insights.pages.filter_bar import facet_part
from insights.pages.lines import WITH_BANDS
from insights.pages.units import TREE, Column, UnitsOfPage, unassigned_row, units_csv, units_table
from insights.ui import wording
from insights.ui.agreements import with_agreement
from insights.ui.charts import ChartData, chart_response
from insights.ui.filters import Filters
from insights.ui.views import render_part

Charts = Mapping[str, Callable[[Filters], ChartData]]
Parts = Mapping[str, Callable[[Filters], dict[str, Any]]]


@dataclass(frozen=True)
class PageRoutes:
    """The views behind the routes that `page` names in its URLs.

    A part returns its template's context: `part` names the template, by default _part_<name>.html.  The CSV file of a
    chart includes its bands, or is a table of its own.  `filters_of` returns the filters of a part, a chart or a table
    by its name, from those of the page.
    """

    page: InsightsPage
    filters: Callable[[HttpRequest], Filters]
    units: Sequence[Column]
    parts: Parts
    charts: Charts
    tables: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = field(default_factory=dict)
    filters_of: Callable[[str, Filters], Filters] = lambda _name, filters: filters
    file_name: str = ""  # by default that of the page

    def part(self, request: HttpRequest, name: str) -> HttpResponse:
        """One part of the page.  Raises Http404, QueryError."""
        filters = self.filters(request)
        with rows_of_answer(PAGE) as rows:
            part = self.parts.get(name)
            context = part(self.filters_of(name, filters)) if part else facet_part(self._page(request), filters, name)
        lacking = wording.still_to_come(rows.lag.days_lacking)
        return render_part(request, {"part": f"insights/_part_{name}.html", "lacking": lacking, **context}, filters)

    def chart(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """A chart of the page.  Raises Http404 if it has no such chart, QueryError."""
        filters = self.filters_of(name, self.filters(request))
        drawn = self._drawn(name, filters)
        return chart_response(request, drawn, drill(filters, drawn))

    def chart_csv(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """The file of a chart or table; it is read completely before the response begins.  Raises Http404,
        QueryError.
        """
        filters = self.filters_of(name, self.filters(request))
        with_bands = f"{name}{WITH_BANDS}"
        whole = with_bands if with_bands in self.charts else name
        rows = [*(self.tables[name](filters) if name in self.tables else self._drawn(whole, filters).rows())]
        return csv_response(f"{self.file_name or self.page.file_name}-{name.replace('_', '-')}", rows)

    def of_units(self, request: HttpRequest) -> UnitsOfPage:
        """The page's table of units.  Raises Http404 if it has none, QueryError."""
        if not self.units:
            raise Http404("It is always split in another way.")
        return UnitsOfPage(self._page(request), self.filters(request), self.units, request.GET.get(TREE, ""))

    def _page(self, request: HttpRequest) -> InsightsPage:
        return self.page.at(request.GET.get(TAB, ""))

    def _drawn(self, name: str, filters: Filters) -> ChartData:
        """The chart with notes, found changes, threshold and target, as far as the viewer may see them."""
        if name not in self.charts:
            raise Http404("No such chart.")
        with rows_of_answer(PAGE) as rows:
            drawn = self.charts[name](filters)
            marked = with_findings(with_notes(drawn, filters.access), filters.access)
            return replace(with_agreement(marked, filters.access), days_lacking=rows.lag.days_lacking)


def facet_view(page_of: Callable[..., tuple[InsightsPage, Filters]]) -> Callable[..., HttpResponseBase]:
    """The view of the menus of a page's facets, each as a part or as a separate page."""

    def view(request: HttpRequest, name: str, **about: str) -> HttpResponseBase:
        page, filters = page_of(request, **about)
        return render_part(request, facet_part(page, filters, name), filters)

    return part_view(view)


def page_urls(name: str, routes: Callable[..., PageRoutes], *, has_units: bool = True) -> list[URLPattern]:
    """The routes of the page `name`; `routes` returns the views for a request and the path arguments of the page."""

    def view(answer: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        def of_page(request: HttpRequest, **given: str) -> HttpResponseBase:
            named = {"name": given.pop("name")} if "name" in given else {}
            return answer(routes(request, **given), request, **named)

        return of_page

    def of_units(answer: Callable[[HttpRequest, UnitsOfPage], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return view(lambda routes, request: answer(request, routes.of_units(request)))

    of_table = [
        path("units/", part_view(of_units(units_table)), name=f"{name}_units"),
        path("units/unassigned/", part_view(of_units(unassigned_row)), name=f"{name}_units_unassigned"),
        path("units.csv", page_view(of_units(units_csv)), name=f"{name}_units_csv"),
    ]
    return [
        path("parts/<slug:name>/", part_view(view(PageRoutes.part)), name=f"{name}_part"),
        path("charts/<slug:name>/", page_view(view(PageRoutes.chart)), name=f"{name}_chart"),
        path("charts/<slug:name>.csv", page_view(view(PageRoutes.chart_csv)), name=f"{name}_chart_csv"),
        *(of_table if has_units else ()),
    ]
