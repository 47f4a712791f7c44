"""Below /programs/tickets/."""

from django.urls import path

from programs.tickets.pages import forms_page, listing, page

urlpatterns = [
    path("", listing.Tickets.as_view(), name="tickets"),
    path("tickets.csv", listing.Tickets.as_file(), name="tickets_csv"),
    path("import/", forms_page.tickets_import, name="tickets_import"),
    path("new/", forms_page.TicketPage.as_view(), name="ticket_new"),
    path("<int:pk>/", page.ticket, name="ticket"),
    path("<int:pk>/edit/", forms_page.TicketPage.as_view(), name="ticket_edit"),
    path("<int:pk>/move/", page.ticket_move, name="ticket_move"),
    path("<int:pk>/comment/", page.ticket_comment, name="ticket_comment"),
    path("<int:pk>/watch/", page.ticket_watch, name="ticket_watch"),
]
