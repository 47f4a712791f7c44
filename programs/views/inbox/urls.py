"""Below /programs/inbox/."""

from django.urls import path

from programs.views.inbox import page

urlpatterns = [
    path("", page.inbox, name="inbox"),
    path("count/", page.inbox_count, name="inbox_count"),
    path("read/", page.inbox_read_all, name="inbox_read_all"),
    path("<int:pk>/", page.notice_open, name="notice_open"),
    path("<int:pk>/read/", page.notice_read, name="notice_read"),
]
