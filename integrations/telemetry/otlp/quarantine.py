"""Describe and replay quarantined records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from integrations.models import QuarantinedRecord
from integrations.telemetry.agents.values import BadRecordError, Value
from integrations.telemetry.otlp.decode import origins_in, read_request
from integrations.telemetry.otlp.decoded import DecodedRequest, Encoding, Signal, UnreadableRequestError
from integrations.telemetry.otlp.ingest_tokens import sender_of_token
from integrations.telemetry.otlp.messages import readable
from integrations.telemetry.otlp.store import LONGEST_REASON, store


@dataclass(frozen=True)
class Replay:
    """The result of replaying records."""

    stored: int
    still_bad: int


@dataclass(frozen=True)
class Description:
    """A description of a record without its values, which may be personal data."""

    agent: str = ""
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)  # attribute → kind of value


def replay(ids: list[int]) -> Replay:
    """Decode these records again with the current code, and store those that are valid now.

    A record that its sender has resent in a valid form is not stored twice.  Records that were already replayed are
    skipped.
    """
    stored = still_bad = 0
    for record_id in ids:
        with transaction.atomic():
            record = QuarantinedRecord.objects.select_for_update().filter(pk=record_id, replayed_at=None).first()
            if record is None:
                continue
            decoded = _read(record)
            if decoded.rejected:
                record.reason = decoded.rejected[0].reason[:LONGEST_REASON]
                record.save(update_fields=["reason"])
                still_bad += 1
                continue
            # Keep the original digest, although the payload lacks dropped attributes.
            decoded.events = [row._replace(digest=record.digest.bytes) for row in decoded.events]
            decoded.counts_of_rows = [(record.digest.bytes, tally) for _, tally in decoded.counts_of_rows]
            store(decoded, sender=sender_of_token(record.token) if record.token else None)
            record.replayed_at = timezone.now()
            record.save(update_fields=["replayed_at"])
            stored += 1
    return Replay(stored, still_bad)


def describe(record: QuarantinedRecord) -> Description:
    """Describe the record without personal data."""
    signal = Signal(record.signal)
    try:
        for origin, records in origins_in(
            signal, Encoding(record.encoding), bytes(record.payload), DecodedRequest(now=0)
        ):
            for sent in records:
                if signal is Signal.METRICS:
                    metric = origin.metric(sent)
                    points = [origin.data_point(point, metric) for point in metric.points[:1]]
                    attributes = readable(points[0].attributes) if points else {}
                    name = metric.name
                else:
                    message = origin.record(sent)
                    attributes = readable(message.attributes)
                    name = origin.event(message).name
                return Description(origin.vocabulary.agent, name, dict(_kinds(attributes)))
    except (BadRecordError, UnreadableRequestError):
        pass  # the reason is shown anyway
    return Description()


def _read(record: QuarantinedRecord) -> DecodedRequest:
    return read_request(Signal(record.signal), Encoding(record.encoding), bytes(record.payload))


def _kinds(attributes: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for name, value in attributes.items():
        match value:
            case None:
                yield name, "empty"
            case bool():
                yield name, "yes or no"
            case int() | float():
                yield name, "number"
            case str():
                yield name, f"text of {len(value)} characters"
            case _:
                yield name, "list"
