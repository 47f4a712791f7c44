"""Routes under /api/v1/ that belong to what comes in."""

from django.urls import URLPattern, URLResolver, path

from integrations.api.ownership import ConfirmView, OwnershipView

urlpatterns: list[URLPattern | URLResolver] = [
    path("ownership/", OwnershipView.as_view(), name="api_ownership"),
    path("ownership/confirm/", ConfirmView.as_view(), name="api_ownership_confirm"),
]
