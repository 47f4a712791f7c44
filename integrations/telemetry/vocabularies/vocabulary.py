"""What a vocabulary is: tables from an agent's event, metric and attribute names to our columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from integrations.telemetry.content import CONTENT_ATTRIBUTES
from integrations.telemetry.decode_values import Attributes
from integrations.telemetry.events import EventKind, Measure

AUTHOR_ATTRIBUTES = (
    "enduser.id",
    "user.email",
    "user.account_uuid",
    "user.account_id",
    "user.id",
    "installation.id",
)


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """How one kind of log record or span is read: each field names the attribute that fills our column.

    None leaves the column empty.  Token counts must be the four disjoint kinds of our columns.  `outcome` is code,
    for what no table can say; it reads attributes that the vocabulary lists as `read_by_code`.
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

    @property
    def attributes(self) -> set[str]:
        """The names of the attributes that are read."""
        values = (getattr(self, column.name) for column in fields(self))
        return {value for value in values if isinstance(value, str)}


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """How the points of one metric are read: the measure, picked by the value of an attribute where there are several.

    `otherwise` stands where the attribute is absent.  A value that is not listed is not read; one that is listed with
    None is known and not kept.
    """

    otherwise: Measure | None = None
    attribute: str | None = None
    measures: Mapping[str, Measure | None] = field(default_factory=dict)
    model: str | None = None


class NotKept:
    """Known to the vocabulary, and needs no row: only counted."""


NOT_KEPT = NotKept()

EventReading = Event | NotKept
# An event that is read one way or another, as its attributes say.
EventChoice = Callable[[Attributes], EventReading]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One agent's words.  `service` matches the start of the resource's service.name."""

    agent: str
    service: re.Pattern[str]
    event_prefix: str = ""  # taken off where an event's name carries it
    events: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    spans: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    metrics: Mapping[str, Metric | NotKept] = field(default_factory=dict)
    read_by_code: frozenset[str] = frozenset()
    readings: tuple[Event, ...] = ()  # those that code chooses from
    session_keys: tuple[str, ...] = ("session.id",)  # the first that a record has is its session
    version_key: str = "service.version"

    @cached_property
    def naming(self) -> tuple[str, ...]:
        """The attributes that say whose record it is."""
        return (*self.session_keys, *AUTHOR_ATTRIBUTES, self.version_key)

    @cached_property
    def wanted(self) -> frozenset[bytes] | None:
        """Every attribute that is looked at; None: all of them."""
        events = [event for event in (*self.events.values(), *self.spans.values()) if isinstance(event, Event)]
        if not events:
            return None
        names = {"event.name", *self.naming, *self.read_by_code, *CONTENT_ATTRIBUTES}
        names.update(*(event.attributes for event in (*events, *self.readings)))
        metrics = [metric for metric in self.metrics.values() if isinstance(metric, Metric)]
        names.update(name for metric in metrics for name in (metric.attribute, metric.model) if name)
        return frozenset(name.encode() for name in names)
