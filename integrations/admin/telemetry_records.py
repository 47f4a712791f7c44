"""Telemetry in Django admin: quarantine, dropped attributes, and notes that cannot be read.

Facts, sessions and events are not browsable here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import ngettext

from core.admin_permissions import NoAdding, ReadOnly
from integrations.models import DroppedAttribute, QuarantinedRecord, UnreadableNote
from integrations.telemetry.otlp.quarantine import describe, replay
from integrations.telemetry.otlp.store_tallies import add_up_tallies


@admin.register(QuarantinedRecord)
class QuarantinedRecordAdmin(NoAdding, admin.ModelAdmin[QuarantinedRecord]):
    """Records that could not be stored: each with the reason and a description, but none of its values."""

    list_display = ("received_at", "signal", "reason", "token", "state")
    list_filter = ("signal", ("replayed_at", admin.EmptyFieldListFilter), "received_at")
    search_fields = ("reason",)
    list_select_related = ("token",)
    fields = readonly_fields = (
        "received_at",
        "signal",
        "agent",
        "event",
        "reason",
        "token",
        "attributes",
        "replayed_at",
    )
    actions = ("replay",)

    def has_change_permission(self, request: HttpRequest, obj: QuarantinedRecord | None = None) -> bool:
        return request.user.has_perm("integrations.change_quarantinedrecord") if obj is None else False

    @admin.display(description="State", ordering="replayed_at")
    def state(self, record: QuarantinedRecord) -> str:
        return "Stored by replay" if record.replayed_at else "Waiting"

    @admin.display(description="Agent")
    def agent(self, record: QuarantinedRecord) -> str:
        return describe(record).agent or "unknown"

    @admin.display(description="Event or metric")
    def event(self, record: QuarantinedRecord) -> str:
        return describe(record).name or "unknown"

    @admin.display(description="Attributes (values are masked)")
    def attributes(self, record: QuarantinedRecord) -> str:
        kinds = describe(record).fields
        return format_html_join("", "<div>{}: {}</div>", sorted(kinds.items())) or "none readable"

    @admin.action(description="Replay the selected records", permissions=["change"])
    def replay(self, request: HttpRequest, records: QuerySet[QuarantinedRecord]) -> None:
        outcome = replay(list(records.order_by("pk").values_list("pk", flat=True)))
        if outcome.stored:
            self.message_user(
                request,
                ngettext("%d record was stored.", "%d records were stored.", outcome.stored) % outcome.stored,
                messages.SUCCESS,
            )
        if outcome.still_bad:
            self.message_user(
                request,
                ngettext(
                    "%d record still cannot be stored: its reason says why.",
                    "%d records still cannot be stored: their reasons say why.",
                    outcome.still_bad,
                )
                % outcome.still_bad,
                messages.WARNING,
            )
        if not outcome.stored and not outcome.still_bad:
            self.message_user(request, "These records were replayed before.", messages.INFO)


@admin.register(DroppedAttribute)
class DroppedAttributeAdmin(ReadOnly, admin.ModelAdmin[DroppedAttribute]):
    """Attributes with content that were dropped on receipt."""

    list_display = ("agent", "name", "count", "last_at")
    list_filter = ("agent",)
    search_fields = ("agent", "name")
    ordering = ("-count",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        add_up_tallies()
        return super().changelist_view(request, extra_context)


@admin.register(UnreadableNote)
class UnreadableNoteAdmin(ReadOnly, admin.ModelAdmin[UnreadableNote]):
    """Notes on commits that violate their standard; a note is removed once it has been corrected and read."""

    list_display = ("repository", "sha", "reason")
    list_filter = ("repository",)
    search_fields = ("commit__sha", "reason")
    list_select_related = ("repository", "commit")
    ordering = ("repository", "pk")

    @admin.display(description="Commit")
    def sha(self, note: UnreadableNote) -> str:
        return note.commit.sha
