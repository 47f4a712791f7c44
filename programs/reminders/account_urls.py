"""Below /account/notifications/."""

from django.urls import path

from programs.reminders.pages import preferences

urlpatterns = [
    path("", preferences.notifications, name="notifications"),
    path("unsubscribe/<str:token>/", preferences.unsubscribe_page, name="unsubscribe"),
]
