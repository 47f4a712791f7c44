"""Admin of monthly reviews, read only."""

from __future__ import annotations

from django.contrib import admin

from programs.history.admin import ProgramRecordAdmin
from programs.models import Review


@admin.register(Review)
class ReviewAdmin(ProgramRecordAdmin):
    page_name, title = "review", "Monthly reviews"
    list_display = ("unit", "month", "prepared_by", "prepared_at", "signed_by", "signed_at")
    list_filter = (("signed_at", admin.EmptyFieldListFilter), "unit__tree")
    list_select_related = ("unit", "prepared_by", "signed_by")
    search_fields = ("unit__name", "unit__slug", "prepared_by__email", "signed_by__email")
    date_hierarchy = "month"
    ordering = ("-month", "unit__name", "pk")
