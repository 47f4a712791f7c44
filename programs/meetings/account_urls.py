"""The calendar feed of an account: its page, and the feed itself."""

from django.urls import path

from programs.meetings.pages import feeds

urlpatterns = [
    path("account/calendar-feed/", feeds.calendar_feed, name="calendar_feed"),
    path("calendar/<str:token>.ics", feeds.calendar_ics, name="calendar_ics"),
]
