"""Places named in telemetry: the repository and work item of each, and the place of each session.

A place is looked up when it first arrives, and again when a repository or item that it may name is stored.  A resolved
place keeps its repository, even if the repository is renamed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import LiteralString
from uuid import UUID

from django.db.models import Q, QuerySet

from core import sql
from integrations.connectors.references import branch_keys
from integrations.models import AgentSession, Commit, Repository, TelemetryPlace, WorkItem
from integrations.outbox.attribution_queue import enqueue_sessions

PLACES_AT_ONCE = 1_000


def resolve(places: Iterable[TelemetryPlace]) -> list[TelemetryPlace]:
    """Look up these places; return those about which more is known than before."""
    learned = []
    for place in places:
        before = place.repository_id, place.work_item_id
        place.repository_id = place.repository_id or _repository_of(place)
        place.work_item_id = place.work_item_id or _item_of(place)
        if before != (place.repository_id, place.work_item_id):
            learned.append(place)
    TelemetryPlace.objects.bulk_update(learned, ["repository", "work_item"], batch_size=PLACES_AT_ONCE)
    return learned


def resolve_again_for_repository(repository: Repository) -> None:
    """Assign sessions to a repository that is new, or has another name or address, in the caller's transaction."""
    named = Q()
    for text in filter(None, {repository.remote, repository.name}):
        last = text.rpartition("/")[2]
        named |= Q(named__iexact=text) | Q(named__iexact=last) | Q(named__iendswith=f"/{last}")
    _resolve_again(TelemetryPlace.objects.filter(named, repository=None).exclude(named=""))


def resolve_again_for_items(items: Collection[int]) -> None:
    """Link these work items to sessions whose branches name them, in the caller's transaction."""
    named = WorkItem.objects.filter(pk__in=items).values_list("key", "former_keys")
    keys = {key for current, former in named for key in (current, *former)}
    _resolve_again(TelemetryPlace.objects.filter(item_key__in=keys, work_item=None).exclude(item_key=""))


def resolve_again() -> None:
    """Look up all places that are not fully resolved, because a commit that one of them names may have arrived."""
    _resolve_again(
        TelemetryPlace.objects.filter(Q(repository=None) | Q(work_item=None) & ~Q(item_key="")).order_by("pk")
    )


def forget_items(items: Collection[int]) -> None:
    """Unlink these items, which are about to be deleted, from all sessions; another item may have the same key."""
    TelemetryPlace.objects.filter(work_item__in=items).update(work_item=None)
    AgentSession.objects.filter(work_item__in=items).update(work_item=None)


def _resolve_again(places: QuerySet[TelemetryPlace]) -> None:
    learned = resolve(places)
    if not learned:
        return
    sessions = sql.column(
        "SELECT DISTINCT session_id FROM integrations_sessionplace WHERE place_id = ANY (%s)",
        [[place.pk for place in learned]],
    )
    place_sessions(sessions)
    enqueue_sessions(sessions)


def place_sessions(sessions: Sequence[int]) -> None:
    """Store the place of these sessions: if there are several, the one with most of its tokens, or else the last one.

    An agent may name the branch only with its commits: the last branch in that repository counts.
    """
    sql.execute(PLACE_SESSIONS, {"sessions": sorted(sessions)})


def store_places(places: Sequence[tuple[UUID, str, str, str]]) -> None:
    """Store new places (key, repository, branch, revision), resolved."""
    known = set(TelemetryPlace.objects.filter(key__in=[key for key, *_ in places]).values_list("key", flat=True))
    new = [
        TelemetryPlace(key=key, named=named, branch=branch, revision=revision, item_key=next(branch_keys(branch), ""))
        for key, named, branch, revision in sorted(places)
        if key not in known
    ]
    if not new:
        return
    TelemetryPlace.objects.bulk_create(new, ignore_conflicts=True)
    resolve(TelemetryPlace.objects.filter(key__in=[place.key for place in new]))


def _repository_of(place: TelemetryPlace) -> int | None:
    if place.named:
        repository = Repository.objects.at(place.named)
        return repository.pk if repository else _meant_before(place)
    if place.revision:
        named = Commit.objects.filter(sha__startswith=place.revision).values_list("home_id", flat=True)[:2]
        return named[0] if len(named) == 1 else None
    return None


def _meant_before(place: TelemetryPlace) -> int | None:
    """The repository to which the same name referred on another branch, before the repository was renamed."""
    others = TelemetryPlace.objects.filter(named__iexact=place.named, repository__isnull=False)
    return others.order_by("-pk").values_list("repository_id", flat=True).first()


def _item_of(place: TelemetryPlace) -> int | None:
    """The only item that has or had the key; among several, the only one in a project of the place's repository."""
    if not place.item_key:
        return None
    named = Q(key=place.item_key) | Q(former_keys__contains=[place.item_key])
    items = WorkItem.objects.filter(named, deleted_at=None)
    found = items.values_list("pk", "project__repository_id").order_by("pk")[:100]
    own = [pk for pk, repository in found if repository is not None and repository == place.repository_id]
    candidates = own if len(found) > 1 else [pk for pk, _ in found]
    return candidates[0] if len(candidates) == 1 else None


PLACE_SESSIONS: LiteralString = """
    WITH there AS MATERIALIZED (
        SELECT there.session_id, there.tokens, there.last_at, place.*
        FROM integrations_sessionplace there
        JOIN integrations_telemetryplace place ON place.id = there.place_id
        WHERE there.session_id = ANY (%(sessions)s)
    ), most AS (
        SELECT DISTINCT ON (session_id) * FROM there ORDER BY session_id, tokens DESC, last_at DESC, key
    ), branched AS (
        SELECT DISTINCT ON (session_id) there.*
        FROM most JOIN there USING (session_id)
        WHERE most.branch = '' AND there.branch <> '' AND there.repository_id = most.repository_id
        ORDER BY session_id, there.last_at DESC, there.key
    ), chosen AS (
        SELECT session_id, most.repository_id, coalesce(branched.branch, most.branch) AS branch,
               coalesce(branched.work_item_id, most.work_item_id) AS work_item_id
        FROM most LEFT JOIN branched USING (session_id)
    ), locked AS (
        SELECT session.id, chosen.*
        FROM chosen JOIN integrations_agentsession session ON session.id = chosen.session_id
        WHERE (session.repository_id, session.branch, session.work_item_id)
              IS DISTINCT FROM (chosen.repository_id, chosen.branch, chosen.work_item_id)
        ORDER BY session.id
        FOR NO KEY UPDATE OF session
    )
    UPDATE integrations_agentsession session
    SET repository_id = locked.repository_id, branch = locked.branch, work_item_id = locked.work_item_id
    FROM locked WHERE session.id = locked.id
"""
