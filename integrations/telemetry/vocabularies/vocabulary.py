"""What a vocabulary is: tables from an agent's event, metric and attribute names to our columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from integrations.telemetry.events import EventKind, Measure

# By name: the resource's attributes below the record's own.
Attributes = Mapping[str, AnyValue]


@dataclass(frozen=True, slots=True)
class Event:
    """How one kind of log record or span is read: each field names the attribute that fills our column.

    None leaves the column empty.  Token counts must be the four disjoint kinds of our columns.
    """

    kind: EventKind
    key: str | None = None
    model: str | None = None
    tool: str | None = None
    error_type: str | None = None
    input_tokens: str | None = None
    cache_read_tokens: str | None = None
    cache_write_tokens: str | None = None
    output_tokens: str | None = None
    duration_ms: str | None = None
    reported_cost: str | None = None
    outcome: Callable[[Attributes], str] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """How the points of one metric are read: the measure, picked by the value of an attribute where there are several.

    A value that is not listed is not read, except as `otherwise` says; a value listed with None is known and not kept.
    """

    otherwise: Measure | None = None
    attribute: str = ""
    measures: Mapping[str, Measure | None] = field(default_factory=dict)
    model: str | None = None


class NotKept:
    """Known to the vocabulary, carries no figure: only counted."""


NOT_KEPT = NotKept()

EventReading = Event | NotKept | Callable[[Attributes], Event | NotKept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One agent's words.  `service` matches the resource's service.name."""

    agent: str
    service: re.Pattern[str]
    event_prefix: str = ""  # taken off the body where a record has no event.name
    events: Mapping[str, EventReading] = field(default_factory=dict)
    spans: Mapping[str, EventReading] = field(default_factory=dict)
    metrics: Mapping[str, Metric | NotKept] = field(default_factory=dict)
    session_keys: tuple[str, ...] = ("session.id",)
    version_key: str = "service.version"
