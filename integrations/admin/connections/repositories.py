"""Repositories in admin, each matched across the connections that provide it."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from core.admin_permissions import NoAdding, NoDeleting
from integrations.admin.connections.joins import join_page, undo_page
from integrations.models import Repository, RepositorySource, Resource


@admin.register(Repository)
class RepositoryAdmin(NoAdding, NoDeleting, admin.ModelAdmin[Repository]):
    """Admin of repositories: one row per repository, however many connections provide it."""

    list_display = ("name", "state", "remote", "default_branch", "shallow")
    search_fields = ("name", "remote")
    readonly_fields = ("state", "remote", "root_sha", "default_branch", "shallow")
    fields = ("name", *readonly_fields)
    list_select_related = ("joined_into",)
    actions = ("join_two",)

    def get_urls(self) -> list[URLPattern]:
        see = self.admin_site.admin_view
        own = [
            path("join/<int:first>/<int:second>/", see(self.join_view), name="integrations_repository_join"),
            path("undo/<int:pk>/", see(self.undo_view), name="integrations_repository_undo"),
        ]
        return [*own, *super().get_urls()]

    def join_view(self, request: HttpRequest, first: int, second: int) -> HttpResponse:
        self._check(request)
        return join_page(request, first, second, log=self.log_change)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._check(request)
        return undo_page(request, pk, log=self.log_change)

    def _check(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied

    @admin.action(description="Join two…", permissions=["change"])
    def join_two(self, request: HttpRequest, chosen: QuerySet[Repository]) -> HttpResponse | None:
        selected = list(chosen.order_by("name").values_list("pk", flat=True)[:3])
        if len(selected) != 2:
            self.message_user(request, "Select two repositories to join.", messages.ERROR)
            return None
        return redirect("admin:integrations_repository_join", *selected)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repository]:
        sources = RepositorySource.objects.filter(repository=OuterRef("pk"))
        resources = Resource.objects.filter(
            repository=OuterRef("pk"), picked=True, gone_at=None, connection__removed_at=None
        )
        return super().get_queryset(request).annotate(is_connected=Q(Exists(sources)) | Q(Exists(resources)))

    @admin.display(description="State", ordering="is_connected")
    def state(self, repository: Repository) -> str:
        if repository.joined_into is not None:
            return f"Counts as {repository.joined_into}"
        connected = repository.is_connected  # type: ignore[attr-defined]  # annotated by get_queryset
        return "Connected" if connected else "No longer connected: as it was last read"
