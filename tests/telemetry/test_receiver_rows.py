"""The bytes that are copied into the raw tables, against what PostgreSQL and the generated classes make of them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as some
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from integrations.telemetry import store_rows
from integrations.telemetry.decode_figures import figures_of
from integrations.telemetry.decode_values import BadRecordError, count_of
from integrations.telemetry.decode_wire import KnownAttributes, plain_attribute, plain_value, wire_attribute
from integrations.telemetry.events import EventKind
from integrations.telemetry.vocabularies.vocabulary import Event, Vocabulary
from tests.telemetry.intake import REQUEST, SECOND, Intake, log_record, logs

texts = some.text(max_size=300)
values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False) | texts,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@given(texts, values)
@example("", "")
@example("k" * 127, "v" * 127)
@example("k" * 128, -1)
def test_attributes_are_read_as_the_generated_classes_read_them(name: str, value: Any) -> None:
    sent = wire_attribute(name, value)
    parsed = KeyValue.FromString(sent)
    assert plain_attribute(sent) == (parsed.key, plain_value(parsed.value)) == (name, value)
    if name:
        assert _known(name)[sent] == (name, value)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bits", [0, 6, 7, 13, 14, 20, 21, 27, 28, 62, 63])
def test_whole_numbers_of_every_length_are_read(bits: int, sign: int) -> None:
    numbers = [number for near in (-1, 0, 1) if -(2**63) <= (number := sign * 2**bits + near) < 2**63]
    assert [plain_attribute(wire_attribute("name", number)) for number in numbers] == [("name", n) for n in numbers]


_COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "duration_ms")
_COUNTED = Event(
    EventKind.REQUEST,
    input_tokens="input_tokens",
    cache_read_tokens="cache_read_tokens",
    cache_write_tokens="cache_write_tokens",
    output_tokens="output_tokens",
    duration_ms="duration_ms",
)
_told_counts = some.one_of(
    some.integers(0, 10**6),
    some.integers(-(2**63), 2**63 - 1),
    some.sampled_from(
        [0, 2**39 - 1, 2**39, 10**12, 10**12 + 1, -1, True, False, None, "", "12", "twelve", 2.5, math.nan]
    ),
)


@given(some.fixed_dictionaries({}, optional=dict.fromkeys(_COUNTS, _told_counts)))
def test_counts_encoded_at_once_are_those_encoded_one_by_one(told: dict[str, Any]) -> None:
    try:
        counts = [count_of(told.get(name), name) for name in _COUNTS]
    except BadRecordError:
        with pytest.raises(BadRecordError):
            figures_of("any", _COUNTED, told)
        return
    encoded = [store_rows.NULL if count is None else store_rows.whole(count) for count in counts]
    nothing, null = store_rows.text(""), store_rows.NULL
    expected = [store_rows.text("any"), *(nothing,) * 5, *encoded, null, null, nothing, null]
    assert figures_of("any", _COUNTED, told) == b"".join(expected)


@given(texts, values, some.data())
@settings(max_examples=1_000)
def test_damaged_attributes_are_read_as_the_generated_classes_read_them(
    name: str, value: Any, data: some.DataObject
) -> None:
    """A byte that is another one, or an end that is missing: what stands there then, or that it is no attribute."""
    sent = bytearray(wire_attribute(name, value))
    if data.draw(some.booleans()) or not sent:
        sent = sent[: data.draw(some.integers(0, len(sent)))]
    else:
        sent[data.draw(some.integers(0, len(sent) - 1))] = data.draw(some.integers(0, 255))
    try:
        parsed = KeyValue.FromString(bytes(sent))
        expected = (parsed.key, plain_value(parsed.value))
    except (DecodeError, BadRecordError):
        with pytest.raises(BadRecordError):
            plain_attribute(bytes(sent))
        return
    assert repr(plain_attribute(bytes(sent))) == repr(expected)  # equal NaNs, too
    if parsed.key == name != "":
        assert repr(_known(name)[bytes(sent)]) == repr(expected)


def _known(name: str) -> KnownAttributes:
    """As a vocabulary reads attributes that looks at this one; none looks at one without a name."""
    vocabulary = Vocabulary(agent="any", service=re.compile("any"), session_keys=(name,))
    return KnownAttributes(vocabulary.starts, vocabulary.looked_at, vocabulary.knows, {})


@pytest.mark.parametrize(
    "attribute",
    [
        KeyValue(value=AnyValue(int_value=5)),
        KeyValue(key="no value"),
        KeyValue(key="bytes", value=AnyValue(bytes_value=b"\x00\xff")),
        KeyValue(key="not a number", value=AnyValue(double_value=math.inf)),
    ],
)
def test_unusual_attributes_are_read_too(attribute: KeyValue) -> None:
    assert plain_attribute(attribute.SerializeToString()) == (attribute.key, plain_value(attribute.value))


def test_an_attribute_written_value_first_is_read_too() -> None:
    key, value = KeyValue(key="order").SerializeToString(), KeyValue(value=AnyValue(int_value=7)).SerializeToString()
    assert plain_attribute(value + key) == ("order", 7)


@pytest.mark.django_db
def test_money_is_stored_to_ten_decimals() -> None:
    intake = Intake()
    amounts = [0.0, 4e-11, 6e-11, 1e-10, 0.0095889, 0.1, 0.9999, 0.99999999994, 0.99999999999, 1.0, 1.00000000001]
    amounts += [9_999.99, 10_000.0001, 123_456_789.123456, 999_999_999.5]
    intake.send(
        logs(
            *(
                log_record({**REQUEST, "cost_usd": amount, "request_id": f"req_{number}"})
                for number, amount in enumerate(amounts)
            )
        )
    )
    stored = {event["key"]: event["reported_cost"] for event in intake.events}
    assert [stored[f"req_{number}"] for number in range(len(amounts))] == [
        round(Decimal(amount), 10) for amount in amounts
    ]


@pytest.mark.django_db
def test_the_longest_numbers_and_texts_that_are_accepted_fit_their_columns() -> None:
    intake = Intake()
    attributes = {
        **REQUEST,
        "request_id": "é" * 200,
        "session.id": "s" * 200,
        "model": "m" * 5000,
        "input_tokens": 10**12,
        "duration_ms": 10**12,
    }
    intake.send(logs(log_record(attributes), log_record({**REQUEST, "request_id": "tab\tnew\nline\\"})))
    assert not intake.reasons
    by_key = {event["key"]: event for event in intake.events}
    assert set(by_key) == {"é" * 200, "tab\tnew\nline\\"}
    assert (by_key["é" * 200]["input_tokens"], by_key["é" * 200]["model"]) == (10**12, "m" * 120)


@pytest.mark.django_db
def test_times_are_kept_to_the_microsecond_and_rows_are_put_into_their_days() -> None:
    intake = Intake()
    midnight = 1_772_409_600 * SECOND  # 2026-03-02 00:00 UTC
    for number, at in enumerate((midnight - 1000, midnight, midnight + 123_456_789)):
        intake.send(logs(log_record({**REQUEST, "request_id": f"req_{number}"}, timeUnixNano=str(at))))
    assert [event["at"].isoformat() for event in intake.events] == [
        "2026-03-01T23:59:59.999999+00:00",
        "2026-03-02T00:00:00+00:00",
        "2026-03-02T00:00:00.123456+00:00",
    ]
