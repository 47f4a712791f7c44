from django.urls import URLPattern, URLResolver, path, re_path

from integrations.pages.ownership import ownership
from integrations.pages.usage_files import usage_files
from integrations.push.receive import push_record, push_records
from integrations.telemetry.otlp.receive import receive
from integrations.webhooks.receive import receive_delivery

urlpatterns: list[URLPattern | URLResolver] = [
    path("integrations/ownership/", ownership, name="ownership"),
    path("integrations/usage-files/", usage_files, name="usage_files"),
    re_path(r"^v1/(?P<signal>logs|metrics|traces)/?$", receive, name="otlp"),
    path("ingest/v1/<slug:kind>/", push_records, name="push_records"),
    path("ingest/v1/<slug:kind>/<path:record_id>/", push_record, name="push_record"),
    path("hooks/<slug:provider>/<int:connection_id>/", receive_delivery, name="hook"),
]
