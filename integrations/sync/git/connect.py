"""Connects a repository on disk, which needs only a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from celery import signature
from django.db import transaction
from django.db.models.functions import Now

from core.nudges import nudge_on_commit
from integrations.connectors.git.repository import GitRepository
from integrations.models import Connection, RepositorySource
from integrations.models.connections import GIT

SYNC_SOURCES = signature("integrations.sync.git.tasks.sync_sources")  # by name: that module imports this one


class NameTakenError(ValueError):
    """Another connection has that name; the message names it."""


def connect_git(path: str | Path, *, name: str = "") -> RepositorySource:
    """Create or rename the connection to the repository at `path`, and request a reading.

    Raises NotARepositoryError and NameTakenError with a sentence for the operator.
    """
    path = Path(path).expanduser().resolve()
    GitRepository.open(path)
    with transaction.atomic():
        source = RepositorySource.objects.filter(connection__provider=GIT, external_id=str(path)).first()
        chosen_name = name.strip() or (source.connection.name if source else _free_name(path))
        others = Connection.objects.exclude(pk=source.connection_id) if source else Connection.objects.all()
        if others.filter(name=chosen_name).exists():
            raise NameTakenError(f"There is a connection {chosen_name!r} already. Choose another --name.")
        if source is None:
            connection = Connection.objects.create(provider=GIT, name=chosen_name, settings={"path": str(path)})
            source = RepositorySource.objects.create(connection=connection, external_id=str(path))
        elif source.connection.name != chosen_name:
            source.connection.name = chosen_name
            source.connection.save(update_fields=["name"])
        enqueue_sources([source])
    return source


def enqueue_sources(sources: Iterable[RepositorySource]) -> None:
    """Request a reading of the sources, and wake the worker."""
    with transaction.atomic():
        RepositorySource.objects.filter(pk__in=[source.pk for source in sources]).update(requested_at=Now())
        nudge_on_commit(SYNC_SOURCES)


def _free_name(path: Path) -> str:
    base = path.name.removesuffix(".git") or path.parent.name or "repository"
    names_in_use = set(Connection.objects.filter(name__startswith=base).values_list("name", flat=True))
    return next(
        name
        for name in (base, *(f"{base} {number}" for number in range(2, len(names_in_use) + 3)))
        if name not in names_in_use
    )
