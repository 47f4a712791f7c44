"""/api/v1/: the program, with the permissions of its pages."""

from django.urls import URLPattern, URLResolver, path

from programs.api.tickets import TicketCommentsView, TicketMoveView, TicketsView, TicketView

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", TicketsView.as_view(), name="api_tickets"),
    path("tickets/<int:pk>/", TicketView.as_view(), name="api_ticket"),
    path("tickets/<int:pk>/move/", TicketMoveView.as_view(), name="api_ticket_move"),
    path("tickets/<int:pk>/comments/", TicketCommentsView.as_view(), name="api_ticket_comments"),
]
