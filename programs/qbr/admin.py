"""Admin of business reviews, read only."""

from __future__ import annotations

from django.contrib import admin

from programs.history.admin import ProgramRecordAdmin
from programs.models import Qbr


@admin.register(Qbr)
class QbrAdmin(ProgramRecordAdmin):
    page_name, title = "qbr", "Business reviews"
    list_display = ("__str__", "unit", "period", "start", "state", "audience", "revision", "signed_by", "signed_at")
    list_filter = ("state", "period", "audience", ("unit", admin.EmptyFieldListFilter))
    list_select_related = ("unit", "signed_by")
    search_fields = ("unit__name", "unit__slug", "written_by__email", "signed_by__email")
    date_hierarchy = "start"
    ordering = ("-start", "-end", "pk")
