"""Records that wait for their repository or project, with their drafts, as far as there is room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from core import sql
from integrations.connectors.drafts import AnyDraft, Draft
from integrations.enums import Kind
from integrations.intake.resolve import Named, Place
from integrations.intake.rows import as_json
from integrations.intake.tables import dump_draft, load_draft
from integrations.models import Connection, UnplacedReason, UnplacedRecord

MOST_WAITING = 50_000  # per connection; further records are only counted
MOST_DRAFTS = 20  # per record: the latest ones

Record = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A record without a place: its name, why that cannot be resolved, and its drafts in the order of arrival."""

    named: Named
    place: Place
    drafts: Sequence[Draft]

    @property
    def is_gone(self) -> bool:
        """Whether the last known state is that the record was deleted."""
        return bool(self.drafts) and self.drafts[-1].deleted


def waiting_for_place(connection: Connection, drafts: Iterable[Draft]) -> dict[Record, UnplacedRecord]:
    """The records of these drafts that are waiting already."""
    records = {(draft.kind, draft.external_id) for draft in drafts}
    rows = UnplacedRecord.objects.filter(
        connection=connection,
        kind__in={kind for kind, _ in records},
        external_id__in={external_id for _, external_id in records},
    )
    waiting = {(Kind(row.kind), row.external_id): row for row in rows}
    return {record: row for record, row in waiting.items() if record in records}


def drafts_of(row: UnplacedRecord) -> list[AnyDraft]:
    """The drafts that waited, in the order of their arrival."""
    return [load_draft(Kind(row.kind), document) for document in row.drafts]  # type: ignore[misc]  # of that kind


def keep_new(connection: Connection, unplaced: Mapping[Record, Unplaced]) -> None:
    """Keep records that just arrived until they have a place; records for which there is no room are only counted."""
    if not unplaced:
        return
    room = MOST_WAITING - UnplacedRecord.objects.filter(connection=connection).count()
    known = waiting_for_place(connection, [draft for record in unplaced.values() for draft in record.drafts])
    beyond = [record for record in sorted(unplaced) if record not in known][max(room, 0) :]
    if beyond:
        Connection.objects.filter(pk=connection.pk).update(unplaced_beyond=F("unplaced_beyond") + len(beyond))
    left_out = set(beyond)
    keep(connection, {record: waits for record, waits in unplaced.items() if record not in left_out})


def keep(connection: Connection, unplaced: Mapping[Record, Unplaced], *, stored: bool = False) -> None:
    """Keep records until they have a place, however many are waiting; `stored` ones are in their table, marked as
    deleted.
    """
    rows = [_row(record, waits) for record, waits in sorted(unplaced.items())]
    if rows:
        sql.execute(_KEEP, {"connection": connection.pk, "rows": as_json(rows), "stored": stored})


def forget_waiting(connection: Connection, kind: Kind, external_ids: Collection[str]) -> int:
    """Delete these waiting records, which are gone or have a place by now; return how many there were."""
    waiting = UnplacedRecord.objects.filter(connection=connection, kind=kind, external_id__in=external_ids)
    return waiting.delete()[0]


def _row(record: Record, waits: Unplaced) -> dict[str, Any]:
    kind, external_id = record
    documents: list[dict[str, Any]] = []
    for draft in waits.drafts:
        document = dump_draft(draft)
        documents = [*(known for known in documents if known != document), document]
    return {
        "kind": kind.value,
        "external_id": external_id,
        "named": waits.named.repository,
        "source": waits.named.source,
        "reason": waits.place.reason or UnplacedReason.UNKNOWN,
        "detail": waits.place.detail,
        "drafts": documents[-MOST_DRAFTS:],
    }


_KEEP = """
    INSERT INTO integrations_unplacedrecord AS stored
        (connection_id, kind, external_id, named, source, reason, detail, drafts, stored, first_seen_at, last_seen_at)
    SELECT %(connection)s, kind, external_id, named::varchar(500), source::varchar(300), reason, detail, drafts,
           %(stored)s, now(), now()
    FROM json_to_recordset(%(rows)s) AS waiting (
        kind text, external_id text, named text, source text, reason text, detail text, drafts jsonb
    )
    ON CONFLICT (connection_id, kind, external_id) DO UPDATE
    SET named = excluded.named, source = excluded.source, reason = excluded.reason, detail = excluded.detail,
        drafts = CASE WHEN excluded.stored THEN stored.drafts ELSE excluded.drafts END,
        stored = stored.stored OR excluded.stored, last_seen_at = excluded.last_seen_at,
        failures = 0, next_try_at = NULL
"""
