"""Below /programs/meetings/."""

from django.urls import path

from programs.meetings.pages import listing, page, series_page

urlpatterns = [
    path("", listing.Meetings.as_view(), name="meetings"),
    path("series/", series_page.series_list, name="meeting_series_list"),
    path("series/new/", series_page.SeriesPage.as_view(), name="meeting_series_new"),
    path("series/<int:pk>/", series_page.series, name="meeting_series"),
    path("series/<int:pk>/edit/", series_page.SeriesPage.as_view(), name="meeting_series_edit"),
    path("series/<int:pk>/end/", series_page.series_end, name="meeting_series_end"),
    path("<int:pk>/", page.meeting, name="meeting"),
    path("<int:pk>/meeting.ics", page.meeting_ics, name="meeting_ics"),
    path("<int:pk>/move/", page.meeting_move, name="meeting_move"),
    path("<int:pk>/cancel/", page.meeting_cancel, name="meeting_cancel"),
]
