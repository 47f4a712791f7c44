"""Routes of ticket mirrors below /programs/tickets/."""

from django.urls import URLPattern, path

from programs.mirrors.pages import card

urlpatterns: list[URLPattern] = [path("<int:pk>/mirror/", card.ticket_mirror, name="ticket_mirror")]
