from django.urls import URLPattern, URLResolver, re_path

from integrations.telemetry.receive import receive

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^v1/(?P<signal>logs|metrics|traces)/?$", receive, name="otlp"),
]
