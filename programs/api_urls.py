"""/api/v1/: the program's routes, with the permissions of its pages."""

from django.urls import URLPattern, URLResolver, path

from programs.agreements import api as agreements
from programs.alerts import api as alerts
from programs.allocation import api as allocation
from programs.benchmarks.api import benchmarks, focus
from programs.budgets.api import budgets
from programs.capitalisation import api as capitalisation
from programs.closing.api import quarters
from programs.comments import api as comments
from programs.experiments import api as experiments
from programs.finding_work import api as finding_work
from programs.meetings.api import feeds, meetings
from programs.mirrors.api import mirrors
from programs.objectives.api import forms, objectives
from programs.overview.api import overview
from programs.philosophy import api as philosophy
from programs.qbr.api import qbr
from programs.quarters import api as calendar
from programs.reminders.api import notices, notifications
from programs.report import api as report
from programs.reviews.api import reviews
from programs.roadmaps.api import personas, roadmap
from programs.start import api as start
from programs.tickets.api import csv_import, tickets

urlpatterns: list[URLPattern | URLResolver] = [
    path("working-agreements.csv", agreements.AgreementsView.endpoint("csv"), name="api_working_agreements_csv"),
    path("working-agreements/", agreements.AgreementsView.endpoint("list"), name="api_working_agreements"),
    path(
        "working-agreements/<str:pk>/",
        agreements.UnitAgreementView.endpoint("retrieve", "partial_update"),
        name="api_working_agreement",
    ),
    path("alert-rules.csv", alerts.AlertRules.endpoint("csv"), name="api_alert_rules_csv"),
    path("alert-rules/", alerts.AlertRules.endpoint("list", "create"), name="api_alert_rules"),
    path(
        "alert-rules/<int:pk>/",
        alerts.AlertRules.endpoint("retrieve", "partial_update", "destroy"),
        name="api_alert_rule",
    ),
    path("allocation-rules.csv", allocation.AllocationRules.endpoint("csv"), name="api_allocation_rules_csv"),
    path("allocation-rules/", allocation.AllocationRules.endpoint("list", "create"), name="api_allocation_rules"),
    path(
        "allocation-rules/<int:pk>/",
        allocation.AllocationRules.endpoint("retrieve", "partial_update", "destroy"),
        name="api_allocation_rule",
    ),
    path("findings/<int:pk>/comments/", comments.FindingCommentsView.as_view(), name="api_finding_comments"),
    path("findings/<int:pk>/work/", finding_work.FindingWorkView.as_view(), name="api_finding_work"),
    path("allocation-targets/", allocation.AllocationTargetsView.as_view(), name="api_allocation_targets"),
    path("budgets/", budgets.Budgets.endpoint("list", "create"), name="api_budgets"),
    path("budgets/<int:pk>/", budgets.Budgets.endpoint("retrieve", "partial_update", "destroy"), name="api_budget"),
    path("charge-back.csv", budgets.ChargeBackCsvView.as_view(), name="api_charge_back_csv"),
    path(
        "capitalisation/initiatives.csv",
        capitalisation.Initiatives.endpoint("csv"),
        name="api_capitalisation_initiatives_csv",
    ),
    path(
        "capitalisation/initiatives/",
        capitalisation.Initiatives.endpoint("list", "create"),
        name="api_capitalisation_initiatives",
    ),
    path(
        "capitalisation/initiatives/<int:pk>/",
        capitalisation.Initiatives.endpoint("retrieve", "partial_update", "destroy"),
        name="api_capitalisation_initiative",
    ),
    path(
        "capitalisation/periods/",
        capitalisation.Periods.endpoint("list", "create"),
        name="api_capitalisation_periods",
    ),
    path(
        "capitalisation/periods/<int:pk>/",
        capitalisation.Periods.endpoint("retrieve", "partial_update", "destroy"),
        name="api_capitalisation_period",
    ),
    path(
        "capitalisation/periods/<int:pk>/approve/",
        capitalisation.Periods.endpoint("approve"),
        name="api_capitalisation_period_approve",
    ),
    path(
        "capitalisation/periods/<int:pk>/freeze/",
        capitalisation.Periods.endpoint("freeze"),
        name="api_capitalisation_period_freeze",
    ),
    path(
        "capitalisation/periods/<int:pk>/period.csv",
        capitalisation.PeriodCsvView.as_view(),
        name="api_capitalisation_period_csv",
    ),
    path("benchmarks.csv", benchmarks.BenchmarksCsvView.as_view(), name="api_benchmarks_csv"),
    path("benchmarks/", benchmarks.BenchmarksView.as_view(), name="api_benchmarks"),
    path("benchmarks/<str:key>/", benchmarks.BenchmarkView.as_view(), name="api_benchmark"),
    path("benchmarks/<str:key>/take-back/", benchmarks.BenchmarkTakeBackView.as_view(), name="api_benchmark_take_back"),
    path("benchmarks/<str:key>/suggestions/", benchmarks.SuggestionsView.as_view(), name="api_benchmark_suggestions"),
    path("benchmarks/<str:key>/units/", benchmarks.UnitsBelowView.as_view(), name="api_benchmark_units"),
    path("report/", report.ReportApi.as_view(), name="api_report"),
    path("report/freeze/", report.ReportFreezeApi.as_view(), name="api_report_freeze"),
    path("experiments.csv", experiments.Experiments.endpoint("csv"), name="api_experiments_csv"),
    path("experiments/", experiments.Experiments.endpoint("list", "create"), name="api_experiments"),
    path(
        "experiments/<int:pk>/",
        experiments.Experiments.endpoint("retrieve", "partial_update", "destroy"),
        name="api_experiment",
    ),
    path("experiments/<int:pk>/widen/", experiments.Experiments.endpoint("widen"), name="api_experiment_widen"),
    path("fiscal-calendar/", calendar.FiscalCalendarView.as_view(), name="api_fiscal_calendar"),
    path("bottlenecks/", overview.BottlenecksView.as_view(), name="api_bottlenecks"),
    path("focus/", focus.FocusView.as_view(), name="api_focus"),
    path("focus/begin/", focus.FocusBeginView.as_view(), name="api_focus_begin"),
    path("focus/versions/", focus.FocusVersionsView.as_view(), name="api_focus_versions"),
    path("calendar-feed/", feeds.CalendarFeedView.as_view(), name="api_calendar_feed"),
    path("meetings/", meetings.Meetings.endpoint("list"), name="api_meetings"),
    path("meetings/series/", meetings.Schedules.endpoint("list", "create"), name="api_meeting_series_list"),
    path(
        "meetings/series/<int:pk>/",
        meetings.Schedules.endpoint("retrieve", "partial_update"),
        name="api_meeting_series",
    ),
    path("meetings/<int:pk>/", meetings.Meetings.endpoint("retrieve"), name="api_meeting"),
    path("meetings/<int:pk>/move/", meetings.Meetings.endpoint("move"), name="api_meeting_move"),
    path("meetings/<int:pk>/cancel/", meetings.Meetings.endpoint("cancel"), name="api_meeting_cancel"),
    path("my-work/", overview.MyWorkView.as_view(), name="api_my_work"),
    path("notices/", notices.NoticesView.as_view(), name="api_notices"),
    path("notifications/", notifications.NotificationsView.as_view(), name="api_notifications"),
    path("notices/read/", notices.NoticesReadView.as_view(), name="api_notices_read"),
    path("notices/unread/", notices.NoticesUnreadView.as_view(), name="api_notices_unread"),
    path("objectives.csv", objectives.Objectives.endpoint("csv"), name="api_objectives_csv"),
    path("objectives/", objectives.Objectives.endpoint("list", "create"), name="api_objectives"),
    path("objectives/missing/", quarters.TeamsWithoutObjectiveView.as_view(), name="api_teams_without_objective"),
    path("objectives/templates/", forms.ObjectiveTemplatesView.as_view(), name="api_objective_templates"),
    path(
        "objectives/templates/<slug:template>/", forms.TemplateDraftView.as_view(), name="api_objective_from_template"
    ),
    path("objectives/alignment/", objectives.AlignmentView.as_view(), name="api_objectives_alignment"),
    path("objectives/baseline/", forms.BaselineView.as_view(), name="api_objective_baseline"),
    path("objectives/parents/", forms.ParentsView.as_view(), name="api_objective_parents"),
    path("objectives/<int:pk>/", objectives.Objectives.endpoint("retrieve", "partial_update"), name="api_objective"),
    path("objectives/<int:pk>/drop/", objectives.Objectives.endpoint("drop"), name="api_objective_drop"),
    path("objectives/<int:pk>/publish/", objectives.Objectives.endpoint("publish"), name="api_objective_publish"),
    path("objectives/<int:pk>/standing/", objectives.Objectives.endpoint("standing"), name="api_objective_standing"),
    path("objectives/<int:pk>/check-ins/", objectives.CheckInsView.as_view(), name="api_objective_check_ins"),
    path("objectives/<int:pk>/ending/", objectives.Objectives.endpoint("ending"), name="api_objective_ending"),
    path("objectives/<int:pk>/history/", objectives.ObjectiveHistoryView.as_view(), name="api_objective_history"),
    path("overview/", overview.OverviewView.as_view(), name="api_overview"),
    path("philosophy/", philosophy.PhilosophyView.as_view(), name="api_philosophy"),
    path("philosophy/acknowledge/", philosophy.AcknowledgeView.as_view(), name="api_philosophy_acknowledge"),
    path("philosophy/versions/", philosophy.PhilosophyVersionsView.as_view(), name="api_philosophy_versions"),
    path(
        "philosophy/versions/<int:number>/", philosophy.PhilosophyVersionView.as_view(), name="api_philosophy_version"
    ),
    path("qbr/", qbr.QbrsView.as_view(), name="api_qbrs"),
    path("qbr/<int:pk>/", qbr.QbrView.as_view(), name="api_qbr"),
    path("qbr/<int:pk>/arrange/", qbr.QbrArrangeView.as_view(), name="api_qbr_arrange"),
    path("qbr/<int:pk>/compare/", qbr.QbrCompareView.as_view(), name="api_qbr_compare"),
    path("qbr/<int:pk>/decisions/", qbr.QbrDecisionsView.as_view(), name="api_qbr_decisions"),
    path("qbr/<int:pk>/decisions/<int:decision>/", qbr.QbrDecisionView.as_view(), name="api_qbr_decision"),
    path("qbr/<int:pk>/figures.csv", qbr.QbrCsvView.as_view(), name="api_qbr_csv"),
    path("qbr/<int:pk>/freeze/", qbr.QbrFreezeView.as_view(), name="api_qbr_freeze"),
    path("qbr/<int:pk>/reopen/", qbr.QbrReopenView.as_view(), name="api_qbr_reopen"),
    path("qbr/<int:pk>/sections/<str:key>/", qbr.QbrSectionView.as_view(), name="api_qbr_section"),
    path("qbr/<int:pk>/sign/", qbr.QbrSignView.as_view(), name="api_qbr_sign"),
    path("quarters/", objectives.QuartersView.as_view(), name="api_quarters"),
    path("quarters/<str:start>/", quarters.QuarterView.as_view(), name="api_quarter"),
    path("quarters/<str:start>/close/", quarters.QuarterCloseView.as_view(), name="api_quarter_close"),
    path("quarters/<str:start>/closing/", quarters.ClosingView.as_view(), name="api_quarter_closing"),
    path("quarters/<str:start>/keep/", quarters.QuarterKeepView.as_view(), name="api_quarter_keep"),
    path("reviews/", reviews.Reviews.endpoint("list", "create"), name="api_reviews"),
    path("reviews/<int:pk>/", reviews.ReviewView.as_view(), name="api_review"),
    path("reviews/<int:pk>/agenda/", reviews.ReviewAgendaView.as_view(), name="api_review_agenda"),
    path("reviews/<int:pk>/attendance/", reviews.ReviewAttendanceView.as_view(), name="api_review_attendance"),
    path("reviews/<int:pk>/points/", reviews.ReviewPointsView.as_view(), name="api_review_points"),
    path("reviews/<int:pk>/points/<int:point>/", reviews.ReviewPointView.as_view(), name="api_review_point"),
    path("reviews/<int:pk>/points/<int:point>/tickets/", reviews.ReviewTicketView.as_view(), name="api_review_ticket"),
    path("reviews/<int:pk>/sign/", reviews.ReviewSignView.as_view(), name="api_review_sign"),
    path("roadmap.csv", roadmap.RoadmapCsvView.as_view(), name="api_roadmap_csv"),
    path("roadmap/", roadmap.RoadmapView.as_view(), name="api_roadmap"),
    path("roadmap/example/", roadmap.RoadmapExampleView.as_view(), name="api_roadmap_example"),
    path("roadmap/intents/", roadmap.Intents.endpoint("create"), name="api_roadmap_intents"),
    path(
        "roadmap/intents/<int:pk>/",
        roadmap.Intents.endpoint("retrieve", "partial_update", "destroy"),
        name="api_roadmap_intent",
    ),
    path("roadmap/personas/", personas.PersonaRoadmapView.as_view(), name="api_persona_roadmap"),
    path("start/", start.StartView.as_view(), name="api_start"),
    path("start/suggestions/", start.StartSuggestionsView.as_view(), name="api_start_suggestions"),
    path("tickets.csv", tickets.Tickets.endpoint("csv"), name="api_tickets_csv"),
    path("tickets/import/", csv_import.TicketImportView.as_view(), name="api_tickets_import"),
    path("tickets/", tickets.Tickets.endpoint("list", "create"), name="api_tickets"),
    path("tickets/templates/", tickets.TicketTemplatesView.as_view(), name="api_ticket_templates"),
    path("tickets/plans/", forms.PlansView.as_view(), name="api_ticket_plans"),
    path("tickets/<int:pk>/", tickets.Tickets.endpoint("retrieve", "partial_update"), name="api_ticket"),
    path("tickets/<int:pk>/mirror/", mirrors.TicketMirrorView.as_view(), name="api_ticket_mirror"),
    path("tickets/<int:pk>/move/", tickets.Tickets.endpoint("move"), name="api_ticket_move"),
    path("tickets/<int:pk>/comments/", tickets.TicketCommentsView.as_view(), name="api_ticket_comments"),
    path("tickets/<int:pk>/watch/", tickets.TicketWatchView.as_view(), name="api_ticket_watch"),
    path("tickets/<int:pk>/history/", tickets.TicketHistoryView.as_view(), name="api_ticket_history"),
    path("writing-for/", forms.WritingForView.as_view(), name="api_writing_for"),
]
