"""Requests of few bytes that would cost much: time and memory stay linear in what was sent."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from integrations.models import QuarantinedRecord
from integrations.telemetry.otlp import decode
from integrations.telemetry.otlp.decoded import Encoding, Signal
from tests.telemetry.intake import JSON, PROTOBUF, Intake, log_record, logs

pytestmark = pytest.mark.django_db
MOST_CALLS = 6_000_000  # where each part is decoded in full there are 20 million or more
MANY = 200_000


def tag(number: int, sent: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    length, size = bytearray(), len(sent)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + sent


def in_list(element: str, times: int) -> str:
    return ",".join([element] * times)


def amplifying() -> Iterator[tuple[str, str, str, bytes]]:
    """The name, path, content type and body of each attack."""
    attributes = b"".join(tag(1, tag(1, str(n).encode())) for n in range(2000))
    yield "records without a field", "/v1/logs", PROTOBUF, tag(1, tag(2, b"\x12\x00" * MANY))
    yield "spans without a field", "/v1/traces", PROTOBUF, tag(1, tag(2, b"\x12\x00" * MANY))
    yield "metrics without a field", "/v1/metrics", PROTOBUF, tag(1, tag(2, b"\x12\x00" * MANY))
    points = tag(2, tag(1, b"a") + tag(7, b"\x0a\x00" * MANY))
    yield "points without a field", "/v1/metrics", PROTOBUF, tag(1, tag(2, points))
    yield "scopes without a record", "/v1/logs", PROTOBUF, tag(1, b"\x12\x00" * MANY)
    yield "resources without a scope", "/v1/logs", PROTOBUF, b"\x0a\x00" * MANY
    yield "resources that are damaged", "/v1/logs", PROTOBUF, b"\x0a\x00" * MANY + tag(1, b"\xff")
    yield "a large resource", "/v1/logs", PROTOBUF, tag(1, tag(1, attributes) + tag(2, b"\x12\x00" * 2000))
    few = b"".join(tag(1, tag(1, str(n).encode())) for n in range(900))
    yield "a resource in many scopes", "/v1/logs", PROTOBUF, tag(1, tag(1, few) + b"\x12\x00" * 5000)
    name = tag(1, tag(1, b"n" * 200_000))
    yield "a resource that is kept with each", "/v1/logs", PROTOBUF, tag(1, tag(1, name) + tag(2, b"\x12\x00" * 1500))
    for what, records in (("objects", in_list("{}", MANY)), ("numbers", ",".join(map(str, range(MANY))))):
        in_json = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}'
        yield f"{what} for records", "/v1/logs", JSON, in_json.encode()
    scopes = f'{{"resourceLogs":[{{"scopeLogs":[{in_list("{}", MANY)}]}}]}}'
    yield "scopes in JSON", "/v1/logs", JSON, scopes.encode()
    yield "lists beside all records", "/v1/logs", JSON, f'{{"x":[{in_list("[]", 2_100_000)}]}}'.encode()


class Calls:
    """Counts calls and returns of this thread: what is done for a request, however busy the machine is."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> Calls:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, *_: object) -> None:
        self.number += 1


@pytest.mark.timeout(60)
def test_many_small_parts_cost_little_and_are_refused() -> None:
    intake = Intake()
    intake.post("/v1/logs", b"{}")
    failed = []
    for what, path, content_type, body in amplifying():
        with Calls() as calls:
            answer = intake.post(path, body, content_type)
        if answer.status_code != 400 or calls.number > MOST_CALLS:
            failed.append(f"{what}: {answer.status_code}, {calls.number:,} calls, {answer.content[:100]!r}")
    assert not failed, "\n".join(failed)
    assert not QuarantinedRecord.objects.exists()


def test_a_batch_with_many_bad_records_is_stored_as_before() -> None:
    intake = Intake()
    answer = intake.send(logs(*(log_record({"event.name": "x"}, timeUnixNano=None, n=n) for n in range(1000))))
    assert answer["partialSuccess"]["rejectedLogRecords"] == "1000"


def test_one_large_request_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages take up to 70 times the bytes that were sent; small requests wait for none of them."""
    monkeypatch.setattr(decode, "LARGE", 1000)
    intake = Intake()
    large = b'{"resourceLogs":[]' + b" " * 2000 + b"}"
    answered = threading.Event()

    def send() -> None:
        decode.read_request(Signal.LOGS, Encoding.JSON, large)
        answered.set()

    with decode._one_large:
        waiting = threading.Thread(target=send)
        waiting.start()
        assert not answered.wait(0.1)
        assert intake.post("/v1/logs", b"{}").status_code == 200
    waiting.join(5)
    assert answered.is_set()
