"""Below /programs/philosophy/."""

from django.urls import path

from programs.philosophy import pages

urlpatterns = [
    path("", pages.philosophy, name="philosophy"),
    path("edit/", pages.philosophy_edit, name="philosophy_edit"),
    path("acknowledge/", pages.philosophy_acknowledge, name="philosophy_acknowledge"),
    path("versions/<int:number>/", pages.philosophy_version, name="philosophy_version"),
]
