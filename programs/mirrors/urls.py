"""Routes of ticket mirrors below /programs/tickets/."""

from django.urls import URLPattern, path

from programs.mirrors.pages import actions

urlpatterns: list[URLPattern] = [path("<int:pk>/mirror/", actions.ticket_mirror, name="ticket_mirror")]
