"""What a request was understood to say: rows to store, records that cannot be stored, and what is only counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from integrations.telemetry.content import content_names
from integrations.telemetry.store_rows import EventRow, PointRow
from integrations.telemetry.vocabularies import vocabulary_of
from integrations.telemetry.vocabularies.vocabulary import Vocabulary

DIGEST_BYTES = 16
LONGEST_NAME = 200


class UnreadableRequestError(ValueError):
    """A body that is no export request at all; the message says what it should be."""


class Signal(StrEnum):
    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


class Counted(StrEnum):
    """What a tally counts."""

    UNREAD = "unread"  # events, metrics and spans that no vocabulary reads
    NOT_KEPT = "not_kept"  # those a vocabulary knows and takes no figure from
    DROPPED = "dropped"  # attributes with content


class Tally(NamedTuple):
    counted: Counted
    agent: str
    signal: str  # empty for attributes
    name: str


class RejectedRecord(NamedTuple):
    """A record that cannot be stored; `payload` is a request of this record alone, without content attributes."""

    signal: Signal
    digest: bytes
    reason: str
    payload: bytes


@dataclass(slots=True)
class Reading:
    now: int  # microseconds since 2000
    events: list[EventRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    rejected: list[RejectedRecord] = field(default_factory=list)
    counts: Counter[Tally] = field(default_factory=Counter)
    # Counted only if the row with this digest is new: a repeated request must not count its rows again.
    counts_of_rows: list[tuple[bytes, Tally]] = field(default_factory=list)


class Origin:
    """A resource and a scope within it: what all their records have in common."""

    __slots__ = ("attributes", "hasher", "resource", "scope", "vocabulary")

    def __init__(self, resource: Resource, scope: InstrumentationScope, signal: Signal) -> None:
        self.resource = resource
        self.scope = scope
        self.attributes: dict[str, AnyValue] = {entry.key: entry.value for entry in resource.attributes}
        service = self.attributes.get("service.name")
        self.vocabulary: Vocabulary = vocabulary_of(service.string_value if service is not None else "")
        self.hasher = blake2b(digest_size=DIGEST_BYTES, person=signal.encode())
        for part in (resource, scope):
            sent = part.SerializeToString(deterministic=True)
            self.hasher.update(len(sent).to_bytes(4, "big"))
            self.hasher.update(sent)

    def digest(self, record: bytes) -> bytes:
        """Identity of a record of this origin: equal however it is batched, ordered or repeated."""
        hasher = self.hasher.copy()
        hasher.update(record)
        return hasher.digest()

    def count_dropped(self, reading: Reading) -> None:
        """Count the resource's own content attributes, once a request."""
        for name in content_names(self.resource.attributes):
            reading.counts[Tally(Counted.DROPPED, self.vocabulary.agent, "", name[:LONGEST_NAME])] += 1
