"""Own records of a push token: unless it may change all, it changes and deletes only records that it pushed first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from integrations.enums import Kind
from integrations.intake.tables import TABLES
from integrations.models import Commit, Connection, PushedRecord, UnplacedRecord
from integrations.telemetry.otlp.ingest_tokens import Sender

REFUSED = (
    "Another token or somebody else wrote this record, and this token may change its own records only. An admin can "
    "make a token that may change all."
)


def claim(sender: Sender, kind: str, ids: Collection[str], stored: Collection[str]) -> set[str]:
    """Store the token as the writer of records without one; return those that it may not change.

    `stored` are those of them that exist, whoever wrote them.  Call it in the transaction that stores them: if two
    tokens send the same new id, the second one waits and is refused.
    """
    unclaimed = set(ids) if sender.changes_all else set(ids) - set(stored)
    PushedRecord.objects.bulk_create(
        [PushedRecord(token_id=sender.token_id, kind=kind, external_id=id_) for id_ in sorted(unclaimed)],
        ignore_conflicts=True,
    )
    return others(sender, kind, ids, stored)


def others(sender: Sender, kind: str, ids: Collection[str], stored: Collection[str]) -> set[str]:
    """The records that the token may not change; one that does not exist belongs to nobody."""
    if sender.changes_all:
        return set()
    writers = dict(PushedRecord.objects.filter(kind=kind, external_id__in=ids).values_list("external_id", "token_id"))
    return {id_ for id_ in ids if writers.get(id_, sender.token_id if id_ not in stored else None) != sender.token_id}


def stored_records(connection: Connection, kind: Kind, ids: Collection[str]) -> set[str]:
    """The pushed records that exist, including deleted ones and unplaced ones."""
    waiting = UnplacedRecord.objects.filter(connection=connection, kind=kind, external_id__in=ids)
    known: Iterable[str]
    if kind == Kind.COMMIT:
        known = Commit.objects.filter(sha__in=ids, without_clone=True).values_list("sha", flat=True)
    else:
        model = TABLES[kind].model
        known = model._default_manager.filter(connection=connection, external_id__in=ids).values_list(
            "external_id", flat=True
        )
    return {*waiting.values_list("external_id", flat=True), *known}
