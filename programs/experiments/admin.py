"""Read-only admin of experiments."""

from __future__ import annotations

from django.contrib import admin

from programs.history.admin import ProgramRecordAdmin
from programs.models import Experiment


@admin.register(Experiment)
class ExperimentAdmin(ProgramRecordAdmin):
    page_name, title = "experiment", "Experiments"
    list_display = ("title", "unit", "metric", "starts_on", "ends_on", "owner", "is_pilot", "result")
    list_filter = ("result__verdict", "is_pilot", "starts_on")
    list_select_related = ("unit", "owner", "result")
    search_fields = ("title", "metric", "change", "learned", "unit__name", "unit__slug")
    date_hierarchy = "starts_on"
    ordering = ("-starts_on", "pk")
