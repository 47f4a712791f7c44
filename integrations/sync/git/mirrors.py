"""Mirrors: local copies of providers' repositories, whose lines and files can be read like those of a clone.

A mirror is a source of its connection, with a path in the data folder; it is fetched before each reading.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.locks import BusyError
from integrations.connectors.errors import ConnectorError
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.mirror import update_mirror
from integrations.enums import ResourceKind
from integrations.models import Connection, RepositorySource, Resource
from integrations.sync.clients import client_of, connector_of, fetched
from integrations.sync.git.sources import no_reading

KEEP_MIRROR = "keep_mirror"  # the setting of a connection, "true" if its admin wants mirrors
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def sync_mirrors() -> None:
    """Create a source for each repository that should be mirrored, and delete all others with their copies."""
    by_path = {str(mirror_path(resource)): resource for resource in _to_mirror()}
    sources = RepositorySource.objects.filter(external_id__startswith=f"{_folder()}/")
    known = {source.external_id: source for source in sources}
    for path in known.keys() - by_path.keys():
        with suppress(BusyError), transaction.atomic():  # being read: the next sweep drops it
            no_reading([known[path]])
            known[path].delete()
            shutil.rmtree(path, ignore_errors=True)
    RepositorySource.objects.bulk_create(
        [
            RepositorySource(connection_id=resource.connection_id, external_id=path, repository=resource.repository)
            for path, resource in by_path.items()
            if path not in known
        ],
        ignore_conflicts=True,
    )


def refresh_mirror(source: RepositorySource) -> None:
    """Fetch changes from the provider, if the source is a mirror.  Raises GitError with a sentence for an admin."""
    if not is_mirror(source):
        return
    path = Path(source.external_id)
    resource = Resource.objects.filter(
        connection=source.connection, kind=ResourceKind.REPOSITORY, external_id=path.stem
    ).first()
    if resource is None:
        raise GitError("The repository is no longer among the connection's resources.")
    try:
        connector = connector_of(source.connection)
        with client_of(connector, None, signed=False) as http:
            address = connector.clone_address(http, fetched(resource))
    except ConnectorError as problem:
        raise GitError(problem.sentences) from None
    update_mirror(path, address.url, address.authorization)


def is_mirror(source: RepositorySource) -> bool:
    return Path(source.external_id).is_relative_to(_folder())


def mirror_path(resource: Resource) -> Path:
    """The path of a mirror, built from ids because names change and may contain any character."""
    if not _SAFE_NAME.fullmatch(resource.external_id):
        raise ValueError(f"{resource.external_id!r} names no folder.")
    return _folder() / str(resource.connection_id) / f"{resource.external_id}.git"


def _to_mirror() -> Iterable[Resource]:
    connections = Connection.objects.filter(removed_at=None, **{f"settings__{KEEP_MIRROR}": "true"})
    return Resource.objects.filter(
        connection__in=connections, kind=ResourceKind.REPOSITORY, picked=True, gone_at=None, repository__isnull=False
    ).select_related("repository")


def _folder() -> Path:
    return Path(settings.DATA_DIR).resolve() / "mirrors"
