"""Pages under /orgtree/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("access/", include("orgtree.access_urls")),
]
