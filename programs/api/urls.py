"""/api/v1/: the program, with the permissions of its pages."""

from django.urls import URLPattern, URLResolver, path

from programs.api.benchmarks import (
    BenchmarksView,
    BenchmarkTakeBackView,
    BenchmarkView,
    FocusView,
    SuggestionsView,
)
from programs.api.tickets import TicketCommentsView, TicketMoveView, TicketsView, TicketView

urlpatterns: list[URLPattern | URLResolver] = [
    path("benchmarks/", BenchmarksView.as_view(), name="api_benchmarks"),
    path("benchmarks/<str:key>/", BenchmarkView.as_view(), name="api_benchmark"),
    path("benchmarks/<str:key>/take-back/", BenchmarkTakeBackView.as_view(), name="api_benchmark_take_back"),
    path("benchmarks/<str:key>/suggestions/", SuggestionsView.as_view(), name="api_benchmark_suggestions"),
    path("focus/", FocusView.as_view(), name="api_focus"),
    path("tickets/", TicketsView.as_view(), name="api_tickets"),
    path("tickets/<int:pk>/", TicketView.as_view(), name="api_ticket"),
    path("tickets/<int:pk>/move/", TicketMoveView.as_view(), name="api_ticket_move"),
    path("tickets/<int:pk>/comments/", TicketCommentsView.as_view(), name="api_ticket_comments"),
]
