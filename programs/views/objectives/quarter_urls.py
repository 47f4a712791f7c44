"""Below /programs/quarters/: a quarter by its first day."""

from django.urls import path

from programs.views.objectives import closing, frozen_page

urlpatterns = [
    path("", frozen_page.quarters, name="quarters"),
    path("<slug:start>/", frozen_page.quarter, name="quarter"),
    path("<slug:start>/close/", closing.quarter_close, name="quarter_close"),
]
