"""Org Trees and units in Django admin, with the dated rows of hand-built trees.

The pages under /orgtree/ create trees and add, move and remove units; admin only corrects rows.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin_permissions import NoAdding, NoDeleting
from core.dated_rows_admin import DAYS_WIDGET, NoOverlapFormSet
from orgtree.models import Membership, OrgTree, TreeKind, Unit, UnitPlace
from orgtree.trees.derivation.by_manager import ManagersInACircleError
from orgtree.trees.structures import date_range_of
from orgtree.trees.trees import archive_tree, rename_tree, restore_tree
from orgtree.trees.units import creates_cycle, editing_rows, rename_unit, set_leader


@admin.register(OrgTree)
class OrgTreeAdmin(NoDeleting, admin.ModelAdmin[OrgTree]):
    list_display = ("name", "slug", "kind", "created_at", "archived_at", "page")
    list_filter = ("kind", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug")
    fields = ("name", "slug", "kind", "created_at", "archived_at", "page")
    readonly_fields = ("slug", "kind", "created_at", "archived_at", "page")
    actions = ("archive", "restore")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("new_tree")  # the page shows a preview first

    def save_model(self, request: HttpRequest, obj: OrgTree, form: Any, change: bool) -> None:
        name, obj.name = obj.name, form.initial["name"]
        rename_tree(obj, name)

    @admin.display(description="page")
    def page(self, tree: OrgTree) -> SafeString:
        return format_html('<a href="{}">Units and people</a>', reverse("tree", args=[tree.slug]))

    @admin.action(description="Archive: hidden from tiles and menus; history is kept")
    def archive(self, request: HttpRequest, trees: QuerySet[OrgTree]) -> None:
        for tree in trees:
            archive_tree(tree)
        messages.success(request, "Archived. They can be restored.")

    @admin.action(description="Restore")
    def restore(self, request: HttpRequest, trees: QuerySet[OrgTree]) -> None:
        for tree in trees:
            try:
                restore_tree(tree)
            except ManagersInACircleError as circle:
                messages.error(request, f"{tree} stays archived: the reporting lines form a circle on {circle.on}.")


class PlacesInTheTree(NoOverlapFormSet):
    """Formset whose parents are units of the same tree, without cycles on any day."""

    def clean(self) -> None:
        super().clean()
        for row in self.rows_to_store():
            parent = row.get("parent")
            if parent is None:
                raise ValidationError("Choose the unit above: only the root of a tree has none.")
            if creates_cycle(self.instance, parent, date_range_of(row["during"].lower, row["during"].upper)):
                raise ValidationError(f"{self.instance} cannot be below {parent}, which is below it on some day.")


class OfHandBuiltTrees:
    """Makes rows of other trees read-only: they are derived from people."""

    def has_add_permission(self, request: HttpRequest, obj: Unit | None = None) -> bool:
        return obj is not None and _is_edited_by_hand(obj)

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Unit | None = None) -> bool:
        return True


class UnitPlaceInline(OfHandBuiltTrees, admin.TabularInline[UnitPlace, Unit]):
    model = UnitPlace
    fk_name = "unit"
    formset = PlacesInTheTree
    extra = 0
    formfield_overrides = DAYS_WIDGET
    verbose_name = "place"
    verbose_name_plural = "places in the tree: first day, and first day after it"

    def has_add_permission(self, request: HttpRequest, obj: Unit | None = None) -> bool:
        may_add = obj is not None and super().has_add_permission(request, obj)
        return may_add and not UnitPlace.objects.filter(unit=obj, parent=None).exists()

    has_change_permission = has_delete_permission = has_add_permission

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        unit_id = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        if db_field.name == "parent" and unit_id is not None:
            trees = OrgTree.objects.filter(units=unit_id)
            kwargs["queryset"] = Unit.objects.filter(tree__in=trees).exclude(pk=unit_id).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class OneUnitAtATime(NoOverlapFormSet):
    """Formset in which a person is a member of one unit of the tree at a time."""

    key_fields = ("person",)

    def clean(self) -> None:
        super().clean()
        for row in self.rows_to_store():
            other = (
                Membership.objects.filter(
                    tree=self.instance.tree_id, person=row.get("person"), during__overlap=row["during"]
                )
                .exclude(unit=self.instance)
                .select_related("unit")
                .first()
            )
            if other is not None:
                raise ValidationError(
                    f"{row['person']} is a member of {other.unit} on some of these days. End that first, or move the "
                    "person on the page of the tree."
                )


class MembershipInline(OfHandBuiltTrees, admin.TabularInline[Membership, Unit]):
    model = Membership
    formset = OneUnitAtATime
    fields = ("person", "during")
    extra = 0
    autocomplete_fields = ("person",)
    formfield_overrides = DAYS_WIDGET
    verbose_name_plural = "members: first day, and first day after it"


@admin.register(Unit)
class UnitAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Unit]):
    """Units are added on the page of their tree."""

    list_display = ("name", "slug", "tree", "leader")
    list_filter = ("tree",)
    list_select_related = ("tree", "leader")
    search_fields = ("name", "slug")
    autocomplete_fields = ("leader",)
    fields = ("name", "slug", "tree", "leader", "own_name")
    inlines = (UnitPlaceInline, MembershipInline)

    def get_readonly_fields(self, request: HttpRequest, obj: Unit | None = None) -> tuple[str, ...]:
        follows_managers = obj is not None and obj.tree.kind == TreeKind.MANAGERS
        return ("slug", "tree", "own_name", "leader") if follows_managers else ("slug", "tree", "own_name")

    def save_model(self, request: HttpRequest, obj: Unit, form: Any, change: bool) -> None:
        if "name" in form.changed_data:
            rename_unit(obj, obj.name)
        if "leader" in form.changed_data:
            set_leader(obj, obj.leader)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not any(formset.has_changed() for formset in formsets):
            super().save_related(request, form, formsets, change)
            return
        with editing_rows(form.instance):
            super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            if isinstance(row, Membership):
                row.tree_id = form.instance.tree_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()


def _is_edited_by_hand(unit: Unit) -> bool:
    return unit.tree.kind == TreeKind.HAND_BUILT and unit.tree.archived_at is None
