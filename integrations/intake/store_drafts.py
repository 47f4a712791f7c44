"""Drafts become facts: pages, webhooks and pushes are stored alike, in any order and any number of times.

`store_drafts` belongs into the transaction that also moves the cursor, or marks the delivery as processed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import connection as database
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from integrations.code.git.gone_commits import request_reading_of
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import MISSING, AnyDraft, CommitDraft, Draft, RepositoryDraft, Who
from integrations.delivery.changed_days import append_days, days_of
from integrations.delivery.derive import derive
from integrations.delivery.mappings.effective import value_mappings_of
from integrations.delivery.work_items.changed_days import items_of, note_moved_items, note_unlinked
from integrations.enums import Kind, ResourceKind
from integrations.intake.commits import store_reported_commits
from integrations.intake.expected_columns import expected_of_pull_requests
from integrations.intake.identities import identify_people
from integrations.intake.places import projects_of, repositories_of, store_resource
from integrations.intake.records import References, Written, known_of, write_records
from integrations.intake.tables import TABLES, RecordTable
from integrations.models import Connection, Resource, WorkItem
from integrations.outbox.write_lock import lock_for_write

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
    """The outcomes of drafts: totals, and each in order.

    `unplaced` are drafts of repositories and projects that the connection does not know: they are not stored.
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
    def of(cls, outcomes: Sequence[Outcome]) -> Stored:
        return cls(**{outcome.value: outcomes.count(outcome) for outcome in Outcome}, outcomes=tuple(outcomes))


def store_drafts(connection: Connection, drafts: Iterable[AnyDraft]) -> Stored:
    """Store drafts of any mix of kinds for the connection; in the caller's transaction.

    Idempotent and independent of order, as far as `updated_at` says which draft is newer.
    """
    if not database.in_atomic_block:
        raise TransactionManagementError("store_drafts() needs the transaction of whoever moves the cursor.")
    all_drafts = list(drafts)
    if not all_drafts:
        return Stored()
    lock_for_write(connection, {draft.kind for draft in all_drafts})
    people = identify_people(connection.provider, _people(all_drafts))
    outcomes: dict[int, Outcome] = {}
    for kind in _ORDER:
        of_kind = {position: draft for position, draft in enumerate(all_drafts) if draft.kind == kind}
        for positions in _rounds(of_kind):
            outcomes |= _store(connection, kind, {position: all_drafts[position] for position in positions}, people)
    return Stored.of([outcomes[position] for position in range(len(all_drafts))])


def _rounds(drafts: Mapping[int, Draft]) -> Iterator[list[int]]:
    """Positions of drafts of different records; of those of one record the first comes in the first round."""
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
    connection: Connection, kind: Kind, drafts: Mapping[int, Draft], people: Mapping[Who, int]
) -> dict[int, Outcome]:
    """Store drafts of different records of one kind; the outcome by position."""
    if kind == Kind.REPOSITORY:
        return {
            position: _store_repository(connection, draft)
            for position, draft in drafts.items()
            if isinstance(draft, RepositoryDraft)
        }
    if kind == Kind.COMMIT:
        commits = {position: draft for position, draft in drafts.items() if isinstance(draft, CommitDraft)}
        known = repositories_of(connection, {draft.repository for draft in commits.values()})
        return _outcomes(commits, store_reported_commits(connection, list(commits.values()), known))
    table = TABLES[kind]
    places = _places(connection, table, drafts.values())
    placed = {position: draft for position, draft in drafts.items() if _has_place(table, draft, places)}
    stored = known_of(connection, table, {draft.external_id for draft in placed.values()})
    days_before = days_of(kind, (record.known.id for record in stored.values() if not record.deleted))
    projects_before = _projects_of(record.known.id for record in stored.values()) if kind == Kind.WORK_ITEM else {}
    linked_before = items_of([record.known.id for record in stored.values()]) if kind == Kind.PULL_REQUEST else ()
    expected = None
    if kind == Kind.PULL_REQUEST and len(stored) < len(placed):
        expected = expected_of_pull_requests(value_mappings_of(connection))
    written = write_records(
        connection, table, list(placed.values()), stored, References(people, places), expected=expected
    )
    written.note_changed(derive(connection, kind, written.touched))
    if kind == Kind.PULL_REQUEST:
        request_reading_of(written.touched)
    append_days(kind, written.touched, days_before)
    projects = _projects_of(projects_before)
    note_moved_items({item for item, project in projects_before.items() if projects[item] != project})
    note_unlinked({item for pull_request, item in linked_before if pull_request in written.touched})
    return _outcomes(placed, written) | dict.fromkeys(drafts.keys() - placed.keys(), Outcome.UNPLACED)


def _projects_of(items: Iterable[int]) -> dict[int, int]:
    """The project of each of these work items; ids."""
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
    """Everybody whom drafts and their parts name; of commits, those who signed are read from their signatures."""
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


def _places(connection: Connection, table: RecordTable, drafts: Iterable[Draft]) -> Mapping[str, int]:
    named = {name for draft in drafts if table.place and (name := getattr(draft, table.place))}
    return projects_of(connection, named) if table.place == "project" else repositories_of(connection, named)


def _has_place(table: RecordTable, draft: Draft, places: Mapping[str, int]) -> bool:
    """An incident may name no repository, or one that is not known; what else there is belongs somewhere."""
    return not table.place or draft.kind == Kind.INCIDENT or getattr(draft, table.place) in places
