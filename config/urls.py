from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from config import documentation, health
from config.mcp.view import McpView
from config.prometheus import prometheus
from config.search import search

# Admins sign in where everybody does; somebody who is no admin gets 403 there instead of a second form.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "config.errors.server_error"
handler404 = "config.errors.not_found"

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("prometheus", prometheus),
    path("mcp", McpView.as_view(), name="mcp"),
    path("search/", search, name="search"),
    path("docs/", documentation.docs, name="docs"),
    path("docs/<path:name>/", documentation.doc, name="doc"),
    path("admin/", admin.site.urls),
    path("accounts/", include("config.account_urls")),
    *([path("setup/components/", include("demo.component_urls"))] if apps.is_installed("demo") else []),
    path("", include("orgtree.urls")),
    path("", include("integrations.urls")),
    path("", include("programs.urls")),
    path("api/v1/", include("programs.api_urls")),
    path("", include("insights.urls")),
]
