"""Routes of the program below /programs/; each room has its own urls.py."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("programs.overview.urls")),
    path("inbox/", include("programs.reminders.urls")),
    path("", include("programs.benchmarks.urls")),
    path("meetings/", include("programs.meetings.urls")),
    path("objectives/", include("programs.objectives.urls")),
    path("qbr/", include("programs.qbr.urls")),
    path("quarters/", include("programs.closing.urls")),
    path("philosophy/", include("programs.philosophy.urls")),
    path("reviews/", include("programs.reviews.urls")),
    path("roadmap/", include("programs.roadmaps.urls")),
    path("tickets/", include("programs.tickets.urls")),
    path("tickets/", include("programs.mirrors.urls")),
]
