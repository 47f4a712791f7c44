from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import component_states, health
from config.prometheus import prometheus

# Admins sign in where everybody does; somebody who is no admin gets 403 there instead of a second form.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "config.errors.server_error"
handler404 = "config.errors.not_found"

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("prometheus", prometheus),
    path("admin/", admin.site.urls),
    path("accounts/", include("config.account_urls")),
    path("account/notifications/", include("programs.reminders.account_urls")),
    path("", include("programs.meetings.account_urls")),
    path("setup/components/", component_states.component_states, name="component_states"),
    path("setup/components/panel/", component_states.panel_example, name="component_states_panel"),
    path("setup/components/chart/<slug:name>/", component_states.chart_example, name="component_states_chart"),
    path("orgtree/", include("orgtree.urls")),
    path("api/v1/", include("orgtree.api_urls")),
    path("api/v1/", include("integrations.api.urls")),
    path("", include("integrations.urls")),
    path("api/v1/", include("programs.api_urls")),
    path("programs/", include("programs.urls")),
    path("insights/ai/", include("programs.budgets.urls")),
    path("", include("insights.urls")),
]
