"""The receiver: records a second beside its floor, and small requests beside an empty answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from integrations.services.folding import batches_waiting
from programs.bench.figures import Limit, Measured, percentile
from programs.bench.load import get_many, logs_body, post_all
from programs.bench.processor_time import ProcessorTime

FLOOR_SHARE = 0.6
SMALL_REQUESTS_PER_SECOND = 800
SMALL_P99_MS = 50
RECORDS_PER_REQUEST = 1000
RECORDS_PER_SMALL_REQUEST = 10
CONNECTIONS = (4, 16)  # few that send one request after the other, and as many as the web process has threads
ROUNDS = 9  # odd, so that one is in the middle
FOLD_SECONDS = 300.0

FLOOR_COLUMNS = (
    *("at", "digest", "batch_id", "session_id", "kind", "name", "key", "model"),
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "duration_ms", "reported_cost"),
)


@dataclass(frozen=True)
class _Round:
    """The same requests through the receiver, and through the floor, half of them before and half after."""

    reached: float  # records/s
    floor: float
    folded_seconds: float

    @property
    def share(self) -> float:
        return self.reached / self.floor


def throughput(token: str, *, requests: int, rounds: int = ROUNDS) -> list[Measured]:
    """Big requests, durable and de-duplicated, against decoding and copying the same rows in one process.

    What a machine gives changes from one second to the next where others use it too, so that the middle one of some
    rounds is told.
    """
    spent = ProcessorTime()
    of_rounds = sorted((_round(token, requests, spent) for _ in range(rounds)), key=lambda each: each.share)
    told = of_rounds[rounds // 2]
    return [
        Measured(
            name="receiver throughput",
            value=told.reached,
            unit="records/s",
            goal=f"≥ {FLOOR_SHARE:.0%} of the limit",
            met=told.share >= FLOOR_SHARE,
            limit=Limit("records/s: decode and COPY of the same rows in one process", told.floor),
            conditions=f"the middle one of {rounds} rounds ({_shares(of_rounds)} of their limits) of {requests} "
            f"requests of {RECORDS_PER_REQUEST} records, {CONNECTIONS[0]} connections, one web process, the limit "
            "before and after; worker and sender run on the same cores; folded at most "
            f"{max(each.folded_seconds for each in of_rounds):.1f} s after the last answer; "
            f"{spent.each(rounds * requests)}",
        )
    ]


def _shares(of_rounds: Sequence[_Round]) -> str:
    return ", ".join(f"{each.share:.2f}" for each in of_rounds)


def _round(token: str, requests: int, spent: ProcessorTime) -> _Round:
    bodies = [logs_body(RECORDS_PER_REQUEST) for _ in range(requests)]
    floor_seconds = _seconds_of_floor(bodies[0::2])
    with spent.counted():
        seconds = post_all(settings.BASE_URL, token, bodies, connections=CONNECTIONS[0]).seconds
        folded_seconds = _seconds_until_folded()  # so that the floor is alone
    floor_seconds += _seconds_of_floor(bodies[1::2])
    records = requests * RECORDS_PER_REQUEST
    return _Round(records / seconds, records / floor_seconds, folded_seconds)


def _seconds_until_folded() -> float:
    """How long what was received takes to stand in sessions; FOLD_SECONDS at most."""
    started = time.perf_counter()
    while batches_waiting() and time.perf_counter() - started < FOLD_SECONDS:
        time.sleep(0.1)
    return time.perf_counter() - started


def small_requests(token: str, *, requests: int, partition_rows: int) -> list[Measured]:
    """Requests of ten records into a partition that holds many already."""
    post_all(settings.BASE_URL, token, [logs_body(RECORDS_PER_SMALL_REQUEST)], connections=1)  # makes the partition
    fill_partition(partition_rows)
    return [
        figure
        for connections in CONNECTIONS
        for figure in _small_requests(token, requests, connections, f"a partition of {partition_rows:,} rows")
    ]


def _small_requests(token: str, requests: int, connections: int, place: str) -> list[Measured]:
    empty = get_many(settings.BASE_URL, "/healthz", requests // 2, connections=connections)
    bodies = [logs_body(RECORDS_PER_SMALL_REQUEST) for _ in range(requests)]
    post_all(settings.BASE_URL, token, bodies[: requests // 20], connections=connections)  # its senders are known then
    spent = ProcessorTime()
    with spent.counted():
        outcome = post_all(settings.BASE_URL, token, bodies[requests // 20 :], connections=connections)
    p99_ms = percentile(outcome.latencies, 99) * 1000
    conditions = (
        f"{len(outcome.latencies)} requests of {RECORDS_PER_SMALL_REQUEST} records, {connections} connections, "
        f"into {place} (the goal says 20,000,000); {spent.each(len(outcome.latencies))}"
    )
    return [
        Measured(
            name=f"small requests, {connections} connections",
            value=outcome.requests_per_second,
            unit="requests/s",
            goal=f"≥ {SMALL_REQUESTS_PER_SECOND}",
            met=outcome.requests_per_second >= SMALL_REQUESTS_PER_SECOND,
            limit=Limit("requests/s: /healthz over the same connections", empty.requests_per_second),
            conditions=conditions,
        ),
        Measured(
            name=f"small requests, {connections} connections, p99",
            value=p99_ms,
            unit="ms",
            goal=f"≤ {SMALL_P99_MS} ms",
            met=p99_ms <= SMALL_P99_MS,
            limit=Limit("ms: p99 of /healthz over the same connections", percentile(empty.latencies, 99) * 1000),
            conditions=conditions,
        ),
    ]


def fill_partition(rows: int) -> None:
    """Put so many events of today into the event table, as if they had been received and folded before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_agent_event (at, digest, batch_id, kind, name, key, model, input_tokens)
            SELECT least(now(), date_trunc('day', now()) + number * interval '1 millisecond'),
                   gen_random_uuid(), 0, 1, 'api_request', number::text, 'claude-sonnet-4-5', 900
            FROM generate_series(1, %s) AS number
            """,
            [rows],
        )
        cursor.execute("ANALYZE integrations_agent_event")


def _seconds_of_floor(bodies: Sequence[bytes]) -> float:
    """How long one process takes to decode the requests and copy their rows into a table without any key."""
    columns = ", ".join(FLOOR_COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_floor")
        cursor.execute("CREATE TABLE bench_floor (LIKE integrations_agent_event INCLUDING DEFAULTS)")
    started = time.perf_counter()
    for body in bodies:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY bench_floor ({columns}) FROM STDIN") as copy,
        ):
            for row in _rows(body):
                copy.write_row(row)
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_floor")
    return seconds


def _rows(body: bytes) -> Iterator[tuple[Any, ...]]:
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                values = {pair.key: pair.value for pair in record.attributes}
                yield (
                    datetime.fromtimestamp(record.time_unix_nano / 1e9, UTC),
                    uuid.uuid4(),
                    0,
                    None,
                    1,
                    values["event.name"].string_value,
                    values["request_id"].string_value,
                    values["model"].string_value,
                    values["input_tokens"].int_value,
                    values["cache_read_tokens"].int_value,
                    values["cache_creation_tokens"].int_value,
                    values["output_tokens"].int_value,
                    values["duration_ms"].int_value,
                    values["cost_usd"].double_value,
                )
