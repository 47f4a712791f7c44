"""Routes of integrations: pages, API, and the endpoints for telemetry, pushed records and webhooks."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from integrations.api.ownership import ConfirmView, OwnershipView
from integrations.collector.packages import FILES
from integrations.collector.reports import receive_reports
from integrations.pages.collector import collector, collector_file, collector_sha256, fleet
from integrations.pages.ownership import ownership
from integrations.pages.usage_files import usage_files
from integrations.push.receive import push_record, push_records
from integrations.telemetry.otlp.receive import receive
from integrations.webhooks.receive import receive_delivery

Routes = list[URLPattern | URLResolver]

PAGES_AND_DOORS: Routes = [
    path("integrations/ownership/", ownership, name="ownership"),
    path("integrations/usage-files/", usage_files, name="usage_files"),
    path("agent/", collector, name="collector"),
    path("agent/fleet/", fleet, name="fleet"),
    *(path(f"agent/{name}", collector_file, {"name": name}, name=f"collector_{name}") for name in FILES),
    *(
        path(f"agent/{name}.sha256", collector_sha256, {"name": name}, name=f"collector_{name}_sha256")
        for name in FILES
    ),
    path("collector/v1/reports", receive_reports, name="collector_reports"),
    re_path(r"^v1/(?P<signal>logs|metrics|traces)/?$", receive, name="otlp"),
    path("ingest/v1/<slug:kind>/", push_records, name="push_records"),
    path("ingest/v1/<slug:kind>/<path:record_id>/", push_record, name="push_record"),
    path("hooks/<slug:provider>/<int:connection_id>/", receive_delivery, name="hook"),
]

API: Routes = [
    path("ownership/", OwnershipView.as_view(), name="api_ownership"),
    path("ownership/confirm/", ConfirmView.as_view(), name="api_ownership_confirm"),
]

urlpatterns: Routes = [
    path("", include(PAGES_AND_DOORS)),
    path("api/v1/", include(API)),
]
