"""Routes of integrations under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from integrations.api.ownership import ConfirmView, OwnershipView

urlpatterns: list[URLPattern | URLResolver] = [
    path("ownership/", OwnershipView.as_view(), name="api_ownership"),
    path("ownership/confirm/", ConfirmView.as_view(), name="api_ownership_confirm"),
]
