from django.urls import URLPattern, URLResolver, include, path

from insights.pages import badges, catalogue, connect, connect_repository, home, how, pickers, rows
from insights.pages import change_token as pulse
from insights.pages.ai import adoption_rows, charts, leaderboard, page, parts, prices, repositories
from insights.pages.ai import units as ai_units
from insights.pages.ai.costs import page as costs
from insights.pages.ai.sessions import listing as session_list
from insights.pages.ai.sessions import page as session
from insights.pages.annotations import pages as annotations
from insights.pages.attribution import commit, commits
from insights.pages.compare import page as compare
from insights.pages.integrations import page as integrations
from insights.pages.metric import chain
from insights.pages.metric import charts as metric_charts
from insights.pages.metric import page as metric
from insights.pages.metric import rows as metric_rows
from insights.pages.metric import units as metric_units
from insights.pages.records import pages as records

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("home/health/", home.home_health, name="home_health"),
    path("insights/pulse/", pulse.page_change_token, name="pulse"),
    path("insights/ai/", page.ai_page, name="ai"),
    path("insights/ai/parts/<slug:name>/", parts.ai_part, name="ai_part"),
    path("insights/ai/charts/<slug:name>/", charts.ai_chart, name="ai_chart"),
    path("insights/ai/charts/<slug:name>.csv", charts.ai_chart_csv, name="ai_chart_csv"),
    path("insights/ai/units/", ai_units.ai_units, name="ai_units"),
    path("insights/ai/units/unassigned/", ai_units.ai_units_unassigned, name="ai_units_unassigned"),
    path("insights/ai/units.csv", ai_units.ai_units_csv, name="ai_units_csv"),
    path("insights/ai/leaderboard/", leaderboard.leaderboard, name="ai_leaderboard"),
    path("insights/ai/leaderboard/parts/<slug:name>/", leaderboard.leaderboard_part, name="ai_leaderboard_part"),
    path("insights/ai/leaderboard.csv", leaderboard.leaderboard_csv, name="ai_leaderboard_csv"),
    path("insights/ai/sessions/", session_list.sessions, name="ai_sessions"),
    path("insights/ai/sessions/parts/<slug:name>/", session_list.sessions_part, name="ai_sessions_part"),
    path("insights/ai/sessions.csv", session_list.sessions_csv, name="ai_sessions_csv"),
    path("insights/ai/sessions/<int:pk>/", session.session_page, name="ai_session"),
    path("insights/ai/prices/", prices.ai_prices, name="ai_prices"),
    path("insights/ai/prices.csv", prices.ai_prices_csv, name="ai_prices_csv"),
    path("insights/ai/costs/", costs.ai_costs, name="ai_costs"),
    path("insights/ai/costs.csv", costs.ai_costs_csv, name="ai_costs_csv"),
    path("insights/ai/repositories/", repositories.ai_repositories, name="ai_repositories"),
    path("insights/ai/repositories.csv", repositories.ai_repositories_csv, name="ai_repositories_csv"),
    path("insights/ai/adoption/rows/", adoption_rows.adoption_rows, name="adoption_rows"),
    path("insights/ai/adoption/rows.csv", adoption_rows.adoption_rows_csv, name="adoption_rows_csv"),
    path("insights/delivery/", include("insights.pages.delivery.urls")),
    path("insights/compare/", compare.compare, name="compare"),
    path("insights/compare.csv", compare.compare_csv, name="compare_csv"),
    path("insights/compare/parts/<slug:name>/", compare.compare_part, name="compare_part"),
    path("insights/compare/units/", compare.compare_choices, name="compare_choices"),
    path("insights/ai/attribution/", commits.commits, name="attribution"),
    path("insights/ai/attribution.csv", commits.commits_csv, name="attribution_csv"),
    path("insights/ai/attribution/<slug:sha>/", commit.commit, name="attributed_commit"),
    path("insights/units/", pickers.unit_picker, name="unit_picker"),
    path("insights/attributes/", pickers.attribute_menu, name="attribute_menu"),
    path("insights/metrics/", catalogue.metric_catalogue, name="metric_catalogue"),
    path("insights/metrics.csv", catalogue.metric_catalogue_csv, name="metric_catalogue_csv"),
    path("insights/metrics/<str:key>/", metric.metric_page, name="metric_page"),
    path("insights/metrics/<str:key>/parts/<slug:name>/", metric.metric_page_part, name="metric_page_part"),
    path("insights/metrics/<str:key>/charts/<slug:name>/", metric_charts.metric_chart, name="metric_chart"),
    path("insights/metrics/<str:key>/charts/<slug:name>.csv", metric_charts.metric_chart_csv, name="metric_chart_csv"),
    path("insights/metrics/<str:key>/units/", metric_units.metric_units, name="metric_units"),
    path(
        "insights/metrics/<str:key>/units/unassigned/",
        metric_units.metric_units_unassigned,
        name="metric_units_unassigned",
    ),
    path("insights/metrics/<str:key>/units.csv", metric_units.metric_units_csv, name="metric_units_csv"),
    path("insights/metrics/<str:key>/chain/", chain.metric_chain, name="metric_chain"),
    path("insights/metrics/<str:key>/chain.csv", chain.metric_chain_csv, name="metric_chain_csv"),
    path("insights/metrics/<str:key>/outliers/", metric_rows.metric_outliers, name="metric_outliers"),
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
    path("setup/agents/", connect.connect_agent, name="connect_agent"),
    path("setup/agents/arrival/", connect.arrival, name="agent_arrival"),
    path("setup/repositories/", connect_repository.connect_repository, name="connect_repository"),
    path("setup/repositories/list/", connect_repository.connections, name="connections"),
    path("api/", include("insights.api.urls")),
]
