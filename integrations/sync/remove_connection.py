"""Removes a connection: its facts are kept, without a source that refreshes them, or deleted with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from celery import signature
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core import sql
from core.nudges import nudge_on_commit
from core.queue import run_all
from integrations.code.attribution.session_outcomes import recompute_outcomes
from integrations.code.attribution.tasks import ATTRIBUTION
from integrations.code.commits.changed_days import append_changes_of_commits
from integrations.code.commits.duplicates import recompute_changes
from integrations.code.commits.in_repositories import lock_for_recompute, recompute_homes
from integrations.code.git.branches import append_changes_of_branches
from integrations.enums import Kind
from integrations.facts.ai import append_changes_of_sessions
from integrations.intake.forget_connection import count_records, forget_records
from integrations.intake.tables import TABLES
from integrations.models import (
    Connection,
    Repository,
    RepositoryJoin,
    RepositorySource,
    Resource,
    Stream,
    WebhookDelivery,
)
from integrations.models.connections import GIT
from integrations.outbox.attribution_queue import enqueue_sessions
from integrations.outbox.write_lock import lock_for_write
from integrations.sync.git.sources import no_reading
from integrations.sync.join_repositories import undo

DELETE_UNWANTED = signature("integrations.sync.tasks.delete_unwanted")  # by name: it calls this module
PLACED_IN_REPOSITORIES = tuple(table.model for table in TABLES.values() if table.place == "repository")
LONGEST_NAME_LEFT = 150  # the name of a connection that only exists until its facts are deleted
# Tables that reference a commit, before the commits themselves.
DELETE_COMMITS: tuple[LiteralString, ...] = (
    "DELETE FROM integrations_commitevidence WHERE commit_id = ANY (%s)",
    "DELETE FROM integrations_unreadablenote WHERE commit_id = ANY (%s)",
    "DELETE FROM integrations_attributionwork WHERE commit_id = ANY (%s)",
    "DELETE FROM integrations_deployedpush WHERE commit_id = ANY (%s)",
    "DELETE FROM integrations_coauthor WHERE commit_id = ANY (%s)",
    "DELETE FROM integrations_commitfile WHERE commit_id = ANY (%s)",
    "UPDATE integrations_commit SET stands_in_id = NULL WHERE stands_in_id = ANY (%s)",
    "DELETE FROM integrations_commit WHERE id = ANY (%s)",
)


@dataclass(frozen=True)
class RemovalImpact:
    """Data that only this connection provides; `shared_commits` are also in repositories that remain, and are kept.

    `records` counts its provider's records by kind.
    """

    repositories: int
    commits: int
    files: int
    shared_commits: int
    records: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.commits + sum(self.records.values())


def removal_impact(connection: Connection) -> RemovalImpact:
    """The data that would be deleted with the connection."""
    repositories = _only_of(connection)
    rows = sql.rows(
        """
        SELECT commit_id, bool_or(repository_id <> ALL (%(own)s)) AS shared
        FROM integrations_commitinrepository
        WHERE commit_id IN (
            SELECT commit_id FROM integrations_commitinrepository WHERE repository_id = ANY (%(own)s)
        )
        GROUP BY commit_id
        """,
        {"own": repositories},
    )
    own = [commit for commit, shared in rows if not shared]
    files = sql.value("SELECT count(*) FROM integrations_commitfile WHERE commit_id = ANY (%s)", [own])
    return RemovalImpact(len(repositories), len(own), files, len(rows) - len(own), count_records(connection))


def remove_keeping_facts(connection: Connection) -> None:
    """Delete only the connection.  Its repositories stay as of their last reading, marked as no longer connected.

    A provider's facts reference their connection, so it stays, marked as removed and without its secrets; connecting
    under its name again continues with the kept facts.  Raises BusyError.
    """
    with transaction.atomic():
        no_reading(connection.sources.all())
        if connection.provider == GIT:
            append_changes_of_branches(connection.pk)
            connection.delete()
            return
        _wait_for_readers(connection)
        lock_for_write(connection, frozenset(Kind))
        connection.deliveries.filter(state=WebhookDelivery.State.WAITING).delete()
        connection.removed_at = timezone.now()
        connection.secrets = {}
        connection.save(update_fields=["removed_at", "secrets"])


def remove_with_facts_later(connection: Connection) -> None:
    """Hide a provider's connection at once, and let the worker delete it with its facts; its name can be used again."""
    with transaction.atomic():
        connection.name = f"{connection.name[:LONGEST_NAME_LEFT]} (removed, {connection.pk})"
        connection.removed_at = connection.paused_at = timezone.now()
        connection.facts_unwanted, connection.secrets = True, {}
        connection.save(update_fields=["name", "removed_at", "paused_at", "facts_unwanted", "secrets"])
        nudge_on_commit(DELETE_UNWANTED)


def delete_unwanted_facts() -> int:
    """Delete connections that were removed with their facts; return how many.  Those that are still being read are
    skipped.
    """
    return len(run_all(Connection.objects.filter(facts_unwanted=True).order_by("pk"), remove_with_facts))


def remove_with_facts(connection: Connection) -> None:
    """Delete the connection, the repositories that only it provides, and the commits that no other repository has.

    Commits that were duplicates of a deleted commit count again.  Raises BusyError.
    """
    with transaction.atomic():
        _part_repositories(connection)
        no_reading(connection.sources.all())
        _wait_for_readers(connection)
        append_changes_of_branches(connection.pk)
        forget_records(connection)
        ATTRIBUTION.hold()
        lock_for_recompute()
        repositories = _only_of(connection)
        sessions = _sessions_in(repositories)
        held = _unlink(repositories)
        recompute_homes(held)
        recompute_changes(held)
        _delete_commits(_held_by_none(held), sessions)
        enqueue_sessions(sessions)  # their generated lines can be assigned to other commits
        Repository.objects.filter(pk__in=repositories).delete()
        connection.delete()


def _part_repositories(connection: Connection) -> None:
    """Undo the joins of its repositories, so that data from other connections stays with their own."""
    own = Repository.objects.filter(Q(sources__connection=connection) | Q(resources__connection=connection))
    counted = {repository.counted_as.pk for repository in own.select_related("joined_into")}
    joins = RepositoryJoin.objects.filter(Q(repository__in=counted) | Q(repository__joined_into__in=counted))
    for join in joins.filter(undone_at=None).order_by("-pk"):
        undo(join, by=f"Removal of {connection}"[:200])


def _wait_for_readers(connection: Connection) -> None:
    """Prevent the connection's pages and deliveries from being stored until the caller's transaction ends.

    Readers lock their row before they wait for other writers: a different order would deadlock.
    """
    streams = Stream.objects.filter(resource__connection=connection).order_by("pk")
    list(streams.select_for_update(of=("self",)).values_list("pk", flat=True))
    waiting = connection.deliveries.filter(state=WebhookDelivery.State.WAITING).order_by("pk")
    list(waiting.select_for_update().values_list("pk", flat=True))


def _only_of(connection: Connection) -> list[int]:
    """The repositories that no other connection provides and that contain no other connection's records."""
    elsewhere = Repository.objects.filter(
        Q(sources__in=RepositorySource.objects.exclude(connection=connection))
        | Q(resources__in=Resource.objects.exclude(connection=connection))
    )
    own = Repository.objects.filter(Q(sources__connection=connection) | Q(resources__connection=connection))
    only_own = own.exclude(pk__in=elsewhere.values("pk"))
    for model in PLACED_IN_REPOSITORIES:  # records of others that name it would be deleted with it
        others = model._default_manager.exclude(connection=connection).filter(Q(repository=OuterRef("pk")))
        only_own = only_own.exclude(Exists(others))
    return sorted(only_own.values_list("pk", flat=True).distinct())


def _sessions_in(repositories: Collection[int]) -> set[int]:
    """Sessions with lines in commits whose home is one of these repositories."""
    return sql.ids(
        "SELECT DISTINCT session_id FROM integrations_sessionshare WHERE repository_id = ANY (%s)", [list(repositories)]
    )


def _unlink(repositories: Collection[int]) -> set[int]:
    """Unlink all commits from the repositories; return those commits."""
    return sql.ids(
        "DELETE FROM integrations_commitinrepository WHERE repository_id = ANY (%s) RETURNING commit_id",
        [list(repositories)],
    )


def _held_by_none(commits: Collection[int]) -> list[int]:
    return sql.column(
        """
        SELECT wanted.id FROM unnest(%s::bigint[]) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM integrations_commitinrepository link WHERE link.commit_id = wanted.id)
        ORDER BY 1
        """,
        [sorted(commits)],
    )


def _delete_commits(commits: list[int], sessions: Collection[int]) -> None:
    """Delete the commits with everything that references them, and recompute the outcomes of sessions with lines
    in them.
    """
    append_changes_of_commits(commits)
    sql.execute("DELETE FROM integrations_fileattribution WHERE commit_id = ANY (%s)", [commits])
    # They are deleted by now; this reports for the last time the people whom they covered.
    append_changes_of_sessions({*sessions, *recompute_outcomes(commits, sessions)})
    for statement in DELETE_COMMITS:
        sql.execute(statement, [commits])
