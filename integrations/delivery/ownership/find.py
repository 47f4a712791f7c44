"""Finding owned things, and units, by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from django.db.models import Exists, OuterRef, Q

from integrations.connectors.pasted import is_address, leads_to
from integrations.delivery.ownership.refusals import AmbiguousNameError, UnknownNameError, UnknownOwnerError
from integrations.enums import ResourceKind
from integrations.models import Owned, OwnedKind, Resource
from orgtree.models import Unit

MOST_CANDIDATES = 5


def find_owned(written: str) -> Owned:
    """The owned thing with this name or page address; kind:name if things of several kinds share the name.

    A thing that follows another one of the same name is the same thing.  Raises UnknownNameError, AmbiguousNameError.
    """
    written = written.replace("\x00", "").strip()
    kind, _, rest = written.partition(":")
    things = Owned.objects.filter(repository__joined_into=None)
    things = things.select_related("repository", "project__connection", "connection").order_by("kind", "pk")
    matching = list(things.filter(_called(written)))
    if not matching and kind in OwnedKind.values:
        matching = list(things.filter(_called(rest.strip()), kind=kind))
    if not matching and is_address(written):
        matching = list(things.filter(_led_to(written)))
    if not matching:
        raise UnknownNameError(written, _similar(rest if kind in OwnedKind.values else written))
    followed = {owned.repository_id for owned in matching if owned.repository_id}
    leading = [owned for owned in matching if owned.follows_id not in followed]
    if len(leading) > 1:
        raise AmbiguousNameError(written, [_full_name(owned, leading) for owned in leading])
    return leading[0]


def find_unit(slug: str) -> Unit:
    """The unit with this slug.  Raises UnknownOwnerError."""
    slug = slug.replace("\x00", "").strip()
    unit = Unit.objects.select_related("tree").filter(slug=slug).first()
    if unit is None:
        slugs = Unit.objects.filter(tree__archived_at=None).order_by("slug").values_list("slug", flat=True)
        raise UnknownOwnerError(slug, get_close_matches(slug.lower(), slugs, MOST_CANDIDATES))
    return unit


def _called(name: str) -> Q:
    connection, _, key = name.partition("/")
    boards = Resource.objects.filter(
        connection=OuterRef("connection"), kind=ResourceKind.BOARD, external_id=OuterRef("name"), name__iexact=name
    )
    return (
        Q(repository__name__iexact=name)
        | Q(project__key__iexact=name)
        | Q(project__name__iexact=name)
        | Q(project__connection__name__iexact=connection, project__key__iexact=key)
        | Q(name__iexact=name, kind__in=[OwnedKind.SERVICE, OwnedKind.BOARD])
        | Q(connection__name__iexact=connection, name__iexact=key)
        | Q(Exists(boards))
    )


def _led_to(address: str) -> Q:
    """Owned things that the address of a page leads to: a resource's repository, project, board or service."""
    listed = Resource.objects.filter(gone_at=None).select_related("repository__joined_into")
    there = [resource for resource in listed if leads_to(address, resource)]
    boards = [resource for resource in there if resource.kind == ResourceKind.BOARD]
    services = {resource.service or resource.name for resource in there if resource.kind == ResourceKind.SERVICE}
    return (
        Q(repository__in={resource.repository.counted_as.pk for resource in there if resource.repository})
        | Q(project__in={resource.project_id for resource in there})
        | Q(
            kind=OwnedKind.BOARD,
            name__in={board.external_id for board in boards},
            connection__in={board.connection_id for board in boards},
        )
        | Q(kind=OwnedKind.SERVICE, name__in=services)
    )


def _full_name(owned: Owned, among: Sequence[Owned]) -> str:
    """A name that distinguishes the thing from the others."""
    connection = owned.project.connection if owned.project else owned.connection
    if connection and sum(other.kind == owned.kind for other in among) > 1:
        return f"{owned.kind}:{connection.name}/{owned}"
    return f"{owned.kind}:{owned}"


def _similar(name: str) -> list[str]:
    labels = sorted({str(owned) for owned in Owned.objects.select_related("repository", "project")})
    like = [label for label in labels if name and name.lower() in label.lower()]
    return (like or get_close_matches(name, labels, MOST_CANDIDATES))[:MOST_CANDIDATES]
