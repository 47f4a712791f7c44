"""Repositories and projects of facts, by the provider's ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from core.locks import Lock
from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.intake.names import spelled
from integrations.intake.renamed import append_changes_of_renamed
from integrations.models import Connection, Project, Repository, Resource
from integrations.models.connections import PUSH
from integrations.telemetry.sessions.places import resolve_again_for_repository

REPOSITORIES = Lock("repositories")  # while one transaction recognises repositories, no other adds any


def repositories_of(connection: Connection, external_ids: Collection[str]) -> Mapping[str, int]:
    """External id → repository, for those that the connection knows by its own ids."""
    if not external_ids:
        return {}
    by_id = {resource.external_id: resource.repository_id for resource in _resources(connection, external_ids)}
    return {external_id: id_ for external_id, id_ in by_id.items() if id_ is not None}


def projects_of(connection: Connection, external_ids: Collection[str]) -> Mapping[str, int]:
    """External id → project: a project that was picked, or the work items of a repository that the connection knows."""
    if not external_ids:
        return {}
    stored = Project.objects.filter(connection=connection, external_id__in=external_ids)
    known = dict(stored.values_list("external_id", "pk"))
    missing = set(external_ids) - known.keys()
    new = {
        resource.external_id: Project(
            key=resource.name,
            name=resource.name[:300],
            repository=resource.repository and resource.repository.counted_as,
        )
        for resource in (_resources(connection, missing) if missing else [])
    }
    if connection.provider == PUSH:
        new |= {name: Project(key=name, name=name) for name in missing - new.keys()}
    for external_id, project in sorted(new.items()):
        project.connection, project.external_id = connection, external_id
        project.key = project.key[:200]
        project.save()
        known[external_id] = project.pk
    return known


def store_resource(connection: Connection, draft: ResourceDraft) -> Resource:
    """Store a resource that can be synced, with its repository or project; in the caller's transaction.

    It is the same repository as one of another connection, for example a clone, if both have the same remote.
    """
    columns: dict[str, Any] = {
        "name": draft.name[:500],
        "url": draft.url,
        "archived": draft.archived,
        "details": draft.details,
    }
    known = Resource.objects.select_related("repository", "project")
    stored = known.filter(connection=connection, kind=draft.kind, external_id=draft.external_id).first()
    if stored is None:
        stored = Resource(connection=connection, kind=draft.kind, external_id=draft.external_id)
    before = stored.name
    if draft.kind == ResourceKind.SERVICE:
        if not stored.service:
            columns["service"] = _service_name(stored, columns["name"])
        elif before not in (columns["name"], stored.service):
            columns["former_names"] = [*(name for name in stored.former_names if name != before), before]
    if stored.pk is None or any(getattr(stored, name) != value for name, value in columns.items()):
        for name, value in columns.items():
            setattr(stored, name, value)
        stored.save()
    if draft.kind == ResourceKind.REPOSITORY:
        _recognise_repository(stored, draft, before)
    elif draft.kind == ResourceKind.PROJECT:
        _recognise_project(stored, draft)
    return stored


def _service_name(resource: Resource, name: str) -> str:
    """The name under which a service's records are stored: its own name, unless a renamed service already uses it."""
    others = Resource.objects.filter(connection=resource.connection, kind=ResourceKind.SERVICE, service__iexact=name)
    is_taken = others.exclude(external_id=resource.external_id).exclude(name__iexact=name).exists()
    return f"{name} ({resource.external_id})"[:500] if is_taken else name


def _resources(connection: Connection, external_ids: Collection[str]) -> Collection[Resource]:
    return Resource.objects.filter(
        connection=connection, kind=ResourceKind.REPOSITORY, external_id__in=external_ids, repository__isnull=False
    ).select_related("repository")


def _recognise_repository(resource: Resource, draft: ResourceDraft, name_before: str) -> None:
    """Update the repository from the provider; its address and default branch only until a clone provides them."""
    repository = resource.repository
    was_pushed = False
    if repository is None:
        REPOSITORIES.hold()
        known = Repository.objects.with_remote(draft.remote) or _named(draft)
        repository = known or Repository(name=Repository.objects.free_name(spelled(draft.name)))
        was_pushed = known is not None and resource.connection.provider != PUSH and is_known_from_pushes_alone(known)
    columns = {}
    if repository.name != draft.name[:200] and (repository.name == name_before or was_pushed):
        REPOSITORIES.hold()
        columns["name"] = Repository.objects.free_name(draft.name)
    if repository.pk is None or not repository.sources.exists():
        columns["remote"] = draft.remote[:500] or repository.remote
        columns["default_branch"] = draft.default_branch[:300] or repository.default_branch
    if repository.pk is None or any(getattr(repository, name) != value for name, value in columns.items()):
        for name, value in columns.items():
            setattr(repository, name, value)
        repository.save()
        if "name" in columns:
            append_changes_of_renamed(repository=repository.pk)
        resolve_again_for_repository(repository)
    if resource.repository_id != repository.pk:
        resource.repository = repository
        resource.save(update_fields=["repository"])


def _recognise_project(resource: Resource, draft: ResourceDraft) -> None:
    columns = {"key": str(draft.details.get("key") or draft.name)[:200], "name": draft.name[:300]}
    known = Project.objects.filter(connection_id=resource.connection_id, external_id=draft.external_id)
    before = known.values_list("name", flat=True).first()
    project, _ = Project.objects.update_or_create(
        connection_id=resource.connection_id, external_id=draft.external_id, defaults=columns
    )
    if before not in (None, project.name):
        append_changes_of_renamed(project=project.pk)
    if resource.project_id != project.pk:
        resource.project = project
        resource.save(update_fields=["project"])


def _named(draft: ResourceDraft) -> Repository | None:
    """The repository with this name, unless both have addresses: two hosts may each have an acme/shop.

    Names of hosts ignore case, and build systems write acme/shop.git.
    """
    namesakes = Repository.objects.filter(name__iexact=spelled(draft.name)).order_by("pk")
    return (namesakes.filter(remote="") if draft.remote else namesakes).first()


def is_known_from_pushes_alone(repository: Repository) -> bool:
    """Whether nothing but pushes has named the repository so far."""
    return not repository.resources.exclude(connection__provider=PUSH).exists() and not repository.sources.exists()
