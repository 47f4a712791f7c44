"""The organisation, its people and their identities in Django admin.

An admin sees who there is and which names belong to whom, and moves names between people; what people did is not
browsable here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from orgtree.models import Identity, Organisation, Person
from orgtree.services.identities import point_to
from orgtree.services.leaving import set_left_on

if TYPE_CHECKING:
    OrganisationModelAdmin = admin.ModelAdmin[Organisation]
    PersonModelAdmin = admin.ModelAdmin[Person]
    IdentityModelAdmin = admin.ModelAdmin[Identity]
    IdentityTabularInline = admin.TabularInline[Identity, Person]
else:  # generic for the type checker only
    OrganisationModelAdmin = PersonModelAdmin = IdentityModelAdmin = admin.ModelAdmin
    IdentityTabularInline = admin.TabularInline


@admin.register(Organisation)
class OrganisationAdmin(OrganisationModelAdmin):
    """One row, so its list leads straight to it."""

    fields = (
        *("name", "individual_policy", "minimum_group_size", "bulk_commit_lines", "bulk_commit_files"),
        *("protected_since", "calendar_zone"),
    )
    readonly_fields = ("protected_since", "calendar_zone")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:orgtree_organisation_change", args=[Organisation.current().pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False


class IdentityInline(IdentityTabularInline):
    """A person's names; to move one to somebody else, open it."""

    model = Identity
    fields = readonly_fields = ("kind", "provider", "value", "found_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        return False


@admin.register(Person)
class PersonAdmin(PersonModelAdmin):
    list_display = ("full_name", "email", "identity_count", "found_at", "left_on")
    list_filter = (("left_on", admin.EmptyFieldListFilter), "found_at")
    search_fields = ("full_name", "email", "identities__value")
    search_help_text = "Name, e-mail address, login or account"
    autocomplete_fields = ("user",)
    fields = ("full_name", "email", "left_on", "user", "found_at")
    readonly_fields = ("found_at",)
    inlines = (IdentityInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        return super().get_queryset(request).annotate(identity_count=Count("identities"))

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        left_on = obj.left_on
        if change:
            obj.left_on = form.initial["left_on"]
        super().save_model(request, obj, form, change)
        set_left_on(obj, left_on)

    @admin.display(description="identities", ordering="identity_count")
    def identity_count(self, person: Person) -> int:
        return person.identity_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        # Deleting would leave figures of nobody; "left on" says that somebody is gone.
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
