"""Deleted records: those that are missing from a complete listing, and those that were deleted explicitly."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.utils import timezone

from integrations.delivery.changed_days import append_record_days, days_of
from integrations.delivery.derive import derive
from integrations.delivery.linking.corrections import grounds_of, relink_corrected
from integrations.enums import Kind, ResourceKind
from integrations.intake.commits import delete_reported_commits
from integrations.intake.own_records import counted_places, note_own_records, own_records_of
from integrations.intake.resolve import resolve_services
from integrations.intake.tables import TABLES
from integrations.intake.unplaced import forget_waiting
from integrations.models import Connection, Resource, Stream
from integrations.outbox.write_lock import lock_for_write


def mark_gone(stream: Stream, whole: Collection[str]) -> int:
    """Mark the stream's stored records that are not among these external ids as deleted; return how many.

    Records first seen since the reading began may be newer than the page that would have listed them, and are kept; one
    first seen in the future, while the clock was ahead, is treated as older.  In the caller's transaction.
    """
    resource = stream.resource
    kind = Kind(stream.kind)
    of_stream = _records_of_resource(resource, kind)
    if of_stream is None:
        return 0
    lock_for_write(resource.connection, {kind})
    left_out = TABLES[kind].model._default_manager.filter(of_stream, connection=resource.connection, deleted_at=None)
    if stream.reading_since is not None:
        left_out = left_out.filter(Q(first_seen_at__lt=stream.reading_since) | Q(first_seen_at__gt=timezone.now()))
    if kind == Kind.DEPLOYMENT:
        left_out = left_out.filter(Q(pipeline_run=None, activation_of=None))  # derived ones go with their sources
    stored = dict(left_out.values_list("external_id", "pk"))
    return _mark(resource.connection, kind, [id_ for external_id, id_ in stored.items() if external_id not in whole])


def mark_deleted(connection: Connection, kind: Kind, external_ids: Collection[str]) -> int:
    """Mark these records as deleted, or drop waiting ones; return how many there were.  Any later update restores them.

    In the caller's transaction.
    """
    lock_for_write(connection, {kind})
    waited = forget_waiting(connection, kind, external_ids)
    if kind == Kind.COMMIT:
        return delete_reported_commits(connection, external_ids) or waited
    table = TABLES[kind]
    rows = table.model._default_manager.filter(connection=connection, external_id__in=external_ids, deleted_at=None)
    return _mark(connection, kind, list(rows.values_list("pk", flat=True))) or waited


def _mark(connection: Connection, kind: Kind, ids: Collection[int]) -> int:
    before, grounds_before = days_of(kind, ids), grounds_of(kind, ids)
    TABLES[kind].model._default_manager.filter(pk__in=ids).update(deleted_at=timezone.now())
    changed = derive(connection, kind, set(ids))
    relink_corrected(kind, ids, grounds_before)
    append_record_days(kind, changed.union(ids), before)
    return len(ids)


def live_records(connection: Connection, kind: Kind, external_ids: Collection[str]) -> list[str]:
    """The records among these that are stored and not deleted."""
    records = TABLES[kind].model._default_manager.filter(connection=connection, external_id__in=external_ids)
    return list(records.filter(deleted_at=None).values_list("external_id", flat=True))


def take_out(connection: Connection, kind: Kind, external_ids: Collection[str]) -> None:
    """Mark these records as deleted while they have no place, in the caller's transaction."""
    records = TABLES[kind].model._default_manager.filter(connection=connection, external_id__in=external_ids)
    _mark(connection, kind, list(records.filter(deleted_at=None).values_list("pk", flat=True)))


def move_records(connection: Connection, kind: Kind, external_ids: Collection[str], **columns: Any) -> None:
    """Move stored records to another repository or service, in the caller's transaction, and restore deleted ones.

    Their former place is updated as if they had been deleted, so that nothing there still counts them.
    """
    records = TABLES[kind].model._default_manager.filter(connection=connection, external_id__in=external_ids)
    ids = list(records.values_list("pk", flat=True))
    grounds_before = grounds_of(kind, ids)
    if (own := columns.get("repository_id")) is not None:
        columns |= counted_places({"repository_id": own})
        note_own_records(kind, dict.fromkeys(ids, own))
    _mark(connection, kind, list(records.filter(deleted_at=None).values_list("pk", flat=True)))
    records.update(deleted_at=None, **columns)
    changed = derive(connection, kind, set(ids))
    relink_corrected(kind, ids, grounds_before)
    append_record_days(kind, changed.union(ids))


def _records_of_resource(resource: Resource, kind: Kind) -> Q | None:
    """The condition on records of this kind that a complete listing of the resource would contain; None if there
    are none.
    """
    if kind not in TABLES:
        return None
    if kind == Kind.WORK_ITEM:
        return Q(project__external_id=resource.external_id)
    if kind == Kind.SPRINT:
        return Q(board=resource.external_id)
    if kind == Kind.INCIDENT and resource.kind == ResourceKind.SERVICE:
        return _records_of_service(resource)
    return own_records_of(resource, kind) if resource.repository_id else None


def _records_of_service(resource: Resource) -> Q | None:
    """The condition on the service's incidents, stored under its common name; None if two services share that name,
    because then neither listing contains all of them.
    """
    of_kind = Resource.objects.filter(connection=resource.connection, kind=ResourceKind.SERVICE)
    others = set(of_kind.exclude(pk=resource.pk).values_list("external_id", flat=True))
    own = {resource.external_id}
    services = resolve_services(resource.connection, own | others)
    names = {services[name].name for name in own}
    return None if names & {services[name].name for name in others} else Q(service__in=names)
