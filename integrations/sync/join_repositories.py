"""Joins two records of one repository, and undoes the join.

Repositories whose names have nothing in common then count as one: everything of the joined one belongs to the other.
The origin of each record is stored, including records that arrive later, so that undoing the join returns everything to
the repository that its own source names (integrations/models/joined_repositories.py).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import LiteralString

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from core import sql
from core.locks import BusyError
from core.nudges import nudge_on_commit
from integrations.code.attribution.tasks import ATTRIBUTION
from integrations.code.commits.duplicates import recompute_changes
from integrations.code.commits.in_repositories import lock_for_recompute, recompute_homes
from integrations.delivery.agreements.apply import apply_agreements
from integrations.enums import ResourceKind
from integrations.intake.joined_rows import (
    count_commits,
    count_rows,
    joined_commits,
    merge_commits,
    move_rows,
    move_rows_back,
    place_back,
    split_commits,
)
from integrations.intake.names import folded, spelled
from integrations.intake.places import REPOSITORIES
from integrations.intake.relink_joined import relink_joined, sessions_in
from integrations.intake.renamed import append_changes_of_renamed
from integrations.models import Connection, LineHistory, Repository, RepositoryJoin, RepositorySource, Resource
from integrations.models.connections import PUSH
from integrations.outbox.attribution_queue import enqueue_sessions
from integrations.outbox.write_lock import lock_for_write_of_all
from integrations.sync.git.connect import enqueue_sources
from integrations.sync.git.sources import no_reading
from integrations.telemetry.sessions.places import place_sessions

logger = logging.getLogger(__name__)
SAME_COMMITS = 20  # the last ones of two default branches, by which one repository is a mirror of the other
_OLDER_THAN = timedelta(days=1)  # newer commits may not have reached the mirror, or may not have been read from it
# Repositories of other code hosts that have the name of one of the connection's, without its owner.
_NAMED_ALIKE: LiteralString = """
    WITH named AS MATERIALIZED (
        SELECT DISTINCT repository.id, resource.connection_id, lower(split_part(repository.remote, '/', 1)) AS host,
               lower(regexp_replace(repository.remote, '^.*/', '')) AS name
        FROM integrations_resource resource
        JOIN integrations_repository repository ON repository.id = resource.repository_id
        WHERE resource.kind = 'repository' AND resource.gone_at IS NULL AND repository.joined_into_id IS NULL
          AND repository.remote LIKE '%%/%%'
    )
    SELECT DISTINCT least(one.id, other.id), greatest(one.id, other.id)
    FROM named one JOIN named other ON other.name = one.name AND other.host <> one.host
    WHERE one.connection_id = %(connection)s
    ORDER BY 1, 2
"""
_LAST_COMMITS: LiteralString = """
    SELECT commit.sha FROM integrations_commitinrepository link
    JOIN integrations_commit commit ON commit.id = link.commit_id
    WHERE link.repository_id = %(repository)s AND link.on_default_branch AND commit.committed_at < %(before)s
    ORDER BY commit.committed_at DESC, commit.sha LIMIT %(most)s
"""


class JoinError(ValueError):
    """A join that is impossible or cannot be undone; the message says why and what to do."""


def join(repository: Repository, joined: Repository, *, by: str) -> RepositoryJoin:
    """Count `joined` as `repository`.  Raises JoinError, and BusyError while a clone of either is being read."""
    with transaction.atomic():
        _lock(repository, joined)
        repository, joined = _read(repository), _read(joined)
        if repository == joined:
            raise JoinError("A repository cannot be joined with itself: choose two.")
        for one in (repository, joined):
            if one.joined_into is not None:
                raise JoinError(f"{one} counts as {one.joined_into} already. Undo that first, or choose that one.")
        _note_days(repository, joined)
        parts = {joined.pk, *joined.joined.values_list("pk", flat=True)}
        commits = merge_commits(repository, joined)
        sessions = sessions_in([joined.pk])
        Repository.objects.filter(pk__in=parts).update(joined_into=repository)
        move_rows(repository, joined)
        LineHistory.objects.filter(pk=joined.pk).update(requested_at=None)
        _recompute_joined(repository, joined, commits, sessions)
        return RepositoryJoin.objects.create(repository=repository, joined=joined, joined_by=by)


def join_pushed_namesakes(connection: Connection) -> int:
    """Join repositories of the connection with those of the same name that are known only from pushes; return how many.

    This is needed if a repository was renamed, and a pipeline pushed under the new name before the provider was queried
    again.  A join that an admin undid is not repeated.  A repository whose clone is being read waits for the next
    listing.
    """
    pushed = {name: one for one in _known_from_pushes_alone() for name in _names_of(one.name, one.remote)}
    if not pushed:
        return 0
    listed = connection.resources.filter(kind=ResourceKind.REPOSITORY, gone_at=None, repository__joined_into=None)
    joined = 0
    for resource in listed.exclude(repository=None).select_related("repository"):
        if (repository := resource.repository) is None:
            continue
        names = _names_of(resource.name, repository.remote)
        namesake = next((pushed[name] for name in names if name in pushed and pushed[name] != repository), None)
        if namesake is None or _was_parted(repository, namesake):
            continue
        try:
            with transaction.atomic():
                join(repository, namesake, by="Headway, because it was renamed")
                _exchange_names(_read(repository), _read(namesake), resource.name)
        except (BusyError, JoinError) as problem:
            logger.info("%s is not joined with %s yet: %s", repository, namesake, problem)
            continue
        joined += 1
    return joined


def join_mirrors(connection: Connection) -> int:
    """Join repositories of the connection with those of other code hosts that they mirror; return how many.

    Two are the same if they have the same name without its owner, and the same last commits on their default branches,
    apart from those of the last day.  The one with more pull requests is the counted one.  A join that an admin undid
    is not repeated.  A repository whose clone is being read waits for the next listing.
    """
    joined = 0
    for pair in sql.rows(_NAMED_ALIKE, {"connection": connection.pk}):
        alike = Repository.objects.filter(pk__in=pair, joined_into=None)
        ordered = alike.annotate(merges=Count("pull_requests")).order_by("-merges", "pk")
        if len(ordered) < 2:  # one was joined just now
            continue
        counted, mirror = ordered
        if not _have_same_commits(counted, mirror):
            continue
        if _was_parted(counted, mirror) or _was_parted(mirror, counted):
            continue
        try:
            join(counted, mirror, by="Headway, because one mirrors the other")
        except (BusyError, JoinError) as problem:
            logger.info("%s is not joined with %s yet: %s", counted, mirror, problem)
            continue
        joined += 1
    return joined


def _have_same_commits(one: Repository, other: Repository) -> bool:
    before = timezone.now() - _OLDER_THAN
    last = [
        sql.column(_LAST_COMMITS, {"repository": repository.pk, "before": before, "most": SAME_COMMITS})
        for repository in (one, other)
    ]
    return len(last[0]) == SAME_COMMITS and last[0] == last[1]


def _known_from_pushes_alone() -> list[Repository]:
    others = Resource.objects.filter(kind=ResourceKind.REPOSITORY, repository=OuterRef("pk"))
    alone = Repository.objects.exclude(Exists(others.exclude(connection__provider=PUSH)))
    return list(alone.filter(joined_into=None, sources=None).order_by("-pk"))


def _names_of(name: str, remote: str) -> list[str]:
    """The names by which a repository can be recognised: its name, and its address."""
    return [folded(known) for known in (spelled(name), remote) if known]


def _was_parted(repository: Repository, joined: Repository) -> bool:
    return RepositoryJoin.objects.filter(repository=repository, joined=joined).exclude(undone_at=None).exists()


def _exchange_names(repository: Repository, joined: Repository, name: str) -> None:
    """Give the repository its provider's name, which had a number added because the joined repository had the
    same name.
    """
    if not repository.name.startswith(f"{name} "):
        return
    joined.name = Repository.objects.free_name(f"{name} (pushed)")
    joined.save(update_fields=["name"])
    repository.name = name
    repository.save(update_fields=["name"])
    append_changes_of_renamed(repository=repository.pk)


def undo(join: RepositoryJoin, *, by: str) -> None:
    """Make the joined repository count separately again.  Raises JoinError and BusyError like `join`."""
    with transaction.atomic():
        _lock(join.repository, join.joined)
        join = RepositoryJoin.objects.select_for_update().get(pk=join.pk)
        repository, joined = _read(join.repository), _read(join.joined)
        if join.undone_at is not None:
            raise JoinError(f"{join.undone_by} undid this already: {joined} counts for itself.")
        if repository.joined_into is not None:
            raise JoinError(f"{repository} was joined with {repository.joined_into} afterwards. Undo that first.")
        _note_days(repository, joined)
        parts = parts_of(joined)
        commits = joined_commits(parts)
        Repository.objects.filter(pk=joined.pk).update(joined_into=None)
        Repository.objects.filter(pk__in=parts - {joined.pk}).update(joined_into=joined)
        split_commits(repository, joined, parts)
        move_rows_back(repository, joined, parts)
        sessions = sessions_in([repository.pk]) | set(place_back(repository, joined))
        RepositoryJoin.objects.filter(pk=join.pk).update(undone_at=timezone.now(), undone_by=by)
        _recompute_joined(repository, _read(joined), commits, sessions)
        sources = list(RepositorySource.objects.filter(repository__in=[repository.pk, *parts]))
        RepositorySource.objects.filter(pk__in=[source.pk for source in sources]).update(view="")
        enqueue_sources(sources)  # commits that a clone lost meanwhile, and its context files


def parts_of(joined: Repository) -> set[int]:
    """The ids of the repository and of those that had been joined with it before it was joined."""
    parts, waiting = set[int](), [joined.pk]
    while waiting:
        parts.add(waiting[-1])
        waiting.extend(
            RepositoryJoin.objects.filter(repository=waiting.pop(), undone_at=None).values_list("joined", flat=True)
        )
    return parts


def brought(repository: Repository) -> dict[str, int]:
    """The number of records, by label in admin, that belong to the repository, or came from it if it is joined.

    A join moves them, and undoing it returns them.
    """
    counts = {"commits": count_commits(repository), **count_rows(repository)}
    return {label: number for label, number in counts.items() if number}


def _lock(*repositories: Repository) -> None:
    """Lock both for reading and storing until the transaction ends, in the usual order of locks."""
    ids = {one.pk for one in repositories}
    trees = Repository.objects.filter(pk__in=ids) | Repository.objects.filter(joined_into__in=ids)
    no_reading(RepositorySource.objects.filter(repository__in=trees).order_by("pk"))
    of_these = Connection.objects.filter(resources__repository__in=trees) | Connection.objects.filter(
        sources__repository__in=trees
    )
    lock_for_write_of_all(of_these.distinct())
    ATTRIBUTION.hold()
    lock_for_recompute()
    REPOSITORIES.hold()


def _read(repository: Repository) -> Repository:
    return Repository.objects.select_related("joined_into").get(pk=repository.pk)


def _note_days(*repositories: Repository) -> None:
    for repository in repositories:
        append_changes_of_renamed(repository=repository.pk)


def _recompute_joined(
    repository: Repository, joined: Repository, commits: Collection[int], sessions: Collection[int]
) -> None:
    """Recompute everything that depends on the repository of a record."""
    recompute_homes(commits)
    recompute_changes(commits)
    relink_joined([repository, joined])
    place_sessions(sorted(sessions))
    enqueue_sessions(sessions)
    _note_days(repository, joined)
    nudge_on_commit(apply_agreements)
