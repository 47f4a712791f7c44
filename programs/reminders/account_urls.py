"""Below /account/notifications/."""

from django.urls import path

from programs.reminders.pages import preferences, unsubscribe

urlpatterns = [
    path("", preferences.notifications, name="notifications"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe_page, name="unsubscribe"),
]
