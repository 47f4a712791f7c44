"""Routes of insights."""

from functools import partial

from django.urls import URLPattern, URLResolver, include, path

from insights.pages import (
    badges,
    catalogue,
    connect,
    connect_repository,
    contexts,
    findings,
    found,
    guided_start,
    home,
    how,
    pickers,
    rows,
    work_types,
)
from insights.pages import change_token as pulse
from insights.pages.ai import adoption_rows, leaderboard, prices, repositories
from insights.pages.ai.costs import page as costs
from insights.pages.ai.page import AI
from insights.pages.ai.reconciliation import RECONCILIATION
from insights.pages.ai.sessions import listing as session_list
from insights.pages.ai.sessions import page as session
from insights.pages.allocation.page import ALLOCATION
from insights.pages.annotations import pages as annotations
from insights.pages.attribution import commit, commits
from insights.pages.capacity import CAPACITY
from insights.pages.compare import page as compare
from insights.pages.dashboards import editor, saved_views
from insights.pages.dashboards import listing as dashboard_list
from insights.pages.dashboards import page as dashboard
from insights.pages.delivery.page import DELIVERY
from insights.pages.hand_kept import import_page, metrics, values
from insights.pages.integrations import page as integrations
from insights.pages.metric import page as metric
from insights.pages.metric.page import routes_of
from insights.pages.planning.initiative import initiative_csv, initiative_page
from insights.pages.planning.page import PLANNING
from insights.pages.planning.sprint_report import sprint_csv, sprint_days, sprint_days_csv
from insights.pages.records import pages as records
from insights.pages.routes import facet_view, page_urls

Routes = list[URLPattern | URLResolver]

AI_PAGES: Routes = [
    path("leaderboard/", leaderboard.leaderboard, name="ai_leaderboard"),
    path("leaderboard/parts/<slug:name>/", facet_view(leaderboard.page_of), name="ai_leaderboard_part"),
    path("leaderboard.csv", leaderboard.leaderboard_csv, name="ai_leaderboard_csv"),
    path("sessions/", session_list.sessions, name="ai_sessions"),
    path("sessions/parts/<slug:name>/", facet_view(session_list.page_of), name="ai_sessions_part"),
    path("sessions.csv", session_list.sessions_csv, name="ai_sessions_csv"),
    path("sessions/<int:pk>/", session.session_page, name="ai_session"),
    path("prices/", prices.ai_prices, name="ai_prices"),
    path("prices.csv", prices.ai_prices_csv, name="ai_prices_csv"),
    path("costs/", costs.ai_costs, name="ai_costs"),
    path("costs.csv", costs.ai_costs_csv, name="ai_costs_csv"),
    path("repositories/", repositories.ai_repositories, name="ai_repositories"),
    path("repositories.csv", repositories.ai_repositories_csv, name="ai_repositories_csv"),
    path("reconciliation/", include(RECONCILIATION.urls)),
    path("adoption/rows/", adoption_rows.adoption_rows, name="adoption_rows"),
    path("adoption/rows.csv", adoption_rows.adoption_rows_csv, name="adoption_rows_csv"),
    *AI.urls,
]

OF_DRAFT = page_urls("dashboard_edit", partial(dashboard.routes, is_draft=True), has_units=False)

DASHBOARDS_PAGES: Routes = [
    path("", dashboard_list.Dashboards.as_view(), name="dashboards"),
    path("new/", dashboard_list.dashboard_new, name="dashboard_new"),
    path("<int:pk>/", dashboard.dashboard, name="dashboard"),
    path("<int:pk>/", include(page_urls("dashboard", dashboard.routes, has_units=False))),
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

HAND_KEPT_PAGES: Routes = [
    path("", metrics.hand_kept, name="hand_kept"),
    path("new/", metrics.hand_kept_new, name="hand_kept_new"),
    path("import/", import_page.hand_kept_import, name="hand_kept_import"),
    path("<slug:slug>/", values.hand_kept_values, name="hand_kept_values"),
    path("<slug:slug>/edit/", metrics.hand_kept_edit, name="hand_kept_edit"),
    path("<slug:slug>/history/", values.hand_kept_history, name="hand_kept_history"),
    path("<slug:slug>/values.csv", values.hand_kept_csv, name="hand_kept_csv"),
    path("<slug:slug>/values/<int:pk>/remove/", values.hand_kept_remove, name="hand_kept_remove"),
]

PLANNING_PAGES: Routes = [
    path("sprints/<int:pk>.csv", sprint_csv, name="planning_sprint_csv"),
    path("sprints/<int:pk>/days/", sprint_days, name="planning_sprint_days"),
    path("sprints/<int:pk>/days.csv", sprint_days_csv, name="planning_sprint_days_csv"),
    path("initiative/", initiative_page, name="initiative"),
    path("initiative.csv", initiative_csv, name="initiative_csv"),
    *PLANNING.urls,
]

urlpatterns: Routes = [
    path("", home.home, name="home"),
    path("home/health/", home.home_health, name="home_health"),
    path("insights/pulse/", pulse.page_change_token, name="pulse"),
    path("insights/ai/attribution/", commits.Commits.as_view(), name="attribution"),
    path("insights/ai/attribution.csv", commits.Commits.as_file(), name="attribution_csv"),
    path("insights/ai/attribution/<slug:sha>/", commit.commit, name="attributed_commit"),
    path("insights/ai/", include(AI_PAGES)),
    path("insights/delivery/", include(DELIVERY.urls)),
    path("insights/planning/", include(PLANNING_PAGES)),
    path("insights/allocation/", include(ALLOCATION.urls)),
    path("insights/capacity/", include(CAPACITY.urls)),
    path("insights/dashboards/", include(DASHBOARDS_PAGES)),
    path("insights/views/", saved_views.SavedViews.as_view(), name="saved_views"),
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
    path("insights/metrics/values/", found.metric_values, name="metric_values"),
    path("insights/metrics.csv", catalogue.metric_catalogue_csv, name="metric_catalogue_csv"),
    path("insights/metrics/<str:key>/", metric.metric_page, name="metric_page"),
    path("insights/metrics/<str:key>/", include(page_urls("metric_page", lambda _request, key: routes_of(key)))),
    path("insights/metrics/<str:key>/how/", how.metric_how, name="metric_how"),
    path("insights/metrics/<str:key>/rows/", rows.metric_rows, name="metric_rows"),
    path("insights/metrics/<str:key>/rows/first/", rows.metric_first_rows, name="metric_first_rows"),
    path("insights/metrics/<str:key>/rows.csv", rows.metric_rows_csv, name="metric_rows_csv"),
    path("insights/hand-kept/", include(HAND_KEPT_PAGES)),
    path("insights/badges/", badges.badges, name="badges"),
    path("badges/<str:key>.svg", badges.badge_picture, name="badge_picture"),
    path("insights/pull-requests/<int:pk>/", records.pull_request, name="pull_request"),
    path("insights/work-items/<int:pk>/", records.work_item, name="work_item"),
    path("insights/deployments/<int:pk>/", records.deployment, name="deployment"),
    path("insights/incidents/<int:pk>/", records.incident, name="incident"),
    path("insights/findings/", findings.findings, name="findings"),
    path("insights/findings.csv", findings.findings_csv, name="findings_csv"),
    path("insights/findings/waits.csv", findings.review_waits_csv, name="review_waits_csv"),
    path("insights/findings/waits/", findings.review_waits, name="review_waits"),
    path("insights/findings/thresholds/", findings.finding_thresholds, name="finding_thresholds"),
    path("insights/findings/thresholds/undo/", findings.finding_threshold_undo, name="finding_threshold_undo"),
    path("insights/findings/<int:pk>/", findings.finding_decide, name="finding_decide"),
    path("insights/context/", contexts.context_page, name="context"),
    path("insights/context/comparable/", contexts.comparable_rule, name="comparable_rule"),
    path("insights/context/work-types/", work_types.work_types, name="work_types"),
    path("insights/context/work-types/<int:pk>/", work_types.work_type_correct, name="work_type_correct"),
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
