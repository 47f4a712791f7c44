"""/api/v1/: the program, with the permissions of its pages."""

from django.urls import URLPattern, URLResolver, path

from programs.benchmarks.api.benchmarks import (
    BenchmarksCsvView,
    BenchmarksView,
    BenchmarkTakeBackView,
    BenchmarkView,
    SuggestionsView,
    UnitsBelowView,
)
from programs.benchmarks.api.focus import FocusBeginView, FocusVersionsView, FocusView
from programs.budgets.api.budgets import BudgetsView, BudgetView, ChargeBackCsvView
from programs.closing.api.quarters import (
    ClosingView,
    QuarterCloseView,
    QuarterKeepView,
    QuarterView,
    TeamsWithoutObjectiveView,
)
from programs.meetings.api.feeds import CalendarFeedView
from programs.meetings.api.meetings import (
    MeetingCancelView,
    MeetingMoveView,
    MeetingSeriesListView,
    MeetingSeriesView,
    MeetingsView,
    MeetingView,
)
from programs.mirrors.api.mirrors import TicketMirrorView
from programs.objectives.api.forms import (
    BaselineView,
    ObjectiveTemplatesView,
    ParentsView,
    PlansView,
    TemplateDraftView,
    WritingForView,
)
from programs.objectives.api.objectives import (
    AlignmentView,
    CheckInsView,
    ObjectiveDropView,
    ObjectiveEndingView,
    ObjectiveHistoryView,
    ObjectivePublishView,
    ObjectivesCsvView,
    ObjectiveStandingView,
    ObjectivesView,
    ObjectiveView,
    QuartersView,
)
from programs.overview.api.overview import BottlenecksView, MyWorkView, OverviewView
from programs.philosophy.api import AcknowledgeView, PhilosophyVersionsView, PhilosophyVersionView, PhilosophyView
from programs.qbr.api.qbr import (
    QbrArrangeView,
    QbrCompareView,
    QbrCsvView,
    QbrFreezeView,
    QbrSectionView,
    QbrSignView,
    QbrsView,
    QbrView,
)
from programs.quarters.api import FiscalCalendarView
from programs.reminders.api.notices import NoticesReadView, NoticesUnreadView, NoticesView
from programs.reminders.api.notifications import NotificationsView
from programs.reviews.api.reviews import (
    ReviewAgendaView,
    ReviewAttendanceView,
    ReviewPointsView,
    ReviewPointView,
    ReviewSignView,
    ReviewsView,
    ReviewTicketView,
    ReviewView,
)
from programs.roadmaps.api.personas import PersonaRoadmapView
from programs.roadmaps.api.roadmap import (
    RoadmapCsvView,
    RoadmapExampleView,
    RoadmapIntentsView,
    RoadmapIntentView,
    RoadmapView,
)
from programs.start.api import StartSuggestionsView, StartView
from programs.tickets.api.csv_import import TicketImportView
from programs.tickets.api.tickets import (
    TicketCommentsView,
    TicketHistoryView,
    TicketMoveView,
    TicketsCsvView,
    TicketsView,
    TicketTemplatesView,
    TicketView,
    TicketWatchView,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("budgets/", BudgetsView.as_view(), name="api_budgets"),
    path("budgets/<int:pk>/", BudgetView.as_view(), name="api_budget"),
    path("charge-back.csv", ChargeBackCsvView.as_view(), name="api_charge_back_csv"),
    path("benchmarks.csv", BenchmarksCsvView.as_view(), name="api_benchmarks_csv"),
    path("benchmarks/", BenchmarksView.as_view(), name="api_benchmarks"),
    path("benchmarks/<str:key>/", BenchmarkView.as_view(), name="api_benchmark"),
    path("benchmarks/<str:key>/take-back/", BenchmarkTakeBackView.as_view(), name="api_benchmark_take_back"),
    path("benchmarks/<str:key>/suggestions/", SuggestionsView.as_view(), name="api_benchmark_suggestions"),
    path("benchmarks/<str:key>/units/", UnitsBelowView.as_view(), name="api_benchmark_units"),
    path("fiscal-calendar/", FiscalCalendarView.as_view(), name="api_fiscal_calendar"),
    path("bottlenecks/", BottlenecksView.as_view(), name="api_bottlenecks"),
    path("focus/", FocusView.as_view(), name="api_focus"),
    path("focus/begin/", FocusBeginView.as_view(), name="api_focus_begin"),
    path("focus/versions/", FocusVersionsView.as_view(), name="api_focus_versions"),
    path("calendar-feed/", CalendarFeedView.as_view(), name="api_calendar_feed"),
    path("meetings/", MeetingsView.as_view(), name="api_meetings"),
    path("meetings/series/", MeetingSeriesListView.as_view(), name="api_meeting_series_list"),
    path("meetings/series/<int:pk>/", MeetingSeriesView.as_view(), name="api_meeting_series"),
    path("meetings/<int:pk>/", MeetingView.as_view(), name="api_meeting"),
    path("meetings/<int:pk>/move/", MeetingMoveView.as_view(), name="api_meeting_move"),
    path("meetings/<int:pk>/cancel/", MeetingCancelView.as_view(), name="api_meeting_cancel"),
    path("my-work/", MyWorkView.as_view(), name="api_my_work"),
    path("notices/", NoticesView.as_view(), name="api_notices"),
    path("notifications/", NotificationsView.as_view(), name="api_notifications"),
    path("notices/read/", NoticesReadView.as_view(), name="api_notices_read"),
    path("notices/unread/", NoticesUnreadView.as_view(), name="api_notices_unread"),
    path("objectives.csv", ObjectivesCsvView.as_view(), name="api_objectives_csv"),
    path("objectives/", ObjectivesView.as_view(), name="api_objectives"),
    path("objectives/missing/", TeamsWithoutObjectiveView.as_view(), name="api_teams_without_objective"),
    path("objectives/templates/", ObjectiveTemplatesView.as_view(), name="api_objective_templates"),
    path("objectives/templates/<slug:template>/", TemplateDraftView.as_view(), name="api_objective_from_template"),
    path("objectives/alignment/", AlignmentView.as_view(), name="api_objectives_alignment"),
    path("objectives/baseline/", BaselineView.as_view(), name="api_objective_baseline"),
    path("objectives/parents/", ParentsView.as_view(), name="api_objective_parents"),
    path("objectives/<int:pk>/", ObjectiveView.as_view(), name="api_objective"),
    path("objectives/<int:pk>/drop/", ObjectiveDropView.as_view(), name="api_objective_drop"),
    path("objectives/<int:pk>/publish/", ObjectivePublishView.as_view(), name="api_objective_publish"),
    path("objectives/<int:pk>/standing/", ObjectiveStandingView.as_view(), name="api_objective_standing"),
    path("objectives/<int:pk>/check-ins/", CheckInsView.as_view(), name="api_objective_check_ins"),
    path("objectives/<int:pk>/ending/", ObjectiveEndingView.as_view(), name="api_objective_ending"),
    path("objectives/<int:pk>/history/", ObjectiveHistoryView.as_view(), name="api_objective_history"),
    path("overview/", OverviewView.as_view(), name="api_overview"),
    path("philosophy/", PhilosophyView.as_view(), name="api_philosophy"),
    path("philosophy/acknowledge/", AcknowledgeView.as_view(), name="api_philosophy_acknowledge"),
    path("philosophy/versions/", PhilosophyVersionsView.as_view(), name="api_philosophy_versions"),
    path("philosophy/versions/<int:number>/", PhilosophyVersionView.as_view(), name="api_philosophy_version"),
    path("qbr/", QbrsView.as_view(), name="api_qbrs"),
    path("qbr/<int:pk>/", QbrView.as_view(), name="api_qbr"),
    path("qbr/<int:pk>/arrange/", QbrArrangeView.as_view(), name="api_qbr_arrange"),
    path("qbr/<int:pk>/compare/", QbrCompareView.as_view(), name="api_qbr_compare"),
    path("qbr/<int:pk>/figures.csv", QbrCsvView.as_view(), name="api_qbr_csv"),
    path("qbr/<int:pk>/freeze/", QbrFreezeView.as_view(), name="api_qbr_freeze"),
    path("qbr/<int:pk>/sections/<str:key>/", QbrSectionView.as_view(), name="api_qbr_section"),
    path("qbr/<int:pk>/sign/", QbrSignView.as_view(), name="api_qbr_sign"),
    path("quarters/", QuartersView.as_view(), name="api_quarters"),
    path("quarters/<str:start>/", QuarterView.as_view(), name="api_quarter"),
    path("quarters/<str:start>/close/", QuarterCloseView.as_view(), name="api_quarter_close"),
    path("quarters/<str:start>/closing/", ClosingView.as_view(), name="api_quarter_closing"),
    path("quarters/<str:start>/keep/", QuarterKeepView.as_view(), name="api_quarter_keep"),
    path("reviews/", ReviewsView.as_view(), name="api_reviews"),
    path("reviews/<int:pk>/", ReviewView.as_view(), name="api_review"),
    path("reviews/<int:pk>/agenda/", ReviewAgendaView.as_view(), name="api_review_agenda"),
    path("reviews/<int:pk>/attendance/", ReviewAttendanceView.as_view(), name="api_review_attendance"),
    path("reviews/<int:pk>/points/", ReviewPointsView.as_view(), name="api_review_points"),
    path("reviews/<int:pk>/points/<int:point>/", ReviewPointView.as_view(), name="api_review_point"),
    path("reviews/<int:pk>/points/<int:point>/tickets/", ReviewTicketView.as_view(), name="api_review_ticket"),
    path("reviews/<int:pk>/sign/", ReviewSignView.as_view(), name="api_review_sign"),
    path("roadmap.csv", RoadmapCsvView.as_view(), name="api_roadmap_csv"),
    path("roadmap/", RoadmapView.as_view(), name="api_roadmap"),
    path("roadmap/example/", RoadmapExampleView.as_view(), name="api_roadmap_example"),
    path("roadmap/intents/", RoadmapIntentsView.as_view(), name="api_roadmap_intents"),
    path("roadmap/intents/<int:pk>/", RoadmapIntentView.as_view(), name="api_roadmap_intent"),
    path("roadmap/personas/", PersonaRoadmapView.as_view(), name="api_persona_roadmap"),
    path("start/", StartView.as_view(), name="api_start"),
    path("start/suggestions/", StartSuggestionsView.as_view(), name="api_start_suggestions"),
    path("tickets.csv", TicketsCsvView.as_view(), name="api_tickets_csv"),
    path("tickets/import/", TicketImportView.as_view(), name="api_tickets_import"),
    path("tickets/", TicketsView.as_view(), name="api_tickets"),
    path("tickets/templates/", TicketTemplatesView.as_view(), name="api_ticket_templates"),
    path("tickets/plans/", PlansView.as_view(), name="api_ticket_plans"),
    path("tickets/<int:pk>/", TicketView.as_view(), name="api_ticket"),
    path("tickets/<int:pk>/mirror/", TicketMirrorView.as_view(), name="api_ticket_mirror"),
    path("tickets/<int:pk>/move/", TicketMoveView.as_view(), name="api_ticket_move"),
    path("tickets/<int:pk>/comments/", TicketCommentsView.as_view(), name="api_ticket_comments"),
    path("tickets/<int:pk>/watch/", TicketWatchView.as_view(), name="api_ticket_watch"),
    path("tickets/<int:pk>/history/", TicketHistoryView.as_view(), name="api_ticket_history"),
    path("writing-for/", WritingForView.as_view(), name="api_writing_for"),
]
