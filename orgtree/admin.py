"""The organisation in Django admin; people are in orgtree/people/admin.py, identities in orgtree/identities/admin.py,
accounts, roles and tokens in orgtree/access/admin.py.

Admins see and move identities of people; the activity of people is not browsable here.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.admin_permissions import NoAdding, NoDeleting
from orgtree.access.admin import ApiTokenAdmin, GrantAdmin, HeadwayUserAdmin
from orgtree.identities.admin import IdentityAdmin, MatchProposalAdmin
from orgtree.models import Organisation
from orgtree.organisation.benchmark_choice import offered_benchmark_sets, offered_peers
from orgtree.people.admin import PersonAdmin
from orgtree.trees.admin import OrgTreeAdmin, UnitAdmin

__all__ = [
    "ApiTokenAdmin",
    "GrantAdmin",
    "HeadwayUserAdmin",
    "IdentityAdmin",
    "MatchProposalAdmin",
    "OrgTreeAdmin",
    "OrganisationAdmin",
    "PersonAdmin",
    "UnitAdmin",
]


@admin.register(Organisation)
class OrganisationAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Organisation]):
    """A single row, so the list redirects to it."""

    fields = (
        *("name", "individual_policy", "minimum_group_size", "members_see", "bulk_commit_lines", "bulk_commit_files"),
        *("link_window_hours", "rollout_gap_minutes", "lead_time_history_days"),
        *("fiscal_year_start_month", "benchmark_set", "peers", "protected_since", "calendar_zone"),
    )
    readonly_fields = ("protected_since", "calendar_zone")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "benchmark_set":
            return forms.ChoiceField(
                choices=offered_benchmark_sets(), label="Published figures", help_text=db_field.help_text
            )
        if db_field.name == "peers":
            return forms.ChoiceField(choices=offered_peers(), label="Peers", help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Organisation, form: Any, change: bool) -> None:
        obj.save(update_fields=form.changed_data)  # other fields may have changed since the form was loaded

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk]))
