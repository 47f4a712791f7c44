"""What a vocabulary is: tables from an agent's event, metric and attribute names to our columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from integrations.telemetry.agents.content import CONTENT_ATTRIBUTES
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.values import Attributes, BadSumError, Value, count_of

AUTHOR_ATTRIBUTES = (
    "enduser.id",
    "user.email",
    "user.account_uuid",
    "user.account_id",
    "user.id",
    "installation.id",
)


# Names of one attribute, such as a newer and a deprecated one: the first that a record has is read.
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A count that is sent in parts: the sum of `of`, less the sum of `less`, each part under one of some names.

    A part that a record does not have is none; a record that has no part of `of` has no count.
    """

    of: tuple[Names, ...]
    less: tuple[Names, ...] = ()

    @property
    def names(self) -> set[str]:
        return {name for part in (*self.of, *self.less) for name in part}

    def counted(self, attributes: Attributes) -> int | None:
        """What a record counts.  Raises BadSumError where more is taken off than there is."""
        of = [part for names in self.of if (part := _part(names, attributes)) is not None]
        if not of:
            return None
        less = sum(_part(names, attributes) or 0 for names in self.less)
        if less > sum(of):
            parts, whole = _present(self.less, attributes), _present(self.of, attributes)
            raise BadSumError(f"{parts} say more than {whole}, of which they are parts.")
        return sum(of) - less


def _part(names: Names, attributes: Attributes) -> int | None:
    for name in names:
        part = count_of(attributes.get(name), name)
        if part is not None:
            return part
    return None


def _present(parts: tuple[Names, ...], attributes: Attributes) -> str:
    present = (next((name for name in names if attributes.get(name) is not None), "") for names in parts)
    return " and ".join(name for name in present if name)


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """How one kind of log record or span is read: each field names the attribute that fills our column.

    None leaves the column empty.  Token counts must be the four disjoint kinds of our columns.  `outcome` and
    `increments` are code, for what no table can say; they read attributes that the vocabulary lists as
    `read_by_code`.  `increments` gives what a record adds to measures for which an event has no column, by `model`.
    """

    kind: EventKind
    key: str | Names | None = None
    model: str | Names | None = None
    tool: str | None = None
    error_type: str | None = None
    input_tokens: str | Count | None = None
    cache_read_tokens: str | Count | None = None
    cache_write_tokens: str | Count | None = None
    cache_write_1h_tokens: str | None = None  # of cache_write_tokens those kept an hour, which cost more
    output_tokens: str | Count | None = None
    service_tier: str | Names | None = None  # batch, fast, priority or flex cost other prices
    duration_ms: str | None = None
    reported_cost: str | None = None
    outcome: Callable[[Attributes], str] | None = None
    increments: Callable[[Attributes], Iterable[tuple[Measure, int]]] | None = None
    at_start: bool = False  # of a span: it tells of what happened when it began
    # One of these is there, or the record comes from a version that calls them otherwise: what it has is kept then.
    expects: frozenset[str] = frozenset()

    @property
    def attributes(self) -> set[str]:
        """The names of the attributes that are read."""
        names: set[str] = set()
        for column in fields(self):
            match getattr(self, column.name):
                case str(name):
                    names.add(name)
                case tuple(alternatives):
                    names.update(alternatives)
                case Count() as count:
                    names.update(count.names)
        return names


NOTHING = "(nothing)"
# Stands among a record's attributes where it has some that its vocabulary does not know.
UNKNOWN = "(unknown)"
# Where a span's own fields stand among its attributes, for vocabularies that read them.
SPAN_ID = "(span id)"
PARENT_SPAN_ID = "(parent span id)"
TRACE_ID = "(trace id)"
SPAN_START = "(span start in nanoseconds)"
SPAN_DURATION_MS = "(span duration in ms)"
SPAN_CONTEXT = frozenset({SPAN_ID, PARENT_SPAN_ID, TRACE_ID, SPAN_START, SPAN_DURATION_MS})


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """How the points of one metric are read: the measure, picked by the value of an attribute where there are several.

    `otherwise` stands where the attribute is absent.  A value that is not listed is not read; one that is listed with
    None is known and not kept.  Of a histogram the sum is read.
    """

    otherwise: Measure | None = None
    attribute: str | None = None
    measures: Mapping[str, Measure | None] = field(default_factory=dict)
    model: str | Names | None = None
    is_histogram: bool = False

    @property
    def attributes(self) -> set[str]:
        models = (self.model,) if isinstance(self.model, str) else self.model or ()
        return {name for name in (self.attribute, *models) if name}


class NotKept:
    """Known to the vocabulary, and needs no row: only counted."""


NOT_KEPT = NotKept()
# Would be read if it said what it is read by: kept where it says something else, under names that nobody knows.
INCOMPLETE = NotKept()

EventReading = Event | NotKept
# An event that is read one way or another, as its attributes say.
EventChoice = Callable[[Attributes], EventReading]


# A record whose name no table lists: how it is read, or None where nobody knows it.
NamelessChoice = Callable[[Attributes], EventReading | None]
# What the name of a record says of it, whatever its attributes are.
EventRule = EventReading | EventChoice | NamelessChoice | None


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One agent's words.  `service` matches the start of the resource's service.name."""

    agent: str
    service: re.Pattern[str]
    event_prefix: str = ""  # taken off where an event's name carries it
    events: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    spans: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    metrics: Mapping[str, Metric | NotKept] = field(default_factory=dict)
    unlisted: NamelessChoice | None = None  # log records and spans that are known by their attributes, not their name
    unlisted_spans_not_kept: bool = False
    unlisted_metrics_not_kept: bool = False
    # Whether it may be anybody's: of its metrics only those are kept unread that name a session.
    is_generic: bool = False
    read_by_code: frozenset[str] = frozenset()
    readings: tuple[Event, ...] = ()  # those that code chooses from
    # Known, and nothing is taken from them: names, and what they begin with.
    not_needed: frozenset[str] = frozenset()
    not_needed_prefixes: tuple[str, ...] = ()
    # Other words that an administrator gave a meaning: attributes, and events, spans and metrics.  NOTHING is one, too.
    attribute_means: Mapping[str, str] = field(default_factory=dict)
    name_means: Mapping[str, str] = field(default_factory=dict)
    # What code reads of content, to be kept in its place: for a record that is read again when its content is gone.
    figures_from_content: Callable[[Attributes], Mapping[str, Value]] | None = None
    session_keys: tuple[str, ...] = ("session.id",)  # the first that a record has is its session
    # Points that name no session belong to the process that sent them, and with it to the session that it ran then.
    process_keys: tuple[str, ...] = ()
    # Whether ids of spans, and how long they took, are read: they stand among the attributes, under the names below.
    reads_span_context: bool = False
    trace_is_session: bool = False  # of records that name none
    version_key: str = "service.version"

    @cached_property
    def naming(self) -> tuple[str, ...]:
        """The attributes that say whose record it is."""
        return (*self.session_keys, *self.process_keys, *AUTHOR_ATTRIBUTES, self.version_key)

    @cached_property
    def figure_names(self) -> frozenset[str]:
        """The attributes that figures are read from."""
        listed = (*self.events.values(), *self.spans.values(), *self.readings)
        names = {"event.name", *SPAN_CONTEXT, *self.read_by_code}
        names.update(*(event.attributes for event in listed if isinstance(event, Event)))
        names.update(*(metric.attributes for metric in self.metrics.values() if isinstance(metric, Metric)))
        return frozenset(names)

    @cached_property
    def known(self) -> frozenset[str]:
        """Every attribute that is looked at, or known by its name not to be needed."""
        return self.looked_at | self.not_needed

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The attributes of which the values are read, kept, or counted as dropped."""
        return self.figure_names | CONTENT_ATTRIBUTES | set(self.naming)

    def knows(self, name: str) -> bool:
        """Whether an attribute is known."""
        return name in self.known or name in self.attribute_means or name.startswith(self.not_needed_prefixes)

    def with_known_names(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """Attributes under the names that they are known by."""
        means = self.attribute_means
        if means.keys().isdisjoint(attributes):
            return attributes
        return {means.get(name, name): value for name, value in attributes.items() if means.get(name) != NOTHING}
