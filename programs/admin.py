"""Django admin of the program: searchable records, templates, personas, settings, quarters, meetings and the outbox."""

from django.contrib import admin

from core.admin_permissions import NoAdding, NoDeleting
from programs.benchmarks.admin import BenchmarkAdmin
from programs.experiments.admin import ExperimentAdmin
from programs.history.admin import ProgramRecordAdmin
from programs.meetings.admin import MeetingSeriesAdmin
from programs.models import CapitalisationPeriod, InitiativeEvidence, Qbr, Quarter, Review
from programs.objectives.admin import ObjectiveAdmin, ObjectiveTemplateAdmin
from programs.reminders.admin import OutgoingEmailAdmin
from programs.report.admin import LanguageModelAdmin
from programs.roadmaps.admin import PersonaAdmin
from programs.teams.admin import ProgramSettingsAdmin
from programs.tickets.admin import TicketAdmin, TicketTemplateAdmin


@admin.register(Review)
class ReviewAdmin(ProgramRecordAdmin):
    page_name, title = "review", "Monthly reviews"
    list_display = ("unit", "month", "prepared_by", "prepared_at", "signed_by", "signed_at")
    list_filter = (("signed_at", admin.EmptyFieldListFilter), "unit__tree")
    list_select_related = ("unit", "prepared_by", "signed_by")
    search_fields = ("unit__name", "unit__slug", "prepared_by__email", "signed_by__email")
    date_hierarchy = "month"
    ordering = ("-month", "unit__name", "pk")


@admin.register(Quarter)
class QuarterAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Quarter]):
    """Quarters and their states; the fiscal calendar is set with the organisation, and a stored quarter keeps its
    days.
    """

    list_display = ("__str__", "start", "end", "closed_at", "closed_by")
    ordering = ("-start",)
    fields = ("start", "end", "closed_at", "closed_by", "retrospective")
    readonly_fields = fields


@admin.register(CapitalisationPeriod)
class CapitalisationPeriodAdmin(ProgramRecordAdmin):
    page_name, title = "capitalisation_period", "Capitalisation periods"
    list_display = ("__str__", "state", "standard", "start", "end", "approved_by", "approved_at", "document")
    list_filter = ("state", "standard")
    list_select_related = ("approved_by", "document")
    ordering = ("-start",)


@admin.register(InitiativeEvidence)
class InitiativeEvidenceAdmin(ProgramRecordAdmin):
    page_name, title = "capitalisation_initiative", "Initiatives eligible for capitalisation"
    list_display = ("name", "kind", "authorised_on", "funded_on", "probable_since", "uncertainty", "ready_on")
    list_filter = ("kind", "uncertainty")
    search_fields = ("name", "probable_by", "authorised_by")


@admin.register(Qbr)
class QbrAdmin(ProgramRecordAdmin):
    page_name, title = "qbr", "Business reviews"
    list_display = ("__str__", "unit", "period", "start", "state", "audience", "revision", "signed_by", "signed_at")
    list_filter = ("state", "period", "audience", ("unit", admin.EmptyFieldListFilter))
    list_select_related = ("unit", "signed_by")
    search_fields = ("unit__name", "unit__slug", "written_by__email", "signed_by__email")
    date_hierarchy = "start"
    ordering = ("-start", "-end", "pk")
