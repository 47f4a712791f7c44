"""Identities and proposals in Django admin: the same decisions as on the identities page, which shows their log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin_permissions import NoAdding, NoDeleting
from orgtree.identities import decisions
from orgtree.identities.decision_log import DecisionError
from orgtree.models import Identity, IdentityChange, MatchProposal


@admin.register(Identity)
class IdentityAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Identity]):
    list_display = ("value", "kind", "provider", "seen_name", "person", "standing", "found_at")
    list_filter = ("standing", "kind", ("person", admin.EmptyFieldListFilter), "provider")
    list_select_related = ("person",)
    search_fields = ("value", "seen_name", "person__full_name", "person__email")
    autocomplete_fields = ("person",)
    fields = ("kind", "provider", "value", "seen_name", "standing", "person", "found_at")
    readonly_fields = ("kind", "provider", "value", "seen_name", "standing", "found_at")
    actions = ("mark_as_bots", "unmark_bots", "split_off")

    def save_model(self, request: HttpRequest, obj: Identity, form: Any, change: bool) -> None:
        # A decision notifies listeners, so that figures follow.
        decisions.assign([obj], obj.person, by=cast(User, request.user))

    @admin.action(description="Mark as bots", permissions=["change"])
    def mark_as_bots(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        _decide(request, lambda by: decisions.mark_bots(chosen, by=by))

    @admin.action(description="These are not bots", permissions=["change"])
    def unmark_bots(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        _decide(request, lambda by: decisions.unmark_bots(chosen, by=by))

    @admin.action(description="Split off: one person each", permissions=["change"])
    def split_off(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        _decide(request, lambda by: [decisions.split(identity, by=by) for identity in chosen])


@admin.register(MatchProposal)
class MatchProposalAdmin(NoAdding, NoDeleting, admin.ModelAdmin[MatchProposal]):
    list_display = ("identity", "person", "confidence", "why", "state", "proposed_at")
    list_filter = ("state", "method")
    list_select_related = ("identity", "person")
    search_fields = ("identity__value", "identity__seen_name", "person__full_name", "person__email")
    ordering = ("-confidence", "pk")
    actions = ("confirm", "reject")

    def has_change_permission(self, request: HttpRequest, obj: MatchProposal | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    @admin.display(description="because")
    def why(self, proposal: MatchProposal) -> str:
        return " ".join(proposal.evidence)

    @admin.action(description="Confirm", permissions=["change"])
    def confirm(self, request: HttpRequest, chosen: QuerySet[MatchProposal]) -> None:
        _decide(request, lambda by: decisions.confirm(_ids(chosen), by=by))

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, chosen: QuerySet[MatchProposal]) -> None:
        _decide(request, lambda by: decisions.reject(_ids(chosen), by=by))


def _ids(chosen: QuerySet[MatchProposal]) -> list[int]:
    return list(chosen.values_list("pk", flat=True))


def _decide(request: HttpRequest, decide: Callable[[User], Sequence[IdentityChange]]) -> None:
    """Apply all decisions or none, and show the result."""
    try:
        with transaction.atomic():
            changes = decide(cast(User, request.user))
    except DecisionError as problem:
        messages.error(request, str(problem))
        return
    if changes:
        messages.success(request, f"Done: {len(changes)} {'decision' if len(changes) == 1 else 'decisions'}.")
    else:
        messages.info(request, "Nothing changed: this was already the case.")
