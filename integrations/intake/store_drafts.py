"""Stores drafts as facts: from pages, webhooks and pushes alike, in any order and any number of times.

Call `store_drafts` in the transaction that also moves the cursor, or marks the delivery as processed.  A record of an
unknown repository or project waits with its drafts (unplaced.py); they are stored before its next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import connection as database
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from integrations.code.git.gone_commits import request_reading_of
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    CommitDraft,
    Draft,
    Missing,
    PullRequestDraft,
    RepositoryDraft,
    Who,
)
from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.derive import derive
from integrations.delivery.linking.corrections import grounds_of, relink_corrected
from integrations.delivery.mappings.defaults import default_work_type_of_title
from integrations.delivery.mappings.effective import ValueMappings, value_mappings_of
from integrations.delivery.work_items.changed_days import items_of, note_moved_items, note_unlinked
from integrations.enums import Kind, PullRequestEventKind, ResourceKind, WorkType
from integrations.intake.commits import store_reported_commits
from integrations.intake.deleted_records import mark_deleted, move_records
from integrations.intake.identities import identify_people
from integrations.intake.own_records import counted_places, note_own_records
from integrations.intake.places import store_resource
from integrations.intake.placing import Placing, name_services, note_ruled, place
from integrations.intake.records import Expected, References, Written, known_of, write_records
from integrations.intake.seen_plans import with_changes
from integrations.intake.tables import TABLES, column_of
from integrations.intake.unplaced import Record, drafts_of, forget_waiting, keep_new, waiting_for_place
from integrations.models import Connection, PullRequest, Resource, UnplacedRecord, WorkItem
from integrations.outbox.write_lock import lock_for_write

_MARKS = (PullRequestEventKind.READY, PullRequestEventKind.DRAFT)


def expected_of_pull_requests(meanings: ValueMappings) -> Expected:
    """The derived columns of new pull requests, as long as nothing else is known about them and their links."""

    def expected(draft: Draft) -> dict[str, object]:
        if not isinstance(draft, PullRequestDraft):
            raise TypeError("Only pull requests are expected here.")
        labels = () if isinstance(draft.labels, Missing) else draft.labels
        title, branch = (text if isinstance(text, str) else "" for text in (draft.title, draft.source_branch))
        work_type = meanings.of_labels(labels) or default_work_type_of_title(title, branch) or WorkType.OTHER
        return {"ready_at": _ready_at(draft), "work_type": work_type}

    return Expected((column_of(PullRequest, "ready_at"), column_of(PullRequest, "work_type")), expected)


def _ready_at(draft: PullRequestDraft) -> datetime | None:
    created_at = None if isinstance(draft.created_at, Missing) else draft.created_at
    events = () if isinstance(draft.events, Missing) else draft.events.parts
    marks = [(event.at, event.kind) for event in events if event.kind in _MARKS]
    if not marks:
        return None if draft.is_draft is True else created_at
    at, kind = min(marks)
    return at if kind == PullRequestEventKind.READY else created_at


# Work items before the pull requests that name them.
_ORDER = (Kind.REPOSITORY, Kind.WORK_ITEM, *(kind for kind in Kind if kind not in (Kind.REPOSITORY, Kind.WORK_ITEM)))


class Outcome(StrEnum):
    """The outcome of a draft."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    UNPLACED = "unplaced"


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcomes of drafts: totals, and the outcome of each draft in order.

    `unplaced` are drafts of unknown repositories and projects: all except incidents wait.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    unplaced: int = 0
    outcomes: tuple[Outcome, ...] = field(default=(), repr=False)

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
            self.unplaced + other.unplaced,
            self.outcomes + other.outcomes,
        )

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], unplaced: int) -> Stored:
        numbers = {outcome.value: outcomes.count(outcome) for outcome in Outcome}
        return cls(**numbers | {"unplaced": unplaced}, outcomes=tuple(outcomes))


def store_drafts(connection: Connection, drafts: Iterable[AnyDraft]) -> Stored:
    """Store drafts of any mix of kinds for the connection; in the caller's transaction.

    Idempotent and independent of order, as far as `updated_at` shows which draft is newer.  Seen plans without news
    have no outcome.
    """
    if not database.in_atomic_block:
        raise TransactionManagementError("store_drafts() needs the transaction in which the cursor moves.")
    new_drafts = list(drafts)
    if not new_drafts:
        return Stored()
    lock_for_write(connection, {draft.kind for draft in new_drafts})
    new_drafts = with_changes(connection, new_drafts)
    waiting = waiting_for_place(connection, new_drafts)
    outcomes, unplaced = _store_all(connection, waiting, new_drafts)
    number = sum((draft.kind, draft.external_id) in unplaced for draft in new_drafts)
    return Stored.of(outcomes, number)


def store_waiting(connection: Connection, rows: Collection[UnplacedRecord]) -> int:
    """Store waiting records that have a place now, in the caller's transaction; return how many."""
    waiting = {(Kind(row.kind), row.external_id): row for row in rows}
    lock_for_write(connection, {kind for kind, _ in waiting})
    _, unplaced = _store_all(connection, waiting, [])
    return len(waiting.keys() - unplaced)


def _store_all(
    connection: Connection, waiting: Mapping[Record, UnplacedRecord], new_drafts: Sequence[AnyDraft]
) -> tuple[list[Outcome], set[Record]]:
    """Store waiting drafts, then the new ones; return the outcomes of the new ones, and the records without a place."""
    waited = [draft for row in waiting.values() for draft in drafts_of(row)]
    all_drafts = [*waited, *new_drafts]
    people = identify_people(connection.provider, _people(all_drafts))
    outcomes: dict[int, Outcome] = {}
    unplaced: set[Record] = set()
    for kind in _ORDER:
        of_kind = {position: draft for position, draft in enumerate(all_drafts) if draft.kind == kind}
        rows = [row for row in waiting.values() if row.kind == kind]
        if not of_kind and not rows:
            continue
        placing = place(connection, kind, of_kind, rows)
        name_services(placing)
        _return(connection, kind, placing, rows)
        for positions in _rounds(placing.drafts):
            drafts = {position: placing.drafts[position] for position in positions}
            outcomes |= _store(connection, kind, drafts, placing.places, people)
        _note_places(connection, kind, placing, rows)
        unplaced |= {(kind, external_id) for external_id in placing.unplaced}
    new = range(len(waited), len(all_drafts))
    return [outcomes.get(position, Outcome.UNPLACED) for position in new], unplaced


def _return(connection: Connection, kind: Kind, placing: Placing, rows: Iterable[UnplacedRecord]) -> None:
    """Restore records that were removed when their rule was deleted."""
    by_place: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row.stored and (at := placing.returning.get(row.external_id)) is not None:
            by_place[at].append(row.external_id)
    for repository, external_ids in by_place.items():
        move_records(connection, kind, external_ids, repository_id=repository)


def _note_places(connection: Connection, kind: Kind, placing: Placing, rows: Iterable[UnplacedRecord]) -> None:
    """Keep the records without a place, and delete the waiting rows of those that have one."""
    gone = {external_id for external_id, record in placing.unplaced.items() if record.is_gone}
    if gone:  # a record may be stored under an earlier name
        mark_deleted(connection, kind, gone)
    waits = {(kind, external_id): record for external_id, record in placing.unplaced.items() if external_id not in gone}
    keep_new(connection, waits)
    placed = {row.external_id for row in rows if (kind, row.external_id) not in waits}
    if placed:
        forget_waiting(connection, kind, placed)
    note_ruled(placing)


def _rounds(drafts: Mapping[int, Draft]) -> Iterator[list[int]]:
    """Positions of drafts in rounds of different records; of a record's several drafts, the first is in the first
    round.
    """
    waiting = list(drafts)
    while waiting:
        seen: set[str] = set()
        now: list[int] = []
        later: list[int] = []
        for position in waiting:
            external_id = drafts[position].external_id
            (later if external_id in seen else now).append(position)
            seen.add(external_id)
        yield now
        waiting = later


def _store(
    connection: Connection,
    kind: Kind,
    drafts: Mapping[int, Draft],
    places: Mapping[str, int],
    people: Mapping[Who, int],
) -> dict[int, Outcome]:
    """Store drafts of different records of one kind, all of which have a place; return the outcome by position."""
    if kind == Kind.REPOSITORY:
        return {
            position: _store_repository(connection, draft)
            for position, draft in drafts.items()
            if isinstance(draft, RepositoryDraft)
        }
    if kind == Kind.COMMIT:
        commits = {position: draft for position, draft in drafts.items() if isinstance(draft, CommitDraft)}
        return _outcomes(commits, store_reported_commits(connection, list(commits.values()), places))
    table = TABLES[kind]
    own = places if table.place == "repository" else {}
    places = {**places, **counted_places(own)}
    stored = known_of(connection, table, {draft.external_id for draft in drafts.values()})
    days_before = days_of(kind, (record.known.id for record in stored.values() if not record.deleted))
    projects_before = _projects_of(record.known.id for record in stored.values()) if kind == Kind.WORK_ITEM else {}
    known = {record.known.id for record in stored.values()}
    grounds_before = grounds_of(kind, known)
    linked_before = items_of([record.known.id for record in stored.values()]) if kind == Kind.PULL_REQUEST else ()
    expected = None
    if kind == Kind.PULL_REQUEST and len(stored) < len(drafts):
        expected = expected_of_pull_requests(value_mappings_of(connection))
    written = write_records(
        connection, table, list(drafts.values()), stored, References(people, places), expected=expected
    )
    named = {draft.external_id: getattr(draft, table.place) for draft in drafts.values()} if own else {}
    note_own_records(kind, {id_: own[named[name]] for name, id_ in written.ids.items() if named.get(name) in own})
    written.note_changed(derive(connection, kind, written.touched))
    if written.touched:
        relink_corrected(kind, known | written.touched, grounds_before)
    if kind == Kind.PULL_REQUEST:
        request_reading_of(written.touched)
    append_record_days(kind, written.touched, days_before)
    projects = _projects_of(projects_before)
    note_moved_items({item for item, project in projects_before.items() if projects[item] != project})
    note_unlinked({item for pull_request, item in linked_before if pull_request in written.touched})
    return _outcomes(drafts, written)


def _projects_of(items: Iterable[int]) -> dict[int, int]:
    """The ids of the projects of these work items."""
    return dict(WorkItem.objects.filter(pk__in=list(items)).values_list("pk", "project_id"))


def _outcomes(drafts: Mapping[int, Draft], written: Written) -> dict[int, Outcome]:
    outcomes = {}
    for position, draft in drafts.items():
        id_ = written.ids.get(draft.external_id)
        if id_ is None:
            outcomes[position] = Outcome.UNPLACED
        elif id_ in written.added:
            outcomes[position] = Outcome.ADDED
        elif id_ in written.removed:
            outcomes[position] = Outcome.REMOVED
        else:
            outcomes[position] = Outcome.CHANGED if id_ in written.changed else Outcome.UNCHANGED
    return outcomes


def _store_repository(connection: Connection, draft: RepositoryDraft) -> Outcome:
    """Store a repository from a list page or a webhook."""
    known = Resource.objects.filter(
        connection=connection, kind=ResourceKind.REPOSITORY, external_id=draft.external_id
    ).first()
    if draft.deleted:
        if known is None or known.gone_at is not None:
            return Outcome.UNCHANGED
        Resource.objects.filter(pk=known.pk).update(gone_at=timezone.now())
        return Outcome.REMOVED
    resource = ResourceDraft(
        ResourceKind.REPOSITORY,
        draft.external_id,
        draft.name,
        url=draft.url or (known.url if known else ""),
        remote=draft.remote,
        default_branch=draft.default_branch if isinstance(draft.default_branch, str) else "",
        archived=draft.archived if isinstance(draft.archived, bool) else bool(known and known.archived),
        details=known.details if known else {},
    )
    before = known and (known.name, known.url, known.archived)
    stored = store_resource(connection, resource)
    if before is None:
        return Outcome.ADDED
    return Outcome.CHANGED if before != (stored.name, stored.url, stored.archived) else Outcome.UNCHANGED


def _people(drafts: Iterable[Draft]) -> Iterator[Who]:
    """All people whom drafts and their parts name; the people of commits are read from their signatures."""
    for draft in drafts:
        table = TABLES.get(draft.kind)
        if table is None:
            continue
        for name in table.people:
            if isinstance(who := getattr(draft, name), Who):
                yield who
        for part in table.parts:
            collection = getattr(draft, part.collection)
            if collection is not MISSING and part.people:
                for part_draft in collection.parts:
                    for name in part.people:
                        if isinstance(who := getattr(part_draft, name), Who):
                            yield who
