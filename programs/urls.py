"""The engineering metrics program, below /programs/: each family of pages has its routes beside its views."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("programs.views.overview.urls")),
    path("inbox/", include("programs.views.inbox.urls")),
    path("", include("programs.views.benchmarks.urls")),
    path("objectives/", include("programs.views.objectives.urls")),
    path("quarters/", include("programs.views.objectives.quarter_urls")),
    path("philosophy/", include("programs.views.philosophy.urls")),
    path("tickets/", include("programs.views.tickets.urls")),
]
