"""The raw row of a record, in either encoding, with any content and any damage."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from integrations.telemetry.otlp.decode import read_request
from integrations.telemetry.otlp.decoded import DecodedRequest, Encoding, Signal
from integrations.telemetry.otlp.messages import plain_value
from integrations.telemetry.otlp.session_keys import AuthorNames, SessionKey
from integrations.telemetry.otlp.store_rows import EventRow, Figures, PointRow, events_in_order, points_in_order
from tests.telemetry.intake import NOW, REQUEST, SECOND, Intake, log_record, logs

texts = some.text(max_size=300)
values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False) | texts,
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(some.text(min_size=1, max_size=300), inner, max_size=4)
    ),
    max_leaves=8,
)
names = some.sampled_from(["model", "input_tokens", "cost_usd", "speed", "prompt", "new.in.version.3"]) | texts
SESSION = SessionKey("claude_code", "s1", "2.1", AuthorNames("claude_code", "ada@example.com", "", "", "", ""))


@given(values)
def test_values_are_read_as_they_were_sent(value: Any) -> None:
    assert plain_value(any_value(value)) == value


@pytest.mark.django_db
@given(some.dictionaries(names.filter(bool), values, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"model": "m" * 200, "input_tokens": 2**40})
@example({"speed": "Batch", "cost_usd": "0.5", "input_tokens": [], "prompt": "a secret"})
def test_a_record_is_the_same_in_both_encodings(attributes: dict[str, Any]) -> None:
    attributes = {**REQUEST, **attributes}
    sent = request(record(attributes))
    in_protobuf = read(Encoding.PROTOBUF, sent)
    from_json = read(Encoding.JSON, MessageToJson(ExportLogsServiceRequest.FromString(sent)).encode())
    assert from_json.events == in_protobuf.events
    assert from_json.counts == in_protobuf.counts
    assert [rejected.reason for rejected in from_json.rejected] == [
        rejected.reason for rejected in in_protobuf.rejected
    ]


@pytest.mark.django_db
@given(some.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_record_takes_no_other_with_it(data: some.DataObject) -> None:
    """A byte that is another one, or an end that is missing: in protobuf, within a record whose length is right."""
    damaged = bytearray(record({**REQUEST, "prompt": "what for", "notes": ["a", {"b": 1}]}))
    if data.draw(some.booleans()):
        del damaged[data.draw(some.integers(0, len(damaged) - 1)) :]
    else:
        damaged[data.draw(some.integers(0, len(damaged) - 1))] = data.draw(some.integers(0, 255))
    good = record({**REQUEST, "request_id": "req_good"})
    decoded = read(Encoding.PROTOBUF, request(good, bytes(damaged), good))
    assert [event.figures.key for event in decoded.events].count("req_good") >= 2
    assert (
        len(decoded.events) + len(decoded.rejected) + sum(n for tally, n in decoded.counts.items() if tally.signal) >= 3
    )


@pytest.mark.django_db
def test_attributes_that_are_nested_without_end_spoil_their_own_record() -> None:
    """In protobuf, where the generated classes refuse the whole request."""
    nested = any_value("bottom").SerializeToString()
    for _ in range(60):
        nested = field(5, field(1, nested))  # AnyValue.array_value, ArrayValue.values
    good = record({**REQUEST, "request_id": "req_good"})
    model = field(6, field(1, b"model") + field(2, nested))  # LogRecord.attributes, KeyValue.key and value
    decoded = read(Encoding.PROTOBUF, request(good, record(REQUEST) + model))
    assert [event.figures.key for event in decoded.events] == ["req_good"]
    assert [rejected.reason for rejected in decoded.rejected] == ["It is not a record of this signal."]


@pytest.mark.django_db
@pytest.mark.parametrize("mark", [b"MARK.KEY", b"MARK.TEXT"])
def test_what_is_not_utf8_and_not_looked_at_spoils_nothing(mark: bytes) -> None:
    sent = request(record({**REQUEST, "MARK.KEY": 1, "workflow.name": "MARK.TEXT"}))
    decoded = read(Encoding.PROTOBUF, sent.replace(mark, b"\xff" * len(mark)))
    assert ([event.figures.key for event in decoded.events], decoded.rejected) == (["req_1"], [])


def test_rows_are_stored_once_in_the_order_of_their_tables_keys() -> None:
    events = [
        EventRow(at, digest, None, 1, Figures("any")) for at, digest in ((5, b"b"), (0, b"c"), (5, b"a"), (5, b"b"))
    ]
    assert [row[:2] for row in events_in_order(events)] == [(0, b"c"), (5, b"a"), (5, b"b")]
    points = [
        PointRow(at, b"s", 0, SESSION, True, "commits", "", value) for at, value in ((9, 4.0), (1, 7.0), (9, 3.0))
    ]
    assert [(row.at, row.value) for row in points_in_order(points)] == [(1, 7.0), (9, 3.0)]


def read(encoding: Encoding, body: bytes) -> DecodedRequest:
    return read_request(Signal.LOGS, encoding, body)


def record(attributes: Mapping[str, Any]) -> bytes:
    return LogRecord(
        time_unix_nano=NOW, attributes=[KeyValue(key=key, value=any_value(attributes[key])) for key in attributes]
    ).SerializeToString()


def request(*records: bytes) -> bytes:
    """An export request of these records, which may be none."""
    resource = ResourceLogs()
    resource.resource.attributes.add(key="service.name", value=AnyValue(string_value="claude-code"))
    scope = ScopeLogs()
    scope.scope.name = "tests"
    in_scope = scope.SerializeToString() + b"".join(field(2, sent) for sent in records)
    return field(1, resource.SerializeToString() + field(2, in_scope))


def field(number: int, sent: bytes) -> bytes:
    length = bytearray()
    rest = len(sent)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + sent


def any_value(value: Any) -> AnyValue:
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=map(any_value, value)))
    if isinstance(value, dict):
        entries = [KeyValue(key=key, value=any_value(element)) for key, element in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=entries))
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    return AnyValue(**{kinds[type(value)]: value}) if value is not None else AnyValue()


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
        round(Decimal(str(amount)), 10) for amount in amounts
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
