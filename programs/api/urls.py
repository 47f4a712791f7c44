"""/api/v1/: the program, with the permissions of its pages."""

from django.urls import URLPattern, URLResolver, path

from programs.api.benchmarks import (
    BenchmarksView,
    BenchmarkTakeBackView,
    BenchmarkView,
    FocusView,
    SuggestionsView,
)
from programs.api.notices import NoticesReadView, NoticesView
from programs.api.objectives import (
    CheckInsView,
    ObjectiveDropView,
    ObjectiveEndingView,
    ObjectiveStandingView,
    ObjectivesView,
    ObjectiveView,
    QuartersView,
)
from programs.api.philosophy import AcknowledgeView, PhilosophyView
from programs.api.quarters import QuarterCloseView, QuarterView, TeamsWithoutObjectiveView
from programs.api.templates import ObjectiveTemplatesView, TicketTemplatesView
from programs.api.tickets import TicketCommentsView, TicketMoveView, TicketsView, TicketView, TicketWatchView

urlpatterns: list[URLPattern | URLResolver] = [
    path("benchmarks/", BenchmarksView.as_view(), name="api_benchmarks"),
    path("benchmarks/<str:key>/", BenchmarkView.as_view(), name="api_benchmark"),
    path("benchmarks/<str:key>/take-back/", BenchmarkTakeBackView.as_view(), name="api_benchmark_take_back"),
    path("benchmarks/<str:key>/suggestions/", SuggestionsView.as_view(), name="api_benchmark_suggestions"),
    path("focus/", FocusView.as_view(), name="api_focus"),
    path("notices/", NoticesView.as_view(), name="api_notices"),
    path("notices/read/", NoticesReadView.as_view(), name="api_notices_read"),
    path("objectives/", ObjectivesView.as_view(), name="api_objectives"),
    path("objectives/missing/", TeamsWithoutObjectiveView.as_view(), name="api_teams_without_objective"),
    path("objectives/templates/", ObjectiveTemplatesView.as_view(), name="api_objective_templates"),
    path("objectives/<int:pk>/", ObjectiveView.as_view(), name="api_objective"),
    path("objectives/<int:pk>/drop/", ObjectiveDropView.as_view(), name="api_objective_drop"),
    path("objectives/<int:pk>/standing/", ObjectiveStandingView.as_view(), name="api_objective_standing"),
    path("objectives/<int:pk>/check-ins/", CheckInsView.as_view(), name="api_objective_check_ins"),
    path("objectives/<int:pk>/ending/", ObjectiveEndingView.as_view(), name="api_objective_ending"),
    path("philosophy/", PhilosophyView.as_view(), name="api_philosophy"),
    path("philosophy/acknowledge/", AcknowledgeView.as_view(), name="api_philosophy_acknowledge"),
    path("quarters/", QuartersView.as_view(), name="api_quarters"),
    path("quarters/<str:start>/", QuarterView.as_view(), name="api_quarter"),
    path("quarters/<str:start>/close/", QuarterCloseView.as_view(), name="api_quarter_close"),
    path("tickets/", TicketsView.as_view(), name="api_tickets"),
    path("tickets/templates/", TicketTemplatesView.as_view(), name="api_ticket_templates"),
    path("tickets/<int:pk>/", TicketView.as_view(), name="api_ticket"),
    path("tickets/<int:pk>/move/", TicketMoveView.as_view(), name="api_ticket_move"),
    path("tickets/<int:pk>/comments/", TicketCommentsView.as_view(), name="api_ticket_comments"),
    path("tickets/<int:pk>/watch/", TicketWatchView.as_view(), name="api_ticket_watch"),
]
