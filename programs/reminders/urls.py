"""Below /programs/inbox/."""

from django.urls import path

from programs.reminders.pages import inbox

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("count/", inbox.inbox_count, name="inbox_count"),
    path("read/", inbox.inbox_read_all, name="inbox_read_all"),
    path("<int:pk>/", inbox.notice_open, name="notice_open"),
    path("<int:pk>/read/", inbox.notice_read, name="notice_read"),
]
