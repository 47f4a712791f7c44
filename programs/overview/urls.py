"""Below /programs/: the overview and the guided start."""

from django.urls import path

from programs.overview.pages import page, parts
from programs.start import pages as start

urlpatterns = [
    path("", page.program, name="program"),
    path("parts/<slug:name>/", parts.program_part, name="program_part"),
    path("start/", start.program_start, name="program_start"),
    path("start/suggestions/", start.program_start_suggestions, name="program_start_suggestions"),
]
