from django.urls import URLPattern, URLResolver, include, path

from insights.pages import badges, catalogue, connect, connect_repository, guided_start, home, how, pickers, rows
from insights.pages import change_token as pulse
from insights.pages.annotations import pages as annotations
from insights.pages.attribution import commit, commits
from insights.pages.compare import page as compare
from insights.pages.dashboards import saved_views
from insights.pages.integrations import page as integrations
from insights.pages.metric import chain
from insights.pages.metric import page as metric
from insights.pages.metric.charts import metric_outliers, routes_of
from insights.pages.records import pages as records
from insights.pages.routes import facet_view, page_urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("home/health/", home.home_health, name="home_health"),
    path("insights/pulse/", pulse.page_change_token, name="pulse"),
    path("insights/ai/attribution/", commits.commits, name="attribution"),
    path("insights/ai/attribution.csv", commits.commits_csv, name="attribution_csv"),
    path("insights/ai/attribution/<slug:sha>/", commit.commit, name="attributed_commit"),
    path("insights/ai/", include("insights.pages.ai.urls")),
    path("insights/delivery/", include("insights.pages.delivery.urls")),
    path("insights/planning/", include("insights.pages.planning.urls")),
    path("insights/dashboards/", include("insights.pages.dashboards.urls")),
    path("insights/views/", saved_views.saved_views, name="saved_views"),
    path("insights/views/menu/", saved_views.saved_views_menu, name="saved_views_menu"),
    path("insights/views/new/", saved_views.saved_view_new, name="saved_view_new"),
    path("insights/views/<int:pk>/", saved_views.saved_view, name="saved_view"),
    path("insights/views/<int:pk>/edit/", saved_views.saved_view_edit, name="saved_view_edit"),
    path("insights/views/<int:pk>/remove/", saved_views.saved_view_remove, name="saved_view_remove"),
    path("insights/compare/", compare.compare, name="compare"),
    path("insights/compare.csv", compare.compare_csv, name="compare_csv"),
    path("insights/compare/parts/<slug:name>/", facet_view(compare.page_of), name="compare_part"),
    path("insights/compare/units/", compare.compare_choices, name="compare_choices"),
    path("insights/units/", pickers.unit_picker, name="unit_picker"),
    path("insights/attributes/", pickers.attribute_menu, name="attribute_menu"),
    path("insights/metrics/", catalogue.metric_catalogue, name="metric_catalogue"),
    path("insights/metrics.csv", catalogue.metric_catalogue_csv, name="metric_catalogue_csv"),
    path("insights/metrics/<str:key>/", metric.metric_page, name="metric_page"),
    path("insights/metrics/<str:key>/", include(page_urls("metric_page", lambda _request, key: routes_of(key)))),
    path("insights/metrics/<str:key>/chain/", chain.metric_chain, name="metric_chain"),
    path("insights/metrics/<str:key>/chain.csv", chain.metric_chain_csv, name="metric_chain_csv"),
    path("insights/metrics/<str:key>/outliers/", metric_outliers, name="metric_outliers"),
    path("insights/metrics/<str:key>/how/", how.metric_how, name="metric_how"),
    path("insights/metrics/<str:key>/rows/", rows.metric_rows, name="metric_rows"),
    path("insights/metrics/<str:key>/rows/first/", rows.metric_first_rows, name="metric_first_rows"),
    path("insights/metrics/<str:key>/rows.csv", rows.metric_rows_csv, name="metric_rows_csv"),
    path("insights/hand-kept/", include("insights.pages.hand_kept.urls")),
    path("insights/badges/", badges.badges, name="badges"),
    path("badges/<str:key>.svg", badges.badge_picture, name="badge_picture"),
    path("insights/pull-requests/<int:pk>/", records.pull_request, name="pull_request"),
    path("insights/work-items/<int:pk>/", records.work_item, name="work_item"),
    path("insights/deployments/<int:pk>/", records.deployment, name="deployment"),
    path("insights/incidents/<int:pk>/", records.incident, name="incident"),
    path("insights/annotations/", annotations.annotation_list, name="annotations"),
    path("insights/annotations/new/", annotations.annotation_new, name="annotation_new"),
    path("insights/annotations/<int:pk>/", annotations.annotation, name="annotation"),
    path("insights/annotations/<int:pk>/remove/", annotations.annotation_remove, name="annotation_remove"),
    path("integrations/", integrations.integrations, name="integrations"),
    path("integrations/live/", integrations.integrations_live, name="integrations_live"),
    path("setup/", guided_start.guided_start, name="guided_start"),
    path("setup/leave/", guided_start.leave_guided_start, name="leave_guided_start"),
    path("setup/agents/", connect.connect_agent, name="connect_agent"),
    path("setup/agents/arrival/", connect.arrival, name="agent_arrival"),
    path("setup/repositories/", connect_repository.connect_repository, name="connect_repository"),
    path("setup/repositories/list/", connect_repository.connections, name="connections"),
    path("api/", include("insights.api.urls")),
]
