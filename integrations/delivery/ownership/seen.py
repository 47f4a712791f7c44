"""Creates owned things: repositories and projects when they are created, services and boards when records name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import LiteralString

from core import sql
from integrations.enums import Kind
from integrations.models import Owned, OwnedKind, Project, Repository

# A service follows the repository of the first record that names both.  Sorted: two connections that name the same
# services at the same time wait for each other, and must not deadlock.
_NAMED: Mapping[Kind, LiteralString] = {
    Kind.DEPLOYMENT: """
        SELECT 'service', NULL::bigint, service, (array_agg(repository_id ORDER BY id))[1]
        FROM integrations_deployment WHERE id = ANY (%s) AND service <> '' GROUP BY service ORDER BY service
    """,
    Kind.INCIDENT: """
        SELECT 'service', NULL::bigint, service,
               (array_agg(repository_id ORDER BY id) FILTER (WHERE repository_id IS NOT NULL))[1]
        FROM integrations_incident WHERE id = ANY (%s) AND service <> '' GROUP BY service ORDER BY service
    """,
    Kind.SPRINT: """
        SELECT DISTINCT 'board', connection_id, board, NULL::bigint
        FROM integrations_sprint WHERE id = ANY (%s) AND board <> '' ORDER BY connection_id, board
    """,
}


def note_named(kind: Kind, ids: Collection[int]) -> None:
    """Create owned things for everything that these records name, in the transaction that stores them.

    A service that was known without a repository follows the first one from then on.
    """
    named = _NAMED.get(kind)
    if named is None or not ids:
        return
    sql.execute(
        f"""
        INSERT INTO integrations_owned AS stored (kind, connection_id, name, follows_id) {named}
        ON CONFLICT DO NOTHING
        """,
        [sorted(ids)],
    )
    rows = sql.rows(
        f"""
        SELECT service.id, named.repository_id
        FROM ({named}) AS named (kind, connection_id, name, repository_id)
        JOIN integrations_owned service ON service.kind = named.kind AND service.name = named.name
        WHERE named.kind = 'service' AND service.follows_id IS NULL AND named.repository_id IS NOT NULL
        """,  # noqa: S608  # constants of this module
        [sorted(ids)],
    )
    for owned_id, repository_id in rows:  # nearly always empty: services whose repository was unknown
        Owned.objects.filter(pk=owned_id).update(follows=repository_id)


def note_repository(instance: Repository, *, created: bool, **_: object) -> None:
    """Signal handler: a repository can be owned as soon as it is known."""
    if created:
        Owned.objects.get_or_create(repository=instance, defaults={"kind": OwnedKind.REPOSITORY})


def note_project(instance: Project, *, created: bool, **_: object) -> None:
    """Signal handler: a project can be owned as soon as it is known; the issues of a repository follow it."""
    if created:
        defaults = {"kind": OwnedKind.PROJECT, "follows_id": instance.repository_id}
        Owned.objects.get_or_create(project=instance, defaults=defaults)
