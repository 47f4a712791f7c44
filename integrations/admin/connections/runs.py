"""Sync runs of all connections in admin, to find failures across them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from integrations.admin.connections.history import outcome_of
from integrations.models import SyncRun


@admin.register(SyncRun)
class SyncRunAdmin(admin.ModelAdmin[SyncRun]):
    """Nothing can be changed here; the history of one connection is a page of its own."""

    list_display = ("what", "state", "started_at", "finished_at", "outcome", "problem")
    list_display_links = None
    list_filter = ("state", "full", "stream__kind")
    list_select_related = ("source__connection", "stream__resource__connection")
    ordering = ("-pk",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SyncRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SyncRun | None = None) -> bool:
        return False

    @admin.display(description="What")
    def what(self, run: SyncRun) -> str:
        return str(run.source or run.stream)

    @admin.display(description="Outcome")
    def outcome(self, run: SyncRun) -> str:
        return outcome_of(run)
