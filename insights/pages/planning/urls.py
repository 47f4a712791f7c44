from django.urls import URLPattern, path

from insights.pages.planning.page import PLANNING, planning_page
from insights.pages.routes import page_urls

urlpatterns: list[URLPattern] = [
    path("", planning_page, name="planning"),
    *page_urls(PLANNING.page.name, lambda _request: PLANNING.routes, has_units=False),
    path("<slug:tab>/", planning_page, name="planning_tab"),
]
