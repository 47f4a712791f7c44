"""Map a record's attributes to columns, by the rule of its vocabulary."""

from __future__ import annotations

from decimal import Decimal

from integrations.telemetry.agents.values import Attributes, Value, amount_of, count_of, key_of, text_of
from integrations.telemetry.agents.vocabulary import Count, Event, Names
from integrations.telemetry.otlp.store_rows import Figures

LONGEST_KEY = 200
LONGEST_WORD = 120  # models, tools and error types; longer ones are truncated
LONGEST_TIER = 20
# Names of the tier that costs the list price.
STANDARD_TIERS = frozenset({"standard", "default", "normal", "auto", "on_demand", "off", "none"})


def figures_of(name: str, event: Event, attributes: Attributes) -> Figures:
    """The columns of integrations_agent_event from `name` on.  Raises BadRecordError."""
    return Figures(
        name,
        key_of(*_first(event.key, attributes), LONGEST_KEY),
        _word(event.model, attributes),
        _word(event.tool, attributes),
        event.outcome(attributes) if event.outcome else "",
        _word(event.error_type, attributes),
        _count(event.input_tokens, attributes),
        _count(event.cache_read_tokens, attributes),
        _count(event.cache_write_tokens, attributes),
        _count(event.output_tokens, attributes),
        _count(event.duration_ms, attributes),
        _amount(event.reported_cost, attributes),
        _count(event.cache_write_1h_tokens, attributes),
        _tier(event.service_tier, attributes),
    )


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


def _amount(name: str | None, attributes: Attributes) -> Decimal | None:
    amount = amount_of(attributes.get(name), name) if name else None
    return None if amount is None else Decimal(f"{amount:.10f}")
