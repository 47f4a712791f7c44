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
from orgtree.access import admin as accounts  # noqa: F401  # registers its pages, as do the next
from orgtree.identities import admin as identities  # noqa: F401
from orgtree.models import Organisation
from orgtree.models.organisation import POLICY_FIELDS
from orgtree.organisation.benchmark_choice import benchmark_sets, peers
from orgtree.people import admin as people  # noqa: F401
from orgtree.trees import admin as trees  # noqa: F401


@admin.register(Organisation)
class OrganisationAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Organisation]):
    """A single row, so the list redirects to it.  The rules of who sees what are changed on their own page."""

    fields = (
        *("name", *POLICY_FIELDS, "bulk_commit_lines", "bulk_commit_files"),
        *("link_window_hours", "rollout_gap_minutes", "lead_time_history_days", "repository_attributes"),
        "predicts_work_types",
        *("fiscal_year_start_month", "holidays_in", "benchmark_set", "peers", "protected_since", "calendar_zone"),
    )
    readonly_fields = (*POLICY_FIELDS, "protected_since", "calendar_zone")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "benchmark_set":
            return forms.ChoiceField(
                choices=list(benchmark_sets), label="Published figures", help_text=db_field.help_text
            )
        if db_field.name == "peers":
            return forms.ChoiceField(choices=list(peers), label="Peers", help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Organisation, form: Any, change: bool) -> None:
        obj.save(update_fields=form.changed_data)  # other fields may have changed since the form was loaded

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk]))
