"""Map a record's attributes to columns, by the rule of its vocabulary.

Programs that follow OpenTelemetry's conventions differ on whether their input includes cached tokens.  It does, unless
the record has more cached tokens than input, or comes from a version of a library that is known to count them
separately; the sender is stored with the request, so that its earlier counts can be read again
(sessions/cache_exclusive.py).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.agents.values import Attributes, BadRecordError, Value, amount_of, count_of, key_of, text_of
from integrations.telemetry.agents.vocabulary import (
    LIBRARY,
    PARENT_SPAN_ID,
    SPAN_ID,
    Cost,
    Count,
    Event,
    Names,
    present,
)
from integrations.telemetry.otlp.store_rows import Figures
from integrations.telemetry.prices.sellers import local_server, sold_name

LONGEST_KEY = 200
LONGEST_WORD = 120  # models, tools and error types; longer ones are truncated
LONGEST_TIER = 20
LONGEST_SENDER = 200
_CACHED = re.compile(r"cache(?:d|_read|_write|_creation)")
# Libraries that count cached tokens apart, with the last version known to do so.
APART_UNTIL = {
    "opentelemetry.instrumentation.bedrock": (0, 62, 3),  # https://github.com/traceloop/openllmetry/issues/4449
}
# Names of the tier billed at the list price.
STANDARD_TIERS = frozenset({"standard", "default", "normal", "auto", "on_demand", "off", "none"})


def figures_of(name: str, event: Event, attributes: Attributes) -> Figures:
    """The columns of integrations_agent_event from `name` on.  Raises BadRecordError."""
    input_tokens = _input(event.input_tokens, attributes)
    return Figures(
        name,
        key_of(*_first(event.key, attributes), LONGEST_KEY),
        model_of(event, attributes),
        _word(event.tool, attributes),
        event.outcome(attributes) if event.outcome else "",
        _word(event.error_type, attributes),
        input_tokens.uncached,
        _count(event.cache_read_tokens, attributes),
        _count(event.cache_write_tokens, attributes),
        _count(event.output_tokens, attributes),
        _count(event.duration_ms, attributes),
        _amount(event.reported_cost, attributes),
        _hourly_writes(event, attributes),
        _tier(event.service_tier, attributes),
        input_tokens.sender,
        input_tokens.subtracted,
        event.parts.named(attributes) if event.parts else None,
        *_spans(event, attributes),
    )


def model_of(event: Event, attributes: Attributes) -> str:
    """The model's name as sent, with its seller if only an attribute names the seller."""
    model = _word(event.model, attributes)
    if not model or not event.parts:
        return model
    return sold_name(model, local_server(attributes.get("server.port")) or event.parts.seller(attributes))


def _spans(event: Event, attributes: Attributes) -> tuple[str | None, str | None]:
    """The ids of a request's span and of its parent: a request and its parent request may be the same call."""
    span, above = attributes.get(SPAN_ID), attributes.get(PARENT_SPAN_ID)
    if event.kind is not EventKind.REQUEST or not isinstance(span, str) or not isinstance(above, str):
        return None, None
    return span or None, above or None


class _Input(NamedTuple):
    """Uncached input; also its sender and the subtracted cached tokens, for programs whose counts may differ."""

    uncached: int | None
    sender: str = ""
    subtracted: int | None = None  # 0: the record shows that its sender counts cached tokens apart


def _input(count: str | Count | None, attributes: Attributes) -> _Input:
    library = attributes.get(LIBRARY)
    if not isinstance(count, Count) or not count.may_be_apart or not isinstance(library, str):
        return _Input(_count(count, attributes))
    whole, cached = count.whole(attributes), count.parts(attributes)
    if whole is None or not cached or _counts_apart(library):
        return _Input(whole)
    spelling = _CACHED.sub("*", present(count.less, attributes).partition(" ")[0])  # equal for reads and writes
    sender = text_of(f"{library}: {spelling}", LIBRARY, LONGEST_SENDER)
    return _Input(whole, sender, 0) if cached > whole else _Input(whole - cached, sender, cached)


def _counts_apart(library: str) -> bool:
    name, _, version = library.partition(" ")
    until = APART_UNTIL.get(name)
    return until is not None and tuple(map(int, re.findall(r"\d+", version)[:3])) <= until


def _first(names: str | Names | None, attributes: Attributes) -> tuple[Value, str]:
    """Value and name of the first of these attributes that is present."""
    if isinstance(names, str):
        return attributes.get(names), names
    for name in names or ():
        value = attributes.get(name)
        if value is not None and value != "":
            return value, name
    return None, ""


def _word(names: str | Names | None, attributes: Attributes) -> str:
    return text_of(*_first(names, attributes), LONGEST_WORD) if names else ""


def _tier(names: str | Names | None, attributes: Attributes) -> str:
    tier = text_of(*_first(names, attributes), LONGEST_TIER).lower() if names else ""
    return "" if tier in STANDARD_TIERS else tier


def _count(count: str | Count | None, attributes: Attributes) -> int | None:
    if isinstance(count, Count):
        return count.counted(attributes)
    return count_of(attributes.get(count), count) if count else None


def _hourly_writes(event: Event, attributes: Attributes) -> int | None:
    """Cache writes kept for an hour; None if the record does not say, or if its parts are no counts or contradict their
    sum.

    An agent sends 0 for both parts if its server gave it no split.
    """
    try:
        hour = _count(event.cache_write_1h_tokens, attributes)
        five_minutes = _count(event.cache_write_5m_tokens, attributes)
    except BadRecordError:
        return None
    if five_minutes is None:
        return hour or None
    hour = hour or 0
    return hour if five_minutes + hour == _count(event.cache_write_tokens, attributes) else None


def _amount(cost: str | Cost | None, attributes: Attributes) -> Decimal | None:
    if isinstance(cost, Cost):
        return cost.amount(attributes)
    return amount_of(attributes.get(cost), cost) if cost else None
