from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from config import health

# Admins sign in where everybody does; somebody who is no admin gets 403 there instead of a second form.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("accounts/", include("config.account_urls")),
    path("", include("integrations.urls")),
    path("", include("insights.urls")),
]
