"""Admin of the program's settings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.admin_permissions import NoAdding, NoDeleting
from core.authorship import account_of
from insights.ui.wording import moment
from orgtree.access.who_sees import names_of
from orgtree.models import OrgTree
from programs.models import ProgramSettings
from programs.teams.queries import program_settings, teams_tree
from programs.teams.services import choose_teams_tree

NOT_SET = "guessed"
CHANGES_LISTED = 50


@admin.register(ProgramSettings)
class ProgramSettingsAdmin(NoAdding, NoDeleting, admin.ModelAdmin[ProgramSettings]):
    """A single row, so the list redirects to it."""

    fields = ("teams_tree", "holds", "cost_centre", "changes")
    readonly_fields = ("holds", "changes")

    @admin.display(description="teams are today those of")
    def holds(self, settings: ProgramSettings) -> str:
        tree = teams_tree()
        if tree is None:
            return "There is no Org Tree yet."
        return tree.name if settings.teams_tree_id == tree.id else f"{tree.name}, as a guess"

    @admin.display(description="changes")
    def changes(self, settings: ProgramSettings) -> SafeString | str:
        """The changes with authors and times, newest first."""
        history = apps.get_model("programs", "ProgramSettingsEvent")._default_manager.select_related("pgh_context")
        events: list[Any] = list(history.filter(pgh_obj=settings.pk).order_by("-pgh_id")[:CHANGES_LISTED])
        trees = OrgTree.objects.in_bulk({event.teams_tree_id for event in events if event.teams_tree_id})
        accounts = [account_of(event) for event in events]
        names = names_of(list(User.objects.in_bulk({pk for pk in accounts if pk is not None}).values()))

        def word(event: Any) -> str:
            return trees[event.teams_tree_id].name if event.teams_tree_id in trees else NOT_SET

        lines = [
            (
                moment(later.pgh_created_at),
                "Headway" if account is None else names[account],
                word(earlier),
                word(later),
            )
            for (later, earlier), account in zip(pairwise(events), accounts, strict=False)
            if word(earlier) != word(later)
        ]
        return format_html_join("", "<p>{}, {}: {} → {}</p>", lines) or "Never changed."

    def save_model(self, request: HttpRequest, obj: ProgramSettings, form: Any, change: bool) -> None:
        if isinstance(request.user, User):
            choose_teams_tree(obj, by=request.user)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "teams_tree":
            kwargs["queryset"] = OrgTree.objects.filter(archived_at=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:programs_programsettings_change", args=[program_settings().pk]))
