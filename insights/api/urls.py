"""/api/: metrics, the OpenAPI document, and the page that shows it."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from insights.api import (
    agent_trace,
    annotations,
    contexts,
    dashboards,
    dora,
    findings,
    forecasts,
    hand_kept,
    saved_views,
    views,
    work_types,
)

urlpatterns = [
    path("v1/metrics/", views.CatalogueView.as_view(), name="api_metrics"),
    path("v1/metrics/<str:key>/", views.MetricView.as_view(), name="api_metric"),
    path("v1/catalogue/", views.ShortCatalogueView.as_view(), name="api_catalogue"),
    path("v1/metrics/<str:key>/figure/", views.FigureView.as_view(), name="api_figure"),
    path("v1/metrics/<str:key>/series/", views.SeriesView.as_view(), name="api_series"),
    path("v1/metrics/<str:key>/rows/", views.RowsView.as_view(), name="api_rows"),
    path("v1/metrics/<str:key>/distribution/", views.DistributionView.as_view(), name="api_distribution"),
    path("v1/commits/<slug:sha>/agent-trace/", agent_trace.AgentTraceView.as_view(), name="api_agent_trace"),
    path("v1/dora/", dora.DoraView.as_view(), name="api_dora"),
    path("v1/findings/", findings.Findings.endpoint("list"), name="api_findings"),
    path("v1/findings.csv", findings.Findings.endpoint("csv"), name="api_findings_csv"),
    path("v1/review-waits/", findings.ReviewWaitsList.endpoint("list"), name="api_review_waits"),
    path("v1/review-waits.csv", findings.ReviewWaitsList.endpoint("csv"), name="api_review_waits_csv"),
    path("v1/findings/thresholds/", findings.ThresholdsView.as_view(), name="api_finding_thresholds"),
    path("v1/findings/<int:pk>/", findings.Findings.endpoint("retrieve"), name="api_finding"),
    path("v1/findings/<int:pk>/history/", findings.FindingHistoryView.as_view(), name="api_finding_history"),
    path("v1/findings/<int:pk>/decide/", findings.Findings.endpoint("decide"), name="api_finding_decide"),
    path("v1/context/", contexts.ContextView.as_view(), name="api_context"),
    path("v1/comparable-units/", contexts.ComparableUnitsView.as_view(), name="api_comparable_units"),
    path("v1/work-types/", work_types.WorkTypesView.as_view(), name="api_work_types"),
    path("v1/work-types/<int:pk>/", work_types.WorkTypeView.as_view(), name="api_work_type"),
    path("v1/forecasts/", forecasts.ForecastsView.as_view(), name="api_forecasts"),
    path("v1/forecasts/one/", forecasts.ForecastView.as_view(), name="api_forecast"),
    path("v1/hand-kept/", hand_kept.MetricsView.as_view(), name="api_hand_kept"),
    path("v1/hand-kept/<slug:slug>/", hand_kept.MetricView.as_view(), name="api_hand_kept_metric"),
    path("v1/hand-kept/<slug:slug>/values/", hand_kept.ValuesView.as_view(), name="api_hand_kept_values"),
    path("v1/hand-kept/<slug:slug>/values/<int:pk>/", hand_kept.ValueView.as_view(), name="api_hand_kept_value"),
    path("v1/hand-kept/<slug:slug>/history/", hand_kept.HistoryView.as_view(), name="api_hand_kept_history"),
    path("v1/annotations/", annotations.AnnotationsView.as_view(), name="api_annotations"),
    path("v1/annotations/<int:pk>/", annotations.AnnotationView.as_view(), name="api_annotation"),
    path("v1/dashboards/", dashboards.Dashboards.endpoint("list", "create"), name="api_dashboards"),
    path(
        "v1/dashboards/<int:pk>/",
        dashboards.Dashboards.endpoint("retrieve", "partial_update", "destroy"),
        name="api_dashboard",
    ),
    path("v1/dashboards/<int:pk>/publish/", dashboards.Dashboards.endpoint("publish"), name="api_dashboard_publish"),
    path("v1/dashboards/<int:pk>/copy/", dashboards.Dashboards.endpoint("copy"), name="api_dashboard_copy"),
    path("v1/dashboards/<int:pk>/export/", dashboards.DashboardExportView.as_view(), name="api_dashboard_export"),
    path("v1/views/", saved_views.SavedViews.endpoint("list", "create"), name="api_saved_views"),
    path(
        "v1/views/<int:pk>/",
        saved_views.SavedViews.endpoint("retrieve", "partial_update", "destroy"),
        name="api_saved_view",
    ),
    path(
        "schema/",
        # The schema view has its own version, which keeps the parameter `version` out of the file's name.
        SpectacularAPIView.as_view(generator_class=views.DocumentGenerator, api_version="1"),
        name="api_schema",
    ),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api_schema", template_name="insights/api_docs.html"),
        name="api_docs",
    ),
]
