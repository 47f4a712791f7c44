"""Vocabularies: tables that map an agent's event, metric and attribute names to columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cached_property

from integrations.telemetry.agents.content import CONTENT_ATTRIBUTES, is_content
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.parts import Parts
from integrations.telemetry.agents.place import PLACE_ATTRIBUTES
from integrations.telemetry.agents.values import Attributes, BadSumError, Value, count_of, dollars_of, number_of

AUTHOR_ATTRIBUTES = (
    "enduser.id",
    "user.email",
    "user.account_uuid",
    "user.account_id",
    "user.id",
    "installation.id",
)


# Alternative names of one attribute, such as a current and a deprecated one: the first that is present is read.
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A count that is sent in parts: the sum of `of` minus the sum of `less`, each part under alternative names.

    Missing parts count 0; without any part of `of` there is no count.
    """

    of: tuple[Names, ...]
    less: tuple[Names, ...] = ()
    # Programs differ on whether `of` includes `less`: decode_figures.py decides by the sender.
    may_be_apart: bool = False

    @property
    def names(self) -> set[str]:
        return {name for part in (*self.of, *self.less) for name in part}

    def counted(self, attributes: Attributes) -> int | None:
        """The count of a record.  Raises BadSumError if it would be negative."""
        whole = self.whole(attributes)
        if whole is None:
            return None
        less = self.parts(attributes)
        if less > whole:
            parts, total = present(self.less, attributes), present(self.of, attributes)
            raise BadSumError(f"{parts} add up to more than {total}, of which they are parts.")
        return whole - less

    def whole(self, attributes: Attributes) -> int | None:
        of = [part for names in self.of if (part := _part(names, attributes)) is not None]
        return sum(of) if of else None

    def parts(self, attributes: Attributes) -> int:
        return sum(_part(names, attributes) or 0 for names in self.less)


def _part(names: Names, attributes: Attributes) -> int | None:
    for name in names:
        part = count_of(attributes.get(name), name)
        if part is not None:
            return part
    return None


def present(parts: tuple[Names, ...], attributes: Attributes) -> str:
    """The names under which the parts are sent."""
    names_sent = (next((name for name in names if attributes.get(name) is not None), "") for names in parts)
    return " and ".join(name for name in names_sent if name)


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of money in other units: attribute → US dollars per unit; the first attribute that is present is
    read.
    """

    units: Mapping[str, Decimal]

    def amount(self, attributes: Attributes) -> Decimal | None:
        """US dollars to ten decimals.  Raises BadRecordError if the value is not an amount of money."""
        for name, dollars in self.units.items():
            number = number_of(attributes.get(name), name)
            if number is not None:
                return dollars_of(Decimal(repr(number)) * dollars, name)
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """The rule for one kind of log record or span: each field names the attribute for a column.

    None leaves the column empty.  Token counts must be the four disjoint kinds of the columns.  `outcome` and
    `increments` are functions, for logic that a table cannot express; they read attributes that the vocabulary lists as
    `read_by_code`.  `increments` yields amounts of measures for which an event has no column, by `model`.
    """

    kind: EventKind
    key: str | Names | None = None
    model: str | Names | None = None
    tool: str | Names | None = None
    error_type: str | None = None
    input_tokens: str | Count | None = None
    cache_read_tokens: str | Count | None = None
    cache_write_tokens: str | Count | None = None
    # Those of cache_write_tokens by lifetime: an hour costs more.  Believed if both add up (decode_figures.py).
    cache_write_5m_tokens: str | Count | None = None
    cache_write_1h_tokens: str | Count | None = None
    output_tokens: str | Count | None = None
    service_tier: str | Names | None = None  # batch, fast, priority and flex have different prices
    duration_ms: str | None = None
    reported_cost: str | Cost | None = None
    outcome: Callable[[Attributes], str] | None = None
    increments: Callable[[Attributes], Iterable[tuple[Measure, int | Decimal]]] | None = None
    parts: Parts | None = None  # the parts by which a request's spend is split
    at_start: bool = False  # for spans: the event happened at the start
    # If none of these is present, the record comes from a version with other names and is stored with its attributes.
    expects: frozenset[str] = frozenset()

    @property
    def attributes(self) -> set[str]:
        """Names of the attributes that the rule reads."""
        names: set[str] = set()
        for column in fields(self):
            match getattr(self, column.name):
                case str(name):
                    names.add(name)
                case tuple(alternatives):
                    names.update(alternatives)
                case Count() as count:
                    names.update(count.names)
                case Cost() as cost:
                    names.update(cost.units)
                case Parts() as parts:
                    names.update(parts.names)
        return names


NOTHING = "(nothing)"
# Marker among a record's attributes: it has attributes that its vocabulary does not know.
UNKNOWN = "(unknown)"
# Pseudo-attribute with the instrumentation library that sent a record, and its version.
LIBRARY = "(library)"
# Pseudo-attributes with a span's own fields, for vocabularies that read them.
SPAN_ID = "(span id)"
PARENT_SPAN_ID = "(parent span id)"
TRACE_ID = "(trace id)"
SPAN_START = "(span start in nanoseconds)"
SPAN_DURATION_MS = "(span duration in ms)"
SPAN_FAILED = "(span failed)"  # present if the span's status is an error
SPAN_CONTEXT = frozenset({LIBRARY, SPAN_ID, PARENT_SPAN_ID, TRACE_ID, SPAN_START, SPAN_DURATION_MS, SPAN_FAILED})


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """The rule for points of one metric: the measure, or several by the value of an attribute.

    `otherwise` applies if the attribute is absent.  Unlisted values are unread; values listed with None are ignored.
    For a histogram, the sum is read.  `seller` are the attributes that may name the seller of the model.
    """

    otherwise: Measure | None = None
    attribute: str | None = None
    measures: Mapping[str, Measure | None] = field(default_factory=dict)
    model: str | Names | None = None
    seller: Names = ()
    is_histogram: bool = False

    @property
    def attributes(self) -> set[str]:
        models = (self.model,) if isinstance(self.model, str) else self.model or ()
        return {name for name in (self.attribute, *models, *self.seller) if name}


class NotKept:
    """A name that the vocabulary knows; its records are counted, but not stored."""


NOT_KEPT = NotKept()
# A known record without the expected attributes: stored if it has unknown ones, which may be new names.
INCOMPLETE = NotKept()

EventReading = Event | NotKept
# Chooses the rule of an event by its attributes.
EventChoice = Callable[[Attributes], EventReading]


# Chooses the rule of a record whose name no table lists; None if unknown.
NamelessChoice = Callable[[Attributes], EventReading | None]
# The rule determined by the name of a record, regardless of its attributes.
EventRule = EventReading | EventChoice | NamelessChoice | None


NO_SCOPE = re.compile(r"(?!)")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One agent's vocabulary.

    `scope` matches the name of the instrumentation scope, `service` the start of the resource's service.name.
    """

    agent: str
    service: re.Pattern[str]
    scope: re.Pattern[str] = NO_SCOPE
    event_prefix: str = ""  # removed from event names
    # Prefixes of names of events, spans and metrics that no other program uses.
    own_prefixes: tuple[str, ...] = ()
    events: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    spans: Mapping[str, EventReading | EventChoice] = field(default_factory=dict)
    metrics: Mapping[str, Metric | NotKept] = field(default_factory=dict)
    unlisted: NamelessChoice | None = None  # rule for log records and spans whose name is not listed
    drops_unlisted: bool = False  # spans and metrics whose name is not listed are not kept
    # For arbitrary programs: unread metrics are stored only if they name a session.
    is_generic: bool = False
    read_by_code: frozenset[str] = frozenset()
    readings: tuple[Event, ...] = ()  # rules that functions choose from
    # Known attributes that are not used: names, and prefixes of names.
    not_needed: frozenset[str] = frozenset()
    not_needed_prefixes: tuple[str, ...] = ()
    # Aliases of known attributes, and mappings by administrators, for attributes and for names of events, spans and
    # metrics.  NOTHING ignores a name.
    attribute_means: Mapping[str, str] = field(default_factory=dict)
    name_means: Mapping[str, str] = field(default_factory=dict)
    # Figures derived from content, stored instead of it, so that records can be reprocessed without their content.
    figures_from_content: Callable[[Attributes], Mapping[str, Value]] | None = None
    session_keys: tuple[str, ...] = ("session.id",)  # the first that is present identifies the session
    # Points without a session belong to the process that sent them, and thus to the session active in it.
    process_keys: tuple[str, ...] = ()
    # Whether span ids and durations are added to the attributes, under the pseudo-attributes above.
    reads_span_context: bool = False
    trace_is_session: bool = False  # for records without a session
    points_need_session: bool = False  # points without one repeat events that have one
    # Whether programs or versions that share the vocabulary differ on what input includes: they are told apart by
    # instrumentation library and these attributes.
    counts_differ: bool = False
    sender_keys: tuple[str, ...] = ()
    address_keys: tuple[str, ...] = ()  # may name the author by an e-mail address; other values are ignored
    version_key: str = "service.version"

    @cached_property
    def naming(self) -> tuple[str, ...]:
        """The attributes that identify session, process, author and place."""
        author = (*AUTHOR_ATTRIBUTES, *self.address_keys)
        return (*self.session_keys, *self.process_keys, *author, self.version_key, *PLACE_ATTRIBUTES)

    @cached_property
    def figure_names(self) -> frozenset[str]:
        """The attributes from which figures are read."""
        listed = (*self.events.values(), *self.spans.values(), *self.readings)
        names = {"event.name", *SPAN_CONTEXT, *self.read_by_code, *self.sender_keys}
        names.update(*(event.attributes for event in listed if isinstance(event, Event)))
        names.update(*(metric.attributes for metric in self.metrics.values() if isinstance(metric, Metric)))
        return frozenset(names)

    @cached_property
    def known(self) -> frozenset[str]:
        """All known attributes, used or not."""
        return self.looked_at | self.not_needed

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The attributes whose values are read, stored, or counted as dropped."""
        return self.figure_names | CONTENT_ATTRIBUTES | set(self.naming)

    def knows(self, name: str) -> bool:
        """Whether an attribute is known."""
        return (
            name in self.known
            or name in self.attribute_means
            or name.startswith(self.not_needed_prefixes)
            or name.startswith("vcs.")
        )

    def is_content(self, name: str, value: Value) -> bool:
        """Whether an attribute has, or may have, content; for a mapped one, its meaning decides."""
        return is_content(self.attribute_means.get(name, name), value)

    def with_known_names(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """The attributes with mapped names replaced by their meanings."""
        means = self.attribute_means
        if means.keys().isdisjoint(attributes):
            return attributes
        return {means.get(name, name): value for name, value in attributes.items() if means.get(name) != NOTHING}
