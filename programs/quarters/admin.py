"""Admin of quarters, read only; they are closed on their page."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from programs.models import Quarter


@admin.register(Quarter)
class QuarterAdmin(admin.ModelAdmin[Quarter]):
    """In which month the fiscal year starts is said with the organisation; a quarter that is there keeps its days."""

    list_display = ("__str__", "start", "end", "closed_at", "closed_by")
    ordering = ("-start",)
    fields = ("start", "end", "closed_at", "closed_by", "retrospective")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Quarter | None = None) -> bool:
        return False
