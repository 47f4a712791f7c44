"""A record that is wrong goes to quarantine with a sentence that says why; nothing else is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from integrations.models import QuarantinedRecord
from integrations.telemetry.agents.values import LARGEST_COUNT
from tests.telemetry import intake as otlp
from tests.telemetry.intake import ADA, NOW, REQUEST, SECOND, Intake, counter, log_record, logs, metrics, point

pytestmark = pytest.mark.django_db
GOOD = log_record({**REQUEST, "request_id": "req_good"})
YEAR = 365 * 24 * 3600 * SECOND


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (log_record(REQUEST, timeUnixNano=None), "It has no time."),
        (log_record(REQUEST, timeUnixNano="0"), "It has no time."),
        (log_record(REQUEST, timeUnixNano=str(YEAR)), "Its time lies before the year 2000."),
        (log_record(REQUEST, timeUnixNano=str(130 * YEAR)), "Its time lies more than a day in the future."),
        (log_record(REQUEST, timeUnixNano=str(10**30)), "Its time lies more than a day in the future."),
        (log_record(REQUEST, timeUnixNano="yesterday"), "timeUnixNano is not a number of nanoseconds."),
        (log_record(REQUEST, timeUnixNano=-5), "timeUnixNano is not a number of nanoseconds."),
        (log_record({**REQUEST, "input_tokens": -1}), "input_tokens is negative."),
        (log_record({**REQUEST, "input_tokens": 10**13}), f"input_tokens is larger than {LARGEST_COUNT:,}."),
        (log_record({**REQUEST, "input_tokens": str(10**400)[:400]}), "input_tokens is not a finite number."),
        (log_record({**REQUEST, "input_tokens": 2**63}), "An intValue does not fit into 64 bits."),
        (log_record({**REQUEST, "input_tokens": 10**400}), "An intValue does not fit into 64 bits."),
        (log_record({**REQUEST, "output_tokens": float("nan")}), "output_tokens is not a finite number."),
        (log_record({**REQUEST, "cost_usd": float("inf")}), "cost_usd is not a finite number."),
        (log_record({**REQUEST, "cost_usd": -0.5}), "cost_usd is negative."),
        (log_record({**REQUEST, "input_tokens": "many"}), "input_tokens is not a number."),
        (log_record({**REQUEST, "input_tokens": True}), "input_tokens is not a number."),
        (log_record({**REQUEST, "input_tokens": {"intValue": "many"}}), "An intValue is not a number."),
        (log_record({**REQUEST, "model": "nul\x00byte"}), "model contains a NUL character."),
        (log_record({**REQUEST, "session.id": "nul\x00byte"}), "session.id contains a NUL character."),
        (log_record({**REQUEST, "session.id": "s" * 201}), "session.id is longer than 200 characters."),
        (log_record({**REQUEST, "request_id": "r" * 201}), "request_id is longer than 200 characters."),
        (log_record({**REQUEST, "model": "\ud800"}), "Its text is not valid Unicode."),
        (log_record({**REQUEST, "enduser.id": "a\x07da"}), "The Login contains control characters."),
        (log_record({**REQUEST, "model": {"stringValue": 7}}), "A stringValue is not text."),
        (log_record({**REQUEST, "model": {"arrayValue": {"values": []}}}), "model is neither text nor a number."),
        ({**GOOD, "attributes": "none"}, "attributes must be a list."),
        ({**GOOD, "attributes": [{"value": {}}]}, "An attribute has no key."),
        ("not even an object", "It is not a JSON object."),
    ],
)
def test_a_bad_log_record_is_kept_apart_and_the_rest_of_its_batch_is_stored(
    intake: Intake, bad: Any, reason: str
) -> None:
    answer = intake.send(logs(GOOD, bad, log_record({**ADA, "event.name": "user_prompt"})))

    assert intake.reasons == [reason]
    assert sorted(event["name"] for event in intake.events) == ["api_request", "user_prompt"]
    assert answer["partialSuccess"]["rejectedLogRecords"] == "1"
    assert reason in answer["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (point(-1, {}), "Its value is negative, but it is a count."),
        (point(float("nan"), {}), "Its value is not a finite number."),
        (point("Infinity", {}), "Its value is not a finite number."),
        (point(1e300, {}), f"Its value is larger than {LARGEST_COUNT:,}."),
        (point("many", {}), "Its value is not a number."),
        (point(None, {}), "It has no value."),
        (point(1, {}, timeUnixNano="0"), "It has no time."),
        (point(1, {}, timeUnixNano=str(130 * YEAR)), "Its time lies more than a day in the future."),
        (point(1, {}, startTimeUnixNano=str(YEAR)), "Its time lies before the year 2000."),
        (point(1, {}, startTimeUnixNano=str(NOW + SECOND)), "It starts after its own time."),
        (point(1, {"session.id": "nul\x00byte"}), "session.id contains a NUL character."),
        ("not even an object", "It is not a JSON object."),
    ],
)
def test_a_bad_point_is_kept_apart_and_the_others_are_stored(intake: Intake, bad: Any, reason: str) -> None:
    answer = intake.send(metrics(counter("claude_code.commit.count", bad, point(3, {}))))

    assert intake.reasons == [reason]
    assert [stored["value"] for stored in intake.points] == [3]
    assert answer["partialSuccess"]["rejectedDataPoints"] == "1"


def test_a_bad_record_is_kept_once_however_often_it_is_sent(intake: Intake) -> None:
    request = logs(log_record({**REQUEST, "input_tokens": -1}))
    for _ in range(3):
        assert intake.send(request)["partialSuccess"]["rejectedLogRecords"] == "1"
    assert len(intake.reasons) == 1


def test_text_that_is_not_utf8_spoils_its_own_record_only(intake: Intake) -> None:
    """In protobuf, where the generated classes refuse the whole request, and in JSON."""
    marked = logs(GOOD, log_record({**REQUEST, "model": "MARK"}))
    in_json = json.dumps(marked).encode().replace(b"MARK", b"\xff\xfe")
    assert intake.post("/v1/logs", in_json).status_code == 200
    in_protobuf = protobuf_of(marked).SerializeToString().replace(b"MARK", b"\xff\xfe\xff\xfe")
    assert intake.post("/v1/logs", in_protobuf, otlp.PROTOBUF).status_code == 200

    assert [event["key"] for event in intake.events] == ["req_good"]  # the same record in both encodings
    assert intake.reasons == [
        "Its text is not valid Unicode.",
        "An attribute is not valid UTF-8.",
    ]


def test_numbers_that_are_sent_as_text_are_numbers(intake: Intake) -> None:
    texts = {name: str(value) if isinstance(value, int) else value for name, value in REQUEST.items()}
    intake.send(logs(log_record(texts | {"cost_usd": "0.5"})))

    (event,) = intake.events
    assert (event["input_tokens"], event["output_tokens"], event["duration_ms"]) == (100, 10, 98)
    assert float(event["reported_cost"]) == 0.5


def test_null_attributes_and_empty_ids_are_nothing_wrong(intake: Intake) -> None:
    attributes = {**REQUEST, "cost_usd": {}, "duration_ms": None}
    record = log_record(attributes, traceId="", spanId="", flags=0)
    record["attributes"] = [
        entry if entry["value"] != {"stringValue": None} else {"key": entry["key"], "value": None}
        for entry in record["attributes"]
    ]
    assert intake.send(logs(record)) == {}

    (event,) = intake.events
    assert (event["input_tokens"], event["reported_cost"], event["duration_ms"]) == (100, None, None)


def test_keys_in_snake_case_and_names_of_enumerations_are_understood(intake: Intake) -> None:
    intake.send(
        {
            "resource_metrics": [
                {
                    "resource": {"attributes": otlp.json_attributes(otlp.CLAUDE)},
                    "scope_metrics": [
                        {
                            "metrics": [
                                {
                                    "name": "claude_code.commit.count",
                                    "sum": {
                                        "aggregation_temporality": "AGGREGATION_TEMPORALITY_CUMULATIVE",
                                        "data_points": [
                                            {
                                                "time_unix_nano": NOW,
                                                "as_int": 2,
                                                "attributes": [{"key": "session.id", "value": {"string_value": "s"}}],
                                            }
                                        ],
                                    },
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    )
    (stored,) = intake.points
    assert (stored["measure"], stored["value"], stored["cumulative"]) == ("commits", 2, True)
    assert stored["start"] == datetime(2000, 1, 1, tzinfo=UTC)  # never said: all its readings belong together


def test_an_unknown_kind_of_metric_is_counted(intake: Intake) -> None:
    histogram = {"dataPoints": [{"timeUnixNano": str(NOW), "count": "3", "sum": 2.5}]}
    intake.send(
        metrics(
            {"name": "claude_code.token.usage", "histogram": histogram},
            {"name": "claude_code.token.usage", "exponentialHistogram": histogram},
            {"name": "claude_code.commit.count", "gauge": {"dataPoints": [point(1, {})]}},
            {"name": "of.tomorrow", "spectrogram": {"dataPoints": [{}]}},
            counter("claude_code.commit.count", point(4, {})),
        )
    )
    assert intake.counted(known=False) == {
        ("claude_code", "claude_code.token.usage"): 2,
        ("claude_code", "claude_code.commit.count"): 1,
        ("claude_code", "of.tomorrow"): 1,
    }
    assert [stored["value"] for stored in intake.points] == [4]
    assert not intake.reasons


def test_a_new_value_of_a_known_attribute_is_counted_as_unread(intake: Intake) -> None:
    intake.send(metrics(counter("claude_code.token.usage", point(5, {"type": "imaginary"}))))
    assert intake.counted(known=False) == {("claude_code", "claude_code.token.usage"): 1}


def test_a_counter_that_restarts_is_stored_as_sent(intake: Intake) -> None:
    starts = (NOW - 60 * SECOND, NOW - 60 * SECOND, NOW - 10 * SECOND)
    readings = [
        point(value, {}, startTimeUnixNano=str(start), timeUnixNano=str(NOW + step * SECOND))
        for step, (value, start) in enumerate(zip((5, 9, 2), starts, strict=True))
    ]
    intake.send(metrics(counter("claude_code.commit.count", *readings, temporality=2)))

    assert [stored["value"] for stored in intake.points] == [5, 9, 2]
    assert len({stored["series"] for stored in intake.points}) == 1
    assert len({stored["start"] for stored in intake.points}) == 2


def test_the_same_session_id_of_two_people_is_two_sessions(intake: Intake) -> None:
    for person in ("ada@example.com", "grace@example.com"):
        intake.send(logs(log_record({**REQUEST, "enduser.id": person, "user.id": f"installation of {person}"})))
    assert [(session["external_id"], session["value"]) for session in intake.sessions] == [
        ("session-of-ada", "ada@example.com"),
        ("session-of-ada", "grace@example.com"),
    ]


@pytest.mark.parametrize("bad", [{"stringValue": "\ud800"}, {"stringValue": 7}, {"intValue": "x"}, "no object"])
def test_a_resource_attribute_that_cannot_be_read_is_left_out(intake: Intake, bad: Any) -> None:
    request = logs(GOOD)
    request["resourceLogs"][0]["resource"]["attributes"].append({"key": "host.name", "value": bad})
    intake.send(request)
    assert [event["key"] for event in intake.events] == ["req_good"]


def test_deeply_nested_attributes_are_refused_alone(intake: Intake) -> None:
    nested: Any = {"stringValue": "bottom"}
    for _ in range(200):
        nested = {"arrayValue": {"values": [nested]}}
    intake.send(logs(GOOD, log_record({**REQUEST, "model": nested})))
    assert intake.reasons == ["An attribute is nested too deeply."]
    assert len(intake.events) == 1


def test_json_that_is_nested_without_end_is_refused(intake: Intake) -> None:
    answer = intake.post("/v1/logs", b"[" * 200_000)
    assert answer.status_code == 400
    assert json.loads(answer.content)["message"] == "The JSON is nested too deeply."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"resourceLogs": [', "The body is not JSON, or it was cut off (line 1, column 19)."),
        (b"[]", "The request must be a JSON object."),
        (b'{"resourceLogs": 7}', "resourceLogs must be a list."),
        (b'{"resourceLogs": [7]}', "resourceLogs must be a list of objects."),
        (b'{"resourceLogs": [{"scopeLogs": {}}]}', "scopeLogs must be a list."),
        (b'{"resourceLogs": [{"scopeLogs": [{"logRecords": 1}]}]}', "logRecords must be a list."),
    ],
)
def test_a_body_that_is_no_request_is_refused_with_what_is_wrong(intake: Intake, body: bytes, message: str) -> None:
    answer = intake.post("/v1/logs", body)
    assert answer.status_code == 400
    assert json.loads(answer.content) == {"code": 3, "message": message}


def test_an_empty_request_is_accepted(intake: Intake) -> None:
    assert intake.send({"resourceLogs": []}) == {}
    assert not QuarantinedRecord.objects.exists()


def test_an_internal_error_is_reported_as_otlp_defines(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("integrations.telemetry.otlp.receive.store", broken)
    answer = intake.post("/v1/logs", b"{}")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (500, 13)


def protobuf_of(request: dict[str, Any]) -> ExportLogsServiceRequest:
    from google.protobuf.json_format import ParseDict

    return ParseDict(request, ExportLogsServiceRequest())
