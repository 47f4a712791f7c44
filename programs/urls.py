"""Routes of the program's pages, by feature."""

from django.urls import URLPattern, URLResolver, include, path

from programs.agreements.pages import AgreementPage, Agreements
from programs.alerts.pages import AlertPage, AlertRules, alert_remove
from programs.allocation.pages import AllocationRules, RulePage, allocation_rule_remove, allocation_targets
from programs.benchmarks.pages import focus_page
from programs.benchmarks.pages import forms_page as benchmark_forms
from programs.benchmarks.pages import listing as benchmark_list
from programs.benchmarks.pages import page as benchmark
from programs.budgets.pages.charge_back import charge_back_csv, charge_back_page
from programs.budgets.pages.form import BudgetPage, budget_remove
from programs.budgets.pages.listing import Budgets
from programs.capitalisation import pages as capitalisation
from programs.closing.pages import closing, frozen
from programs.comments.pages import finding_comment
from programs.digests import pages as digests
from programs.experiments.pages import record as experiment
from programs.experiments.pages.form import ExperimentPage
from programs.experiments.pages.listing import Experiments
from programs.meetings.pages import feeds, series_page
from programs.meetings.pages import listing as meeting_list
from programs.meetings.pages import page as meeting
from programs.mirrors.pages import card
from programs.objectives.pages import charts
from programs.objectives.pages import forms_page as objective_forms
from programs.objectives.pages import listing as objective_list
from programs.objectives.pages import page as objective
from programs.overview.pages import page as overview
from programs.overview.pages import parts
from programs.philosophy import pages as philosophy
from programs.qbr.pages import forms_page as qbr_forms
from programs.qbr.pages import listing as qbr_list
from programs.qbr.pages import page as qbr
from programs.reminders.pages import inbox, preferences
from programs.report import pages as report
from programs.reviews.pages import listing as review_list
from programs.reviews.pages import page as review
from programs.roadmaps.pages import intents, moving, personas, roadmap
from programs.start import pages as start
from programs.tickets.pages import forms_page as ticket_forms
from programs.tickets.pages import listing as ticket_list
from programs.tickets.pages import page as ticket

Routes = list[URLPattern | URLResolver]

OVERVIEW: Routes = [
    path("", overview.program, name="program"),
    path("parts/<slug:name>/", parts.program_part, name="program_part"),
    path("start/", start.program_start, name="program_start"),
    path("start/suggestions/", start.program_start_suggestions, name="program_start_suggestions"),
]

ALERTS: Routes = [
    path("", AlertRules.as_view(), name="alerts"),
    path("alerts.csv", AlertRules.as_file(), name="alerts_csv"),
    path("new/", AlertPage.as_view(), name="alert_new"),
    path("<int:pk>/", AlertPage.as_view(), name="alert_edit"),
    path("<int:pk>/remove/", alert_remove, name="alert_remove"),
]

DIGESTS: Routes = [
    path("", digests.digests, name="digests"),
    path("<int:pk>/", digests.digest, name="digest"),
    path("preview/<slug:rhythm>/", digests.digest_preview, name="digest_preview"),
]

INBOX: Routes = [
    path("", inbox.inbox, name="inbox"),
    path("count/", inbox.inbox_count, name="inbox_count"),
    path("read/", inbox.inbox_read_all, name="inbox_read_all"),
    path("<int:pk>/", inbox.notice_open, name="notice_open"),
    path("<int:pk>/read/", inbox.notice_read, name="notice_read"),
]

NOTIFICATIONS: Routes = [
    path("", preferences.notifications, name="notifications"),
    path("unsubscribe/<str:token>/", preferences.unsubscribe_page, name="unsubscribe"),
]

BENCHMARKS: Routes = [
    path("benchmarks/", benchmark_list.Benchmarks.as_view(), name="benchmarks"),
    path("benchmarks/benchmarks.csv", benchmark_list.Benchmarks.as_file(), name="benchmarks_csv"),
    path("benchmarks/<str:key>/", benchmark.benchmark, name="benchmark"),
    path("benchmarks/<str:key>/edit/", benchmark_forms.benchmark_edit, name="benchmark_edit"),
    path("benchmarks/<str:key>/suggestions/", benchmark_forms.benchmark_suggestions, name="benchmark_suggestions"),
    path("benchmarks/<str:key>/take-back/", benchmark.benchmark_take_back, name="benchmark_take_back"),
    path("focus/", focus_page.focus, name="focus"),
    path("focus/edit/", focus_page.focus_edit, name="focus_edit"),
    path("focus/begin/", focus_page.focus_begin, name="focus_begin"),
]

AGREEMENTS: Routes = [
    path("agreements/", Agreements.as_view(), name="agreements"),
    path("agreements.csv", Agreements.as_file(), name="agreements_csv"),
    path("agreements/<str:pk>/", AgreementPage.as_view(), name="agreement_change"),
]

ALLOCATION: Routes = [
    path("rules/", AllocationRules.as_view(), name="allocation_rules"),
    path("rules.csv", AllocationRules.as_file(), name="allocation_rules_csv"),
    path("rules/new/", RulePage.as_view(), name="allocation_rule_new"),
    path("rules/<int:pk>/", RulePage.as_view(), name="allocation_rule"),
    path("rules/<int:pk>/remove/", allocation_rule_remove, name="allocation_rule_remove"),
    path("targets/", allocation_targets, name="allocation_targets"),
]

BUDGETS: Routes = [
    path("budgets/", Budgets.as_view(), name="budgets"),
    path("budgets/new/", BudgetPage.as_view(), name="budget_new"),
    path("budgets/<int:pk>/", BudgetPage.as_view(), name="budget_edit"),
    path("budgets/<int:pk>/remove/", budget_remove, name="budget_remove"),
    path("charge-back/", charge_back_page, name="charge_back"),
    path("charge-back.csv", charge_back_csv, name="charge_back_csv"),
]

MEETINGS: Routes = [
    path("", meeting_list.Meetings.as_view(), name="meetings"),
    path("series/", series_page.series_list, name="meeting_series_list"),
    path("series/new/", series_page.SeriesPage.as_view(), name="meeting_series_new"),
    path("series/<int:pk>/", series_page.series, name="meeting_series"),
    path("series/<int:pk>/edit/", series_page.SeriesPage.as_view(), name="meeting_series_edit"),
    path("series/<int:pk>/end/", series_page.series_end, name="meeting_series_end"),
    path("<int:pk>/", meeting.meeting, name="meeting"),
    path("<int:pk>/meeting.ics", meeting.meeting_ics, name="meeting_ics"),
    path("<int:pk>/move/", meeting.meeting_move, name="meeting_move"),
    path("<int:pk>/cancel/", meeting.meeting_cancel, name="meeting_cancel"),
]

CALENDAR_FEED: Routes = [
    path("account/calendar-feed/", feeds.calendar_feed, name="calendar_feed"),
    path("calendar/<str:token>.ics", feeds.calendar_ics, name="calendar_ics"),
]

OBJECTIVES: Routes = [
    path("", objective_list.Objectives.as_view(), name="objectives"),
    path("objectives.csv", objective_list.Objectives.as_file(), name="objectives_csv"),
    path("new/", objective_forms.ObjectivePage.as_view(), name="objective_new"),
    path("baseline/", objective_forms.objective_baseline, name="objective_baseline"),
    path("parents/", objective_forms.objective_parents, name="objective_parents"),
    path("<int:pk>/", objective.objective, name="objective"),
    path("<int:pk>/edit/", objective_forms.ObjectivePage.as_view(), name="objective_edit"),
    path("<int:pk>/history/", objective.objective_history, name="objective_history"),
    path("<int:pk>/check-in/", objective.objective_check_in, name="objective_check_in"),
    path("<int:pk>/publish/", objective.objective_publish, name="objective_publish"),
    path("<int:pk>/standing/", objective.objective_override, name="objective_override"),
    path("<int:pk>/ending/", objective.objective_decide, name="objective_decide"),
    path("<int:pk>/drop/", objective.objective_drop, name="objective_drop"),
    path("<int:pk>/key-results/<int:key_result>/chart/", charts.key_result_chart, name="key_result_chart"),
    path("<int:pk>/key-results/<int:key_result>/chart.csv", charts.key_result_chart_csv, name="key_result_chart_csv"),
]

QBR: Routes = [
    path("", qbr_list.Qbrs.as_view(), name="qbrs"),
    path("new/", qbr_forms.qbr_new, name="qbr_new"),
    path("<int:pk>/", qbr.qbr, name="qbr"),
    path("<int:pk>/arrange/", qbr_forms.qbr_arrange, name="qbr_arrange"),
    path("<int:pk>/compare/", qbr.qbr_compare, name="qbr_compare"),
    path("<int:pk>/decisions/new/", qbr_forms.DecisionPage.as_view(), name="qbr_decision_new"),
    path("<int:pk>/decisions/<int:decision>/", qbr_forms.DecisionPage.as_view(), name="qbr_decision"),
    path("<int:pk>/discard/", qbr_forms.qbr_discard, name="qbr_discard"),
    path("<int:pk>/figures.csv", qbr.qbr_csv, name="qbr_csv"),
    path("<int:pk>/freeze/", qbr_forms.FreezeQbr.as_view(), name="qbr_freeze"),
    path("<int:pk>/pdf/", qbr.qbr_pdf, name="qbr_pdf"),
    path("<int:pk>/present/", qbr.qbr_present, name="qbr_present"),
    path("<int:pk>/reopen/", qbr_forms.ReopenQbr.as_view(), name="qbr_reopen"),
    path("<int:pk>/sections/<slug:key>/", qbr_forms.qbr_section, name="qbr_section"),
    path("<int:pk>/sign/", qbr_forms.SignQbr.as_view(), name="qbr_sign"),
]

CAPITALISATION: Routes = [
    path("", capitalisation.Initiatives.as_view(), name="capitalisation"),
    path("initiatives.csv", capitalisation.Initiatives.as_file(), name="capitalisation_csv"),
    path("new/", capitalisation.EvidencePage.as_view(), name="capitalisation_new"),
    path("initiatives/<int:pk>/", capitalisation.EvidencePage.as_view(), name="capitalisation_initiative"),
    path("initiatives/<int:pk>/remove/", capitalisation.capitalisation_remove, name="capitalisation_remove"),
    path("periods/", capitalisation.Periods.as_view(), name="capitalisation_periods"),
    path("periods/new/", capitalisation.PeriodPage.as_view(), name="capitalisation_period_new"),
    path("periods/<int:pk>/", capitalisation.capitalisation_period, name="capitalisation_period"),
    path("periods/<int:pk>/period.csv", capitalisation.capitalisation_period_csv, name="capitalisation_period_csv"),
    path("periods/<int:pk>/edit/", capitalisation.PeriodPage.as_view(), name="capitalisation_period_edit"),
    path("periods/<int:pk>/approve/", capitalisation.ApprovePeriod.as_view(), name="capitalisation_period_approve"),
    path("periods/<int:pk>/freeze/", capitalisation.FreezePeriod.as_view(), name="capitalisation_period_freeze"),
    path(
        "periods/<int:pk>/remove/",
        capitalisation.capitalisation_period_remove,
        name="capitalisation_period_remove",
    ),
]

QUARTERS: Routes = [
    path("", frozen.quarters, name="quarters"),
    path("<slug:start>/", frozen.quarter, name="quarter"),
    path("<slug:start>/close/", closing.quarter_close, name="quarter_close"),
]

PHILOSOPHY: Routes = [
    path("", philosophy.philosophy, name="philosophy"),
    path("edit/", philosophy.philosophy_edit, name="philosophy_edit"),
    path("acknowledge/", philosophy.philosophy_acknowledge, name="philosophy_acknowledge"),
    path("versions/<int:number>/", philosophy.philosophy_version, name="philosophy_version"),
]

REVIEWS: Routes = [
    path("", review_list.Reviews.as_view(), name="reviews"),
    path("prepare/", review_list.review_prepare, name="review_prepare"),
    path("<int:pk>/", review.review, name="review"),
    path("<int:pk>/agenda/", review.review_agenda, name="review_agenda"),
    path("<int:pk>/save/", review.review_save, name="review_save"),
    path("<int:pk>/sign/", review.SignReview.as_view(), name="review_sign"),
]

ROADMAP: Routes = [
    path("", roadmap.roadmap, name="roadmap"),
    path("roadmap.csv", roadmap.roadmap_csv, name="roadmap_csv"),
    path("move/", moving.roadmap_move, name="roadmap_move"),
    path("example/", intents.roadmap_example, name="roadmap_example"),
    path("objectives/<int:pk>/", roadmap.roadmap_objective, name="roadmap_objective"),
    path("intents/new/", intents.roadmap_intent_new, name="roadmap_intent_new"),
    path("intents/<int:pk>/", intents.roadmap_intent, name="roadmap_intent"),
    path("intents/<int:pk>/remove/", intents.roadmap_intent_remove, name="roadmap_intent_remove"),
    path("personas/", personas.persona_roadmap, name="persona_roadmap"),
    path("personas/restore/", personas.personas_restore, name="personas_restore"),
]

TICKETS: Routes = [
    path("", ticket_list.Tickets.as_view(), name="tickets"),
    path("tickets.csv", ticket_list.Tickets.as_file(), name="tickets_csv"),
    path("import/", ticket_forms.tickets_import, name="tickets_import"),
    path("new/", ticket_forms.TicketPage.as_view(), name="ticket_new"),
    path("<int:pk>/", ticket.ticket, name="ticket"),
    path("<int:pk>/edit/", ticket_forms.TicketPage.as_view(), name="ticket_edit"),
    path("<int:pk>/move/", ticket.ticket_move, name="ticket_move"),
    path("<int:pk>/comment/", ticket.ticket_comment, name="ticket_comment"),
    path("<int:pk>/watch/", ticket.ticket_watch, name="ticket_watch"),
]

EXPERIMENTS: Routes = [
    path("", Experiments.as_view(), name="experiments"),
    path("experiments.csv", Experiments.as_file(), name="experiments_csv"),
    path("new/", ExperimentPage.as_view(), name="experiment_new"),
    path("<int:pk>/", experiment.experiment, name="experiment"),
    path("<int:pk>/edit/", ExperimentPage.as_view(), name="experiment_edit"),
    path("<int:pk>/remove/", experiment.experiment_remove, name="experiment_remove"),
    path("<int:pk>/widen/", experiment.experiment_widen, name="experiment_widen"),
    path("<int:pk>/figures.csv", experiment.experiment_figures_csv, name="experiment_figures_csv"),
    path("<int:pk>/chart/", experiment.experiment_chart, name="experiment_chart"),
    path("<int:pk>/chart.csv", experiment.experiment_chart_csv, name="experiment_chart_csv"),
]

REPORT: Routes = [
    path("", report.report, name="report"),
    path("report.md", report.report_markdown, name="report_markdown"),
    path("pdf/", report.report_pdf, name="report_pdf"),
    path("present/", report.report_present, name="report_present"),
    path("freeze/", report.FreezeReport.as_view(), name="report_freeze"),
    path("rewrite/", report.RewriteReport.as_view(), name="report_rewrite"),
]

MIRRORS: Routes = [path("<int:pk>/mirror/", card.ticket_mirror, name="ticket_mirror")]

urlpatterns: Routes = [
    path("programs/", include([*OVERVIEW, *BENCHMARKS, *AGREEMENTS])),
    path("programs/alerts/", include(ALERTS)),
    path("programs/digests/", include(DIGESTS)),
    path("programs/inbox/", include(INBOX)),
    path("programs/experiments/", include(EXPERIMENTS)),
    path("programs/meetings/", include(MEETINGS)),
    path("programs/objectives/", include(OBJECTIVES)),
    path("programs/qbr/", include(QBR)),
    path("programs/quarters/", include(QUARTERS)),
    path("programs/philosophy/", include(PHILOSOPHY)),
    path("programs/reviews/", include(REVIEWS)),
    path("programs/roadmap/", include(ROADMAP)),
    path("programs/tickets/", include([*TICKETS, *MIRRORS])),
    path("account/notifications/", include(NOTIFICATIONS)),
    path("", include(CALENDAR_FEED)),
    path("insights/ai/", include(BUDGETS)),  # next to the spend that they limit
    path("insights/allocation/", include(ALLOCATION)),  # next to the figures that they shape
    path("insights/capitalisation/", include(CAPITALISATION)),
    path("insights/report/", include(REPORT)),
    path("insights/findings/<int:pk>/comment/", finding_comment, name="finding_comment"),
]
