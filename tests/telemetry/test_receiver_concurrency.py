"""Many senders at once: nothing lost, nothing twice, nobody waits for ever."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection
from psycopg import errors

from integrations.models import QuarantinedRecord
from integrations.telemetry.otlp import store as store_module
from integrations.telemetry.otlp.decode import read_request
from integrations.telemetry.otlp.decoded import DecodedRequest, Encoding, Signal
from integrations.telemetry.otlp.store import store
from tests.conftest import StartServer
from tests.servers import Server
from tests.telemetry.intake import ADA, JSON, NOW, REQUEST, SECOND, counter, log_record, logs, metrics, point, rows
from tests.wire import post_with_length

PEOPLE = [f"dev{number}@example.com" for number in range(4)]
DAY = 86_400 * SECOND
THREADS = 12


def request_number(number: int) -> tuple[str, bytes]:
    """One of many requests that share sessions, people and days, half of them with points."""
    person = PEOPLE[number % len(PEOPLE)]
    who = {**REQUEST, "enduser.id": person, "user.id": f"installation of {person}", "session.id": f"s{number % 3}"}
    at = NOW - (number % 5) * DAY
    if number % 2:
        reading = point(number, {**who, "type": "input"}, timeUnixNano=str(at + number), startTimeUnixNano=str(at - 1))
        return "/v1/metrics", json.dumps(metrics(counter("claude_code.token.usage", reading))).encode()
    records = [
        log_record({**who, "request_id": f"req_{number}_{record}"}, timeUnixNano=str(at + record * SECOND))
        for record in range(10)
    ]
    bad = log_record({**who, "input_tokens": -number - 1}, timeUnixNano=str(at))
    return "/v1/logs", json.dumps(logs(*records, bad, log_record({**ADA, "event.name": f"new_{number}"}))).encode()


def test_overlapping_requests_on_the_same_sessions(start_server: StartServer) -> None:
    """Many connections at once, every request three times, in an order that is nobody's."""
    with start_server("web", named="concurrency") as server:
        requests = [request_number(number) for number in range(40)]
        deliveries = requests * 3
        random.Random(11).shuffle(deliveries)
        assert send(server, deliveries) == {200}
        with server.database():
            assert len(rows("SELECT 1 FROM integrations_agent_event WHERE name = 'api_request'")) == 20 * 10
            assert len(rows("SELECT 1 FROM integrations_agent_event WHERE kind = 9")) == 20
            assert len(rows("SELECT 1 FROM integrations_agent_point")) == 20
            assert QuarantinedRecord.objects.count() == 20
            people = rows("SELECT DISTINCT identity_id, external_id FROM integrations_agentsession")
            assert len(rows("SELECT 1 FROM integrations_agentsession")) == len(people) == 4 * 3 + 1


def send(server: Server, deliveries: list[tuple[str, bytes]]) -> set[int]:
    headers = {"Authorization": f"Bearer {server.ingest_token}", "Content-Type": JSON}

    def deliver(delivery: tuple[str, bytes]) -> int:
        path, body = delivery
        return post_with_length(server.url + path, body, headers)

    with ThreadPoolExecutor(THREADS) as pool:
        return set(pool.map(deliver, deliveries))


def decoded(request_id: str) -> DecodedRequest:
    request = logs(log_record({**REQUEST, "request_id": request_id}))
    return read_request(Signal.LOGS, Encoding.JSON, json.dumps(request).encode())


@pytest.mark.django_db
def test_a_partition_that_was_dropped_is_made_again() -> None:
    store(decoded("req_1"), sender=None)
    (stored,) = rows("SELECT tableoid::regclass::text AS partition FROM integrations_agent_event")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {stored['partition']}")
    store(decoded("req_2"), sender=None)
    assert [row["key"] for row in rows("SELECT key FROM integrations_agent_event")] == ["req_2"]


def test_a_database_session_that_misses_a_partition_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def write(*_: object) -> None:
        tries.append("write")
        if tries == ["write"]:
            raise IntegrityError("no partition") from errors.CheckViolation()

    monkeypatch.setattr(store_module, "_write", write)
    monkeypatch.setattr(connection, "close", lambda: tries.append("close"))
    store(DecodedRequest(now=0), sender=None)
    assert tries == ["write", "close", "write"]
