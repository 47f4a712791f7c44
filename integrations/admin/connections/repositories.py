"""Repositories in admin: what the connections' repositories were recognised as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from integrations.models import Repository, RepositorySource, Resource

if TYPE_CHECKING:
    RepositoryModelAdmin = admin.ModelAdmin[Repository]
else:  # generic for the type checker only
    RepositoryModelAdmin = admin.ModelAdmin


@admin.register(Repository)
class RepositoryAdmin(RepositoryModelAdmin):
    """One row each, whichever connections bring it."""

    list_display = ("name", "state", "remote", "default_branch", "shallow")
    search_fields = ("name", "remote")
    readonly_fields = ("state", "remote", "root_sha", "default_branch", "shallow")
    fields = ("name", *readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Repository]:
        sources = RepositorySource.objects.filter(repository=OuterRef("pk"))
        resources = Resource.objects.filter(
            repository=OuterRef("pk"), picked=True, gone_at=None, connection__removed_at=None
        )
        return super().get_queryset(request).annotate(is_connected=Q(Exists(sources)) | Q(Exists(resources)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Repository | None = None) -> bool:
        return False

    @admin.display(description="State", ordering="is_connected")
    def state(self, repository: Repository) -> str:
        connected = repository.is_connected  # type: ignore[attr-defined]  # annotated by get_queryset
        return "Connected" if connected else "No longer connected: as it was last read"
