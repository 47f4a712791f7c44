from functools import partial

from django.urls import URLPattern, URLResolver, include, path

from insights.pages.dashboards import editor, listing, page
from insights.pages.routes import page_urls

OF_DRAFT = page_urls("dashboard_edit", partial(page.routes, is_draft=True), has_units=False)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", listing.dashboards, name="dashboards"),
    path("new/", listing.dashboard_new, name="dashboard_new"),
    path("<int:pk>/", page.dashboard, name="dashboard"),
    path("<int:pk>/", include(page_urls("dashboard", page.routes, has_units=False))),
    path("<int:pk>/edit/", editor.dashboard_edit, name="dashboard_edit"),
    path("<int:pk>/edit/", include(OF_DRAFT)),
    path("<int:pk>/preview/", editor.dashboard_preview, name="dashboard_preview"),
    path("<int:pk>/act/", editor.dashboard_act, name="dashboard_act"),
    path("<int:pk>/cards/new/", editor.card_new, name="dashboard_card_new"),
    path("<int:pk>/cards/<slug:card>/", editor.card_edit, name="dashboard_card"),
    path("<int:pk>/share/", editor.dashboard_share, name="dashboard_share"),
    path("<int:pk>/publish/", editor.dashboard_publish, name="dashboard_publish"),
    path("<int:pk>/copy/", editor.dashboard_copy, name="dashboard_copy"),
    path("<int:pk>/home/", editor.dashboard_home, name="dashboard_home"),
    path("<int:pk>/remove/", editor.dashboard_remove, name="dashboard_remove"),
    path("<int:pk>/export/", editor.dashboard_export, name="dashboard_export"),
]
