from django.urls import URLPattern, path

from insights.pages.delivery import charts, page, sections
from insights.pages.delivery.tabs import DELIVERY_PAGE
from insights.pages.routes import PageRoutes, page_urls
from insights.pages.units import DELIVERY_COLUMNS

ROUTES = PageRoutes(
    DELIVERY_PAGE,
    page.page_filters,
    DELIVERY_COLUMNS,
    sections.PARTS,
    charts.CHARTS,
    tables=charts.TABLES,
    csv_prefix="headway-delivery",
)

urlpatterns: list[URLPattern] = [
    path("", page.delivery_page, name="delivery"),
    *page_urls(DELIVERY_PAGE.name, lambda _request: ROUTES),
    path("<slug:tab>/", page.delivery_page, name="delivery_tab"),
]
