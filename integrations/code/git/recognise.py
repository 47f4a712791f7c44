"""Matches a source to a repository by its remote's address, else by its root commit, else by the name under which it
was pushed; else creates one.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from integrations.code.git.branches import short_name
from integrations.connectors.git.repository import GitRepository
from integrations.models import Repository, RepositorySource, Resource
from integrations.models.connections import PUSH


@transaction.atomic
def recognise(
    source: RepositorySource, repository: GitRepository, branches: Mapping[str, str], default: str | None
) -> Repository:
    """The repository of the source, updated from the source.

    A source keeps its repository unless an admin detaches it.
    """
    remote = repository.remote
    root = repository.root(branches[default]) if default else ""
    stored = (
        source.repository
        or _known(remote, root)
        or _pushed(source.connection.name, remote)
        or Repository(name=Repository.objects.free_name(source.connection.name))
    )
    stored.remote = remote or stored.remote
    stored.root_sha = root or stored.root_sha
    stored.default_branch = short_name(default) if default else ""
    stored.shallow = repository.is_shallow
    stored.save()
    if source.repository_id != stored.pk:
        source.repository = stored
        source.save(update_fields=["repository"])
    return stored


def _known(remote: str, root: str) -> Repository | None:
    """The known repository: different remotes with one root are forks, which are separate; without remotes the root
    decides.

    Addresses at code hosts with an API are compared without case.
    """
    if remote:
        of_hosts = Repository.objects.filter(remote__iexact=remote, resources__isnull=False)
        return Repository.objects.filter(remote=remote).first() or of_hosts.order_by("pk").first()
    return Repository.objects.filter(root_sha=root, remote="").first() if root else None


def _pushed(name: str, remote: str) -> Repository | None:
    """The repository known only from pushes so far: the one with the connection's name, or with the path of its
    remote.
    """
    names = Q(name__iexact=name)
    if path := remote.partition("/")[2]:
        names |= Q(name__iexact=path)
    listed = Resource.objects.filter(repository=OuterRef("pk")).exclude(connection__provider=PUSH)
    alone = Repository.objects.filter(names, remote="", root_sha="", sources=None, joined_into=None)
    return alone.exclude(Exists(listed)).order_by("pk").first()
