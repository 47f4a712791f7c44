"""Below /account/notifications/."""

from django.urls import path

from programs.views.notifications import preferences, unsubscribe

urlpatterns = [
    path("", preferences.notifications, name="notifications"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe_page, name="unsubscribe"),
]
