"""The organisation and the identities of people in Django admin; people stand in
orgtree/people_admin.py, accounts, roles and tokens in orgtree/accounts_admin.py.

An admin sees which names belong to whom, and moves names between people; what people did is not browsable here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from orgtree.accounts_admin import ApiTokenAdmin, GrantAdmin, HeadwayUserAdmin
from orgtree.models import Identity, Organisation
from orgtree.people_admin import PersonAdmin
from orgtree.services.identities import point_to

if TYPE_CHECKING:
    OrganisationModelAdmin = admin.ModelAdmin[Organisation]
    IdentityModelAdmin = admin.ModelAdmin[Identity]
else:  # generic for the type checker only
    OrganisationModelAdmin = IdentityModelAdmin = admin.ModelAdmin

__all__ = ["ApiTokenAdmin", "GrantAdmin", "HeadwayUserAdmin", "IdentityAdmin", "OrganisationAdmin", "PersonAdmin"]


@admin.register(Organisation)
class OrganisationAdmin(OrganisationModelAdmin):
    """One row, so its list leads straight to it."""

    fields = (
        *("name", "individual_policy", "minimum_group_size", "members_see", "bulk_commit_lines", "bulk_commit_files"),
        *("protected_since", "calendar_zone"),
    )
    readonly_fields = ("protected_since", "calendar_zone")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False


@admin.register(Identity)
class IdentityAdmin(IdentityModelAdmin):
    list_display = ("value", "kind", "provider", "person", "found_at")
    list_filter = ("kind", ("person", admin.EmptyFieldListFilter), "provider")
    list_select_related = ("person",)
    search_fields = ("value", "person__full_name", "person__email")
    autocomplete_fields = ("person",)
    fields = ("kind", "provider", "value", "person", "found_at")
    readonly_fields = ("kind", "provider", "value", "found_at")

    def save_model(self, request: HttpRequest, obj: Identity, form: Any, change: bool) -> None:
        point_to([obj], obj.person)  # figures follow the identity, so whoever computes them must be told

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Identity | None = None) -> bool:
        return False
