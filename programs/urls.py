"""The engineering metrics program, below /programs/: each family of pages has its routes beside its views."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("philosophy/", include("programs.views.philosophy.urls")),
    path("tickets/", include("programs.views.tickets.urls")),
]
