"""The bytes that are copied into the raw tables, against what PostgreSQL and the generated classes make of them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as some
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from integrations.telemetry.decode_values import BadRecordError
from integrations.telemetry.decode_wire import KnownAttributes, plain_attribute, plain_value, wire_attribute
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
    looked_at = KnownAttributes({name.encode(): name}, frozenset(), lambda _: True, {})
    try:
        parsed = KeyValue.FromString(bytes(sent))
        expected = (parsed.key, plain_value(parsed.value))
    except (DecodeError, BadRecordError):
        with pytest.raises(BadRecordError):
            plain_attribute(bytes(sent))
        return
    assert repr(plain_attribute(bytes(sent))) == repr(expected)  # equal NaNs, too
    if parsed.key == name:
        assert repr(looked_at[bytes(sent)]) == repr(expected)


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
    amounts = [0.0, 1e-10, 0.0095889, 0.1, 1.0, 9_999.99, 10_000.0001, 123_456_789.123456, 999_999_999.5, 0.99999999999]
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
