"""Below /programs/quarters/: a quarter by its first day."""

from django.urls import path

from programs.closing.pages import closing, frozen

urlpatterns = [
    path("", frozen.quarters, name="quarters"),
    path("<slug:start>/", frozen.quarter, name="quarter"),
    path("<slug:start>/close/", closing.quarter_close, name="quarter_close"),
]
