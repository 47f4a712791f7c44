"""From a record's attributes to the encoded columns of its row, as its vocabulary's table says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from struct import Struct

from integrations.telemetry import store_rows
from integrations.telemetry.decode_values import (
    LARGEST_AMOUNT,
    LARGEST_COUNT,
    Attributes,
    Value,
    amount_of,
    count_of,
    key_of,
    text_of,
)
from integrations.telemetry.vocabularies.vocabulary import Count, Event, Names

LONGEST_KEY = 200
LONGEST_WORD = 120  # models, tools and error types; longer ones are cut
LONGEST_TIER = 20
# What agents and model servers call the way that costs the list price.
STANDARD_TIERS = frozenset({"standard", "default", "normal", "auto", "on_demand", "off", "none"})
MOST_WORDS_REMEMBERED = 10_000
MOST_TIERS_REMEMBERED = 100
_CERTAINLY_NOT_TOO_LARGE = 1 << (LARGEST_COUNT.bit_length() - 1)  # what has fewer bits is below LARGEST_COUNT
_five_counts = Struct(">iqiqiqiqiq").pack

Column = Callable[[Attributes], bytes]

_columns: dict[Event, tuple[Column, ...]] = {}
_words: dict[str, bytes] = {}
_tiers: dict[str, bytes] = {}


def figures_of(name: str, event: Event, attributes: Attributes) -> bytes:
    """The columns of integrations_agent_event from `name` on.  Raises BadRecordError."""
    columns = _columns.get(event)
    if columns is None:
        columns = _columns[event] = _columns_of(event)
    return _word(name) + b"".join([column(attributes) for column in columns])


def unread_figures(name: str, attributes: bytes) -> bytes:
    """The same columns of an event that no vocabulary reads; `attributes` are JSON."""
    columns = (
        _word(name),
        *(store_rows.text(""),) * 5,
        *(store_rows.NULL,) * 7,
        store_rows.text(""),
        store_rows.json(attributes),
    )
    return b"".join(columns)


def with_attributes(figures: bytes, attributes: bytes) -> bytes:
    """The columns of an event that was read, with its attributes (JSON) beside them: there is more than was read."""
    return figures.removesuffix(store_rows.NULL) + store_rows.json(attributes)


def _columns_of(event: Event) -> tuple[Column, ...]:
    """One function per column, or per run of columns that are always empty."""
    columns: list[Column | bytes] = [
        _key_column(event.key),
        _word_column(event.model),
        _word_column(event.tool),
        _outcome_column(event.outcome),
        _word_column(event.error_type),
        *_count_columns(
            event.input_tokens,
            event.cache_read_tokens,
            event.cache_write_tokens,
            event.output_tokens,
            event.duration_ms,
        ),
        _amount_column(event.reported_cost),
        _count_column(event.cache_write_1h_tokens),
        _tier_column(event.service_tier),
        store_rows.NULL,  # attributes
    ]
    merged: list[Column] = []
    empty = b""
    for column in columns:
        if isinstance(column, bytes):
            empty += column
            continue
        if empty:
            merged.append(_constant(empty))
            empty = b""
        merged.append(column)
    return (*merged, _constant(empty))


def _constant(encoded: bytes) -> Column:
    return lambda attributes: encoded


def _key_column(name: str | Names | None) -> Column | bytes:
    if name is None:
        return store_rows.text("")
    if isinstance(name, tuple):
        return _first_of(name, lambda value, found: store_rows.text(key_of(value, found, LONGEST_KEY)))

    def column(attributes: Attributes) -> bytes:
        value = attributes.get(name)
        if value.__class__ is str and len(value) <= LONGEST_KEY and "\x00" not in value:
            return store_rows.text(value)  # the usual case, said shortly
        return store_rows.text(key_of(value, name, LONGEST_KEY))

    return column


def _word_column(name: str | Names | None) -> Column | bytes:
    if name is None:
        return store_rows.text("")
    if isinstance(name, tuple):
        return _first_of(name, lambda value, found: _word(text_of(value, found, LONGEST_WORD)))

    def column(attributes: Attributes) -> bytes:
        value = attributes.get(name)
        known = _words.get(value) if value.__class__ is str else None
        return known or _word(text_of(value, name, LONGEST_WORD))

    return column


def _tier_column(name: str | Names | None) -> Column | bytes:
    if name is None:
        return store_rows.text("")

    if isinstance(name, tuple):
        return _first_of(name, lambda value, found: _tier(text_of(value, found, LONGEST_TIER)))

    nothing = store_rows.text("")

    def column(attributes: Attributes) -> bytes:
        value = attributes.get(name)
        if value is None:
            return nothing
        known = _tiers.get(value) if value.__class__ is str else None
        return known or _tier(text_of(value, name, LONGEST_TIER))

    return column


def _tier(said: str) -> bytes:
    tier = said.lower()
    encoded = _word("" if tier in STANDARD_TIERS else tier)
    if len(_tiers) < MOST_TIERS_REMEMBERED:
        _tiers[said] = encoded
    return encoded


def _outcome_column(outcome: Callable[[Attributes], str] | None) -> Column | bytes:
    if outcome is None:
        return store_rows.text("")
    return lambda attributes: _word(outcome(attributes))


def _first_of(names: Names, encoded: Callable[[Value, str], bytes]) -> Column:
    """The first of several attributes that a record has."""

    def column(attributes: Attributes) -> bytes:
        for name in names:
            value = attributes.get(name)
            if value is not None and value != "":
                return encoded(value, name)
        return store_rows.text("")

    return column


def _count_columns(*names: str | Count | None) -> Sequence[Column | bytes]:
    """The five counts that stand side by side: mostly all were sent, as whole numbers, and are encoded at once."""
    columns = [_count_column(name) for name in names]
    if not all(isinstance(name, str) for name in names):
        return columns
    counts_of = itemgetter(*names)
    of_each = [column for column in columns if callable(column)]

    def column(attributes: Attributes) -> bytes:
        try:
            one, two, three, four, five = counts_of(attributes)
        except KeyError:
            pass
        else:  # written out: a set of their types, and their least and greatest, take four times as long
            if one.__class__ is two.__class__ is three.__class__ is four.__class__ is five.__class__ is int and (
                0 <= one | two | three | four | five < _CERTAINLY_NOT_TOO_LARGE
            ):
                return _five_counts(8, one, 8, two, 8, three, 8, four, 8, five)
        return b"".join([column(attributes) for column in of_each])

    return [column]


def _count_column(name: str | Count | None) -> Column | bytes:
    if name is None:
        return store_rows.NULL
    if isinstance(name, Count):
        return _computed_column(name)

    def column(attributes: Attributes) -> bytes:
        value = attributes.get(name)
        if value.__class__ is int and 0 <= value <= LARGEST_COUNT:
            return store_rows.whole(value)
        count = count_of(value, name)
        return store_rows.NULL if count is None else store_rows.whole(count)

    return column


def _computed_column(count: Count) -> Column:
    def column(attributes: Attributes) -> bytes:
        computed = count.counted(attributes)
        return store_rows.NULL if computed is None else store_rows.whole(computed)

    return column


def _amount_column(name: str | None) -> Column | bytes:
    if name is None:
        return store_rows.NULL

    def column(attributes: Attributes) -> bytes:
        value = attributes.get(name)
        if value.__class__ is float and 0 <= value < LARGEST_AMOUNT:
            return store_rows.money(value)
        amount = amount_of(value, name)
        return store_rows.NULL if amount is None else store_rows.money(amount)

    return column


def _word(word: str) -> bytes:
    """A text that comes again and again, encoded."""
    encoded = _words.get(word)
    if encoded is None:
        if len(_words) >= MOST_WORDS_REMEMBERED:
            _words.clear()
        encoded = _words[word] = store_rows.text(word)
    return encoded
