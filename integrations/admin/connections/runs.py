"""Sync runs of all connections in admin, to find failures across them."""

from __future__ import annotations

from django.contrib import admin

from core.admin_permissions import ReadOnly
from integrations.admin.connections.history import outcome_of
from integrations.models import SyncRun


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly, admin.ModelAdmin[SyncRun]):
    """Read-only list of runs; the history of one connection is a page of its own."""

    list_display = ("what", "state", "started_at", "finished_at", "outcome", "problem")
    list_display_links = None
    list_filter = ("state", "full", "stream__kind")
    list_select_related = ("source__connection", "stream__resource__connection")
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description="What")
    def what(self, run: SyncRun) -> str:
        return str(run.source or run.stream)

    @admin.display(description="Outcome")
    def outcome(self, run: SyncRun) -> str:
        return outcome_of(run)
