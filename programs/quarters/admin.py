"""Admin of quarters, read only; they are closed on their page."""

from __future__ import annotations

from django.contrib import admin

from core.admin_permissions import NoAdding, NoDeleting
from programs.models import Quarter


@admin.register(Quarter)
class QuarterAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Quarter]):
    """In which month the fiscal year starts is said with the organisation; a quarter that is there keeps its days."""

    list_display = ("__str__", "start", "end", "closed_at", "closed_by")
    ordering = ("-start",)
    fields = ("start", "end", "closed_at", "closed_by", "retrospective")
    readonly_fields = fields
