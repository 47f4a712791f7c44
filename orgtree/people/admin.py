"""People in Django admin, with employment, attributes and reporting lines.

The activity of people is not browsable here.  After an edit, trees, placements and figures are updated as after an
import.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin_permissions import NoAdding, NoDeleting
from core.dated_rows_admin import DAYS_WIDGET, NoOverlapFormSet, words_of
from orgtree.models import Attribute, Employment, Identity, IdentityKind, Leave, Person, PersonAttribute, Reporting
from orgtree.organisation.people_version import wait_for_other_writers
from orgtree.organisation.presence import notify_presence_changed
from orgtree.people_import.employments import changed_presences, snapshot_presences
from orgtree.people_import.managers import Line, circles_on_any_day
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import sync_trees


class IdentityInline(NoAdding, admin.TabularInline[Identity, Person]):
    """A person's identities; to assign one to somebody else, open it."""

    model = Identity
    fields = readonly_fields = ("kind", "provider", "value", "found_at")
    extra = 0
    can_delete = False
    show_change_link = True


class AttributeOnceAtATime(NoOverlapFormSet):
    key_fields = ("attribute",)


class NobodyAboveThemselves(NoOverlapFormSet):
    def clean(self) -> None:
        super().clean()
        lines = [
            (self.instance.pk, row["manager"].pk, row["during"].lower, row["during"].upper)
            for row in self.rows_to_store()
            if row.get("manager") is not None
        ]
        if self.instance.pk and lines and creates_cycle(self.instance, lines):
            raise ValidationError(
                f"With this manager {self.instance} would be above themselves. Change the manager's manager first."
            )


class EmploymentInline(admin.TabularInline[Employment, Person]):
    """Employment; a person without a row is always employed."""

    model = Employment
    formset = NoOverlapFormSet
    extra = 0
    formfield_overrides = DAYS_WIDGET
    verbose_name = "employment"
    verbose_name_plural = "employment: first day, and first day after it"


class LeaveInline(admin.TabularInline[Leave, Person]):
    model = Leave
    formset = NoOverlapFormSet
    extra = 0
    formfield_overrides = DAYS_WIDGET
    verbose_name = "leave"
    verbose_name_plural = "leave: first day, and first day after it"


class PersonAttributeInline(admin.TabularInline[PersonAttribute, Person]):
    model = PersonAttribute
    formset = AttributeOnceAtATime
    extra = 0
    formfield_overrides = DAYS_WIDGET
    verbose_name = "attribute"
    verbose_name_plural = "attributes: first day, and first day after it"


class ReportingInline(admin.TabularInline[Reporting, Person]):
    model = Reporting
    fk_name = "person"
    formset = NobodyAboveThemselves
    extra = 0
    autocomplete_fields = ("manager",)
    formfield_overrides = DAYS_WIDGET
    verbose_name = "manager"
    verbose_name_plural = "managers: first day, and first day after it"


class StillThere(admin.SimpleListFilter):
    title = "there today"
    parameter_name = "there"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        there = Person.objects.there_on(timezone.localdate())
        if self.value() == "yes":
            return queryset.filter(pk__in=there)
        return queryset.exclude(pk__in=there) if self.value() == "no" else queryset


@admin.register(Person)
class PersonAdmin(NoDeleting, admin.ModelAdmin[Person]):
    list_display = ("full_name", "email", "identity_count", "found_at", "there")
    list_filter = (StillThere, "found_at")
    search_fields = ("full_name", "email", "identities__value")
    search_help_text = "Name, e-mail address, login or account"
    autocomplete_fields = ("user",)
    fields = ("full_name", "email", "user", "found_at")
    readonly_fields = ("found_at",)
    inlines = (EmploymentInline, LeaveInline, PersonAttributeInline, ReportingInline, IdentityInline)
    change_list_template = "admin/orgtree/person/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        return (
            super().get_queryset(request).annotate(identity_count=Count("identities")).prefetch_related("employments")
        )

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        keep_former_address(obj, form.initial.get("email"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with editing_history([form.instance.pk]):
            super().save_related(request, form, formsets, change)

    @admin.display(description="identities", ordering="identity_count")
    def identity_count(self, person: Person) -> int:
        return person.identity_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="there")
    def there(self, person: Person) -> str:
        return ", ".join(sorted(words_of(employment.during) for employment in person.employments.all())) or "always"


@admin.register(Attribute)
class AttributeAdmin(NoDeleting, admin.ModelAdmin[Attribute]):
    """Attributes of people.  Slugs are used in URLs and files, so they are immutable."""

    list_display = ("name", "slug")
    fields = ("name", "slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Attribute | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()


@contextmanager
def editing_history(person_ids: Collection[int]) -> Iterator[None]:
    """Wrap a block that edits employments, attributes or reporting lines; updates everything derived from them."""
    with transaction.atomic():
        wait_for_other_writers()
        snapshot_presences()
        yield
        sync_trees(person_ids)
        rebuild_placements(person_ids=person_ids)
        notify_presence_changed([since for _, since, _ in changed_presences()])


def keep_former_address(person: Person, address: str | None) -> None:
    """Keep a former address as the person's identity, so that later activity under it is still theirs."""
    if address and address.lower() != (person.email or "").lower():
        Identity.objects.get_or_create(
            kind=IdentityKind.EMAIL, provider="", value=address.lower(), defaults={"person": person}
        )


def creates_cycle(person: Person, lines: Sequence[Line]) -> bool:
    """Whether replacing the person's reporting lines with these creates a cycle."""
    others = [
        (other, manager, during.lower, during.upper)
        for other, manager, during in Reporting.objects.exclude(person=person).values_list(
            "person_id", "manager_id", "during"
        )
    ]
    return any(True for _ in circles_on_any_day([*others, *lines]))
