"""Stores one page: its records become drafts and facts, and the cursor moves, in one transaction."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from psycopg.errors import DeadlockDetected, SerializationFailure

from core import sql
from integrations.connectors.base import Page, RawRecord
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import SchemaError
from integrations.intake.store_drafts import store_drafts
from integrations.models import QuarantinedPayload, Stream, SyncRun
from integrations.sync.leases import LEASE, Lease
from integrations.sync.readings import detects_deletions

logger = logging.getLogger(__name__)

UNSTORABLE = (DataError, IntegrityError, ValueError)  # exceptions that one bad record can cause
TRIES = 4  # for a transaction that failed because of another one's locks
LONGEST_PATH = 300
MOST_FIELDS = 20  # fields that a run lists as partly left out
_POSITION = re.compile(r"\[\d+\]")  # an index of a list in a path


@dataclass(slots=True)
class Understood:
    """A page's records with their drafts, and the records that could not be parsed or stored."""

    records: list[tuple[RawRecord, Sequence[AnyDraft]]] = field(default_factory=list)
    refused: list[tuple[RawRecord, SchemaError]] = field(default_factory=list)

    @property
    def drafts(self) -> list[AnyDraft]:
        return [draft for _, drafts in self.records for draft in drafts]


def understand(records: Sequence[RawRecord]) -> Understood:
    understood = Understood()
    for record in records:
        try:
            understood.records.append((record, record.normalise(record.payload)))
        except SchemaError as problem:
            understood.refused.append((record, problem))
        except Exception as fault:  # a bug of the connector: the other records are stored nevertheless
            logger.exception("A record of %s could not be normalised", record.source or "a stream")
            understood.refused.append((record, _own_fault(fault)))
    return understood


@dataclass(slots=True)
class SliceContext:
    """A stream during a slice: its lease, its run, and whether any of its records is in quarantine."""

    lease: Lease
    stream: Stream
    run: SyncRun
    has_quarantined: bool

    @classmethod
    def of(cls, lease: Lease, stream: Stream, run: SyncRun) -> SliceContext:
        return cls(lease, stream, run, _waiting(stream).exists())


def store_page(at: SliceContext, page: Page, *, requests: int) -> None:
    """Store the page's records and move the cursor.  Raises LostLeaseError, and then nothing is stored.

    `requests` is the number of requests that the page took.
    """
    understood = understand(page.records)
    try:
        _store_in_tries(at, page, understood, requests)
    except UNSTORABLE:
        logger.exception("A page of %s could not be stored", at.stream)
        _refuse_unstorable(at, understood)
        _store_in_tries(at, page, understood, requests)


def _store_in_tries(at: SliceContext, page: Page, understood: Understood, requests: int) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            _store(at, page, understood, requests)
        except OperationalError as problem:
            if not tries_left or not isinstance(problem.__cause__, (DeadlockDetected, SerializationFailure)):
                raise
            time.sleep(0.05 * (TRIES - tries_left))
        else:
            return


def _refuse_unstorable(at: SliceContext, understood: Understood) -> None:
    """Find the records that the database rejects, by storing each one alone and rolling back."""
    storable = []
    for record, drafts in understood.records:
        try:
            with transaction.atomic():
                store_drafts(at.stream.resource.connection, drafts)
                transaction.set_rollback(True)
        except UNSTORABLE as fault:
            understood.refused.append((record, _own_fault(fault)))
        else:
            storable.append((record, drafts))
    understood.records = storable


def _own_fault(fault: Exception) -> SchemaError:
    return SchemaError("(record)", f"Headway failed on it ({type(fault).__name__}); its log says more")


@transaction.atomic
def _store(at: SliceContext, page: Page, understood: Understood, requests: int) -> None:
    held = at.lease.hold()
    stream = at.stream
    connection = stream.resource.connection
    stored = store_drafts(connection, understood.drafts)
    if detects_deletions(held):
        _note_received(stream, understood)
    if at.has_quarantined or understood.refused:
        _quarantine(stream, understood)
        at.has_quarantined = True
    left_out = left_out_of(understood.drafts, stream)
    _note_left_out(at.run, left_out)
    records = len(page.records)
    read = held.read + records
    Stream.objects.filter(pk=stream.pk).update(
        cursor=dict(page.cursor),
        read=read,
        to_read=None if page.left is None else read + page.left,
        leased_until=timezone.now() + LEASE,
    )
    SyncRun.objects.filter(pk=at.run.pk).update(
        heartbeat_at=timezone.now(),
        to_read=read if page.left is None else read + page.left,
        read=F("read") + records,
        added=F("added") + stored.added,
        changed=F("changed") + stored.changed,
        unchanged=F("unchanged") + stored.unchanged,
        removed=F("removed") + stored.removed,
        quarantined=F("quarantined") + len(understood.refused),
        unplaced=F("unplaced") + stored.unplaced,
        left_out=F("left_out") + sum(left_out.values()),
        requests=F("requests") + requests,
    )


def left_out_of(drafts: Iterable[AnyDraft], source: object) -> Counter[str]:
    """The number of parts that could not be parsed, by field; the log names the records."""
    fields: Counter[str] = Counter()
    for draft in drafts:
        for path in draft.left_out:
            logger.info("%s %s: %s is not understood, and is left out", source, draft.external_id, path)
            fields[_POSITION.sub("", path)] += 1
    return fields


def _note_left_out(run: SyncRun, left_out: Counter[str]) -> None:
    """Add to the run the fields whose parts were left out."""
    if left_out:
        known = SyncRun.objects.values_list("fields_left_out", flat=True).get(pk=run.pk)
        fields = dict((Counter(known) + left_out).most_common(MOST_FIELDS))
        SyncRun.objects.filter(pk=run.pk).update(fields_left_out=fields)


def _note_received(stream: Stream, understood: Understood) -> None:
    received_ids = {draft.external_id for draft in understood.drafts if draft.kind == stream.kind and not draft.deleted}
    sql.execute(
        """
        INSERT INTO integrations_toldrecord (stream_id, external_id)
        SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING
        """,
        [stream.pk, sorted(received_ids)],
    )


def _waiting(stream: Stream) -> QuerySet[QuarantinedPayload]:
    return QuarantinedPayload.objects.filter(
        connection=stream.resource.connection_id, kind=stream.kind, replayed_at=None
    )


def _quarantine(stream: Stream, understood: Understood) -> None:
    """Quarantine records that were not parsed, once each, and release those that are parsed now."""
    waiting = _waiting(stream).exclude(external_id="")
    received_ids = [record.external_id for record, _ in understood.records]
    again = [record.external_id for record, _ in understood.refused]
    if received_ids:
        waiting.filter(external_id__in=received_ids).update(replayed_at=timezone.now())
    if again:
        waiting.filter(external_id__in=again).delete()
    last_by_key = {
        (record.source, record.external_id or id(record)): (record, why) for record, why in understood.refused
    }
    QuarantinedPayload.objects.bulk_create(
        QuarantinedPayload(
            connection_id=stream.resource.connection_id,
            resource_id=stream.resource_id,
            kind=stream.kind,
            external_id=record.external_id[:200],
            source=record.source[:60],
            payload=record.payload,
            path=why.path[:LONGEST_PATH],
            problem=why.problem,
        )
        for record, why in last_by_key.values()
    )
