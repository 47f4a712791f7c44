"""Ownership in Django admin: every ownership with its dates and unit, and the audit log.

Records create the owned things that they name, so nothing is added or deleted here, except services and boards that no
record names any more.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from core.admin_permissions import NoAdding
from core.dated_rows_admin import DAYS_WIDGET, NoOverlapFormSet, words_of
from integrations.delivery.ownership.edit import editing_rows
from integrations.delivery.ownership.proposals import confirm, proposals
from integrations.enums import ResourceKind
from integrations.models import Deployment, Incident, Owned, OwnedKind, Ownership, OwnershipChange, Resource, Sprint
from orgtree.models import OrgTree


class OneOwnerAtATime(NoOverlapFormSet):
    """Formset that allows one owner at a time in each tree."""

    key_fields = ("tree",)

    def rows_to_store(self) -> list[dict[str, Any]]:
        return [{**row, "tree": row["unit"].tree} for row in super().rows_to_store() if row.get("unit")]


class OwnershipInline(admin.TabularInline[Ownership, Owned]):
    model = Ownership
    formset = OneOwnerAtATime
    fields = ("unit", "tree", "during")
    readonly_fields = ("tree",)
    autocomplete_fields = ("unit",)
    extra = 0
    formfield_overrides = DAYS_WIDGET
    verbose_name_plural = "owners: first day, and first day after it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ownership]:
        return super().get_queryset(request).select_related("tree", "unit__tree").order_by("tree", "during")


class HasOwner(admin.SimpleListFilter):
    """Filter by whether a unit owns the object today, directly or through the repository that it belongs to."""

    title = "owner today"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "With an owner"), ("no", "Without an owner")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Owned]) -> QuerySet[Owned]:
        if self.value() not in ("yes", "no"):
            return queryset
        annotated = cast(QuerySet[Any], queryset)
        if self.value() == "yes":
            return annotated.filter(Q(is_owned=True) | Q(is_owned_by_following=True))
        return annotated.filter(is_owned=False, is_owned_by_following=False)


@admin.register(Owned)
class OwnedAdmin(NoAdding, admin.ModelAdmin[Owned]):
    list_display = ("label", "kind", "owners", "follows")
    list_filter = ("kind", HasOwner)
    search_fields = ("name", "repository__name", "project__key", "project__name")
    list_select_related = ("repository", "project", "follows")
    fields = ("kind", "label", "follows", "parts_alone", "page", "log")
    readonly_fields = ("kind", "label", "page", "log")
    autocomplete_fields = ("follows",)
    inlines = (OwnershipInline,)
    actions = ("confirm_proposals",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Owned]:
        today = timezone.localdate()
        days = Ownership.objects.filter(during__contains=today)
        now = days.select_related("unit", "tree").order_by("tree")
        board = Resource.objects.filter(
            connection=OuterRef("connection"), kind=ResourceKind.BOARD, external_id=OuterRef("name")
        )
        return (
            super()
            .get_queryset(request)
            .filter(repository__joined_into=None)
            .annotate(
                is_owned=Exists(days.filter(owned=OuterRef("pk"))),
                is_owned_by_following=Exists(days.filter(owned__repository=OuterRef("follows"))),
                board_name=Subquery(board.values("name")[:1]),
            )
            .prefetch_related(Prefetch("ownerships", queryset=now, to_attr="owners_today"))
            .order_by("kind", "repository__name", "project__key", "name")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Owned | None = None) -> tuple[str, ...]:
        # The repository of a service may be wrong; a repository itself follows nothing.
        choices = {OwnedKind.SERVICE: "follows", OwnedKind.BOARD: "parts_alone"}
        own = choices.get(OwnedKind(obj.kind)) if obj else None
        return (*self.readonly_fields, *(name for name in choices.values() if name != own))

    def get_fields(self, request: HttpRequest, obj: Owned | None = None) -> tuple[str, ...]:
        """The fields of the kind: only boards have sprints in which sub-tasks count."""
        is_board = obj is not None and obj.kind == OwnedKind.BOARD
        return tuple(name for name in self.fields if name != ("follows" if is_board else "parts_alone"))

    def has_delete_permission(self, request: HttpRequest, obj: Owned | None = None) -> bool:
        return obj is not None and super().has_delete_permission(request, obj) and not _is_named(obj)

    def save_model(self, request: HttpRequest, obj: Owned, form: Any, change: bool) -> None:
        if changed := {"follows", "parts_alone"} & set(form.changed_data):
            obj.save(update_fields=changed)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save changed days through the service that logs them and recomputes metrics."""
        if not any(formset.has_changed() for formset in formsets):
            super().save_related(request, form, formsets, change)
            return
        with editing_rows(form.instance, by=cast(User, request.user)):
            super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        changed = formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        for row in changed:
            row.tree_id = row.unit.tree_id
            row.save()

    @admin.display(description="name")
    def label(self, owned: Owned) -> str:
        board = owned.board_name  # type: ignore[attr-defined]  # annotated by get_queryset
        return f"{board} ({owned})" if board else str(owned)

    @admin.display(description="owner today")
    def owners(self, owned: Owned) -> str:
        names = [f"{owner.unit} ({owner.tree})" for owner in owned.owners_today]  # type: ignore[attr-defined]  # as below
        if names:
            return ", ".join(names)
        followed = owned.is_owned_by_following  # type: ignore[attr-defined]  # annotated by get_queryset
        return f"that of {owned.follows}" if followed else "nobody"

    @admin.display(description="page")
    def page(self, owned: Owned) -> SafeString:
        return format_html('<a href="{}?q={}">Ownership, with proposals</a>', reverse("ownership"), str(owned))

    @admin.display(description="log")
    def log(self, owned: Owned) -> SafeString | str:
        changes = OwnershipChange.objects.filter(owned_id=owned.pk).select_related("by").order_by("-pk")[:50]
        return (
            format_html_join(
                "",
                "<div>{}: {} in {}, {}, by {}</div>",
                (
                    (
                        date_format(timezone.localtime(change.at), "DATETIME_FORMAT"),
                        change.unit or "nobody",
                        change.tree,
                        words_of(_days(change)),
                        change.by or "a command",
                    )
                    for change in changes
                ),
            )
            or "not set yet"
        )

    @admin.action(description="Confirm the proposed owners in every Org Tree", permissions=["change"])
    def confirm_proposals(self, request: HttpRequest, chosen: QuerySet[Owned]) -> None:
        trees = OrgTree.objects.filter(archived_at=None)
        proposed = proposals(trees, owned_ids=list(chosen.values_list("pk", flat=True)))
        given = confirm([(proposal.owned_id, proposal.unit.pk) for proposal in proposed], by=cast(User, request.user))
        if not given:
            self.message_user(request, "None of them has a proposed owner.", messages.INFO)
            return
        message = ngettext("%d proposal was confirmed.", "%d proposals were confirmed.", given) % given
        self.message_user(request, message, messages.SUCCESS)


def _days(change: OwnershipChange) -> DateRange:
    return DateRange(change.day_from, change.day_to)


def _is_named(owned: Owned) -> bool:
    """Whether a record names the service or board; repositories and projects always count as named."""
    if owned.kind == OwnedKind.SERVICE:
        return any(records.objects.filter(service=owned.name).exists() for records in (Deployment, Incident))
    return (
        owned.kind != OwnedKind.BOARD
        or Sprint.objects.filter(connection=owned.connection_id, board=owned.name).exists()
    )
