from django.urls import URLPattern, path

from insights.pages.planning.initiative import initiative_page
from insights.pages.planning.page import PLANNING, planning_page
from insights.pages.planning.sprint_report import sprint_csv, sprint_days, sprint_days_csv
from insights.pages.routes import page_urls

urlpatterns: list[URLPattern] = [
    path("", planning_page, name="planning"),
    *page_urls(PLANNING.page.name, lambda _request: PLANNING.routes, has_units=False),
    path("sprints/<int:pk>.csv", sprint_csv, name="planning_sprint_csv"),
    path("sprints/<int:pk>/days/", sprint_days, name="planning_sprint_days"),
    path("sprints/<int:pk>/days.csv", sprint_days_csv, name="planning_sprint_days_csv"),
    path("initiative/", initiative_page, name="initiative"),
    path("<slug:tab>/", planning_page, name="planning_tab"),
]
