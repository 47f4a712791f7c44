"""Routes under /api/v1/ that belong to people and units."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
