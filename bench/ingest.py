"""The receiver: records a second compared with its floor, and small requests compared with an empty answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bench.figures import Limit, Measured, percentile
from bench.load import Outcome, get_many, logs_body, post_all, post_at_rate
from bench.processor_time import ProcessorTime
from integrations.models import ReceivedBatch

RECORDS_PER_SECOND = 20_000
SMALL_REQUESTS_PER_SECOND = 450
SMALL_P99_MS = 80
RECORDS_PER_REQUEST = 1000
RECORDS_PER_SMALL_REQUEST = 10
CONNECTIONS = 4  # that send one request after the other
THREADS = 16  # connections as the web process has threads
AT_RATE = {"rate": SMALL_REQUESTS_PER_SECOND, "connections": 2 * THREADS}
GOAL_ROWS = 20_000_000
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

    On a shared machine speed varies from one second to the next, so the median of several rounds is reported.
    """
    spent = ProcessorTime()
    of_rounds = sorted((_round(token, requests, spent) for _ in range(rounds)), key=lambda measured: measured.share)
    median = of_rounds[rounds // 2]
    return [
        Measured(
            name="receiver throughput",
            value=median.reached,
            unit="records/s",
            goal=f"≥ {RECORDS_PER_SECOND:,}",
            met=median.reached >= RECORDS_PER_SECOND,
            limit=Limit("records/s: decode and COPY of the same rows in one process", median.floor),
            conditions=f"the middle one of {rounds} rounds ({_shares(of_rounds)} of their limits) of {requests} "
            f"requests of {RECORDS_PER_REQUEST} records, {CONNECTIONS} connections, one web process, the limit "
            "before and after; worker and sender run on the same cores; folded at most "
            f"{max(measured.folded_seconds for measured in of_rounds):.1f} s after the last answer; "
            f"{spent.per(rounds * requests)}",
        )
    ]


def _shares(of_rounds: Sequence[_Round]) -> str:
    return ", ".join(f"{measured.share:.2f}" for measured in of_rounds)


def _round(token: str, requests: int, spent: ProcessorTime) -> _Round:
    bodies = [logs_body(RECORDS_PER_REQUEST) for _ in range(requests)]
    floor_seconds = _seconds_of_floor(bodies[0::2])
    with spent.counted():
        seconds = post_all(settings.BASE_URL, token, bodies, connections=CONNECTIONS).seconds
        folded_seconds = _seconds_until_folded()  # so that the floor is alone
    floor_seconds += _seconds_of_floor(bodies[1::2])
    records = requests * RECORDS_PER_REQUEST
    return _Round(records / seconds, records / floor_seconds, folded_seconds)


def _seconds_until_folded() -> float:
    """The time until received records have become sessions; FOLD_SECONDS at most."""
    started = time.perf_counter()
    while ReceivedBatch.objects.exists() and time.perf_counter() - started < FOLD_SECONDS:
        time.sleep(0.1)
    return time.perf_counter() - started


def small_requests(token: str, *, requests: int, partition_rows: int) -> list[Measured]:
    """Requests of ten records into a partition that already holds many.

    Three measurements: as fast as they are answered over as many connections as the web process has threads, which the
    goal is about; over few connections, which mostly wait for the disk; and at the goal's rate, however long the
    responses take.
    """
    post_all(settings.BASE_URL, token, [logs_body(RECORDS_PER_SMALL_REQUEST)], connections=1)  # makes the partition
    fill_partition(partition_rows)
    _settle_partition()
    place = f"{RECORDS_PER_SMALL_REQUEST} records each, into a partition of {partition_rows:,} rows"
    many, few = (_one_after_the_other(token, requests, connections) for connections in (THREADS, CONNECTIONS))
    at_rate = _sent(lambda bodies: post_at_rate(settings.BASE_URL, token, bodies, **AT_RATE), requests)
    empty = get_many(settings.BASE_URL, "/healthz", requests // 2, connections=THREADS)
    commits = Limit("a second: commits of one row, one after the other", _commits_per_second(requests // 20))
    return [
        Measured(
            name=f"small requests, {THREADS} connections",
            value=many.reached.requests_per_second,
            unit="requests/s",
            goal=f"≥ {SMALL_REQUESTS_PER_SECOND}",
            met=many.reached.requests_per_second >= SMALL_REQUESTS_PER_SECOND,
            limit=Limit("requests/s: /healthz over the same connections", empty.requests_per_second),
            conditions=f"{place}; {many.summary}",
        ),
        Measured(
            name=f"small requests, {THREADS} connections, p99",
            value=many.p99_ms,
            unit="ms",
            goal=f"≤ {SMALL_P99_MS} ms",
            met=many.p99_ms <= SMALL_P99_MS,
            limit=Limit("ms: p99 of /healthz over the same connections", percentile(empty.latencies, 99) * 1000),
            conditions=f"{place}; {many.summary}",
        ),
        Measured(
            name=f"small requests, {CONNECTIONS} connections",
            value=few.reached.requests_per_second,
            unit="requests/s",
            goal="none",
            met=None,
            limit=commits,
            conditions=f"{place}; {few.summary}",
        ),
        Measured(
            name=f"small requests, {SMALL_REQUESTS_PER_SECOND} a second, p99",
            value=at_rate.p99_ms,
            unit="ms",
            goal="none",
            met=None,
            conditions=f"due at any moment, over {AT_RATE['connections']} connections; {place}; {at_rate.summary}",
        ),
    ]


class _Sent(NamedTuple):
    """The results of some requests, and the cost of each."""

    reached: Outcome
    cost: str

    @property
    def p99_ms(self) -> float:
        return percentile(self.reached.latencies, 99) * 1000

    @property
    def summary(self) -> str:
        median = percentile(self.reached.latencies, 50) * 1000
        return f"{len(self.reached.latencies)} requests, p50 {median:.1f} ms, p99 {self.p99_ms:.0f} ms, {self.cost}"


def _one_after_the_other(token: str, requests: int, connections: int) -> _Sent:
    return _sent(lambda bodies: post_all(settings.BASE_URL, token, bodies, connections=connections), requests)


def _sent(send: Callable[[Sequence[bytes]], Outcome], requests: int) -> _Sent:
    """Send requests whose senders are known already, and return their results."""
    bodies = [logs_body(RECORDS_PER_SMALL_REQUEST) for _ in range(requests + requests // 20)]
    send(bodies[requests:])
    spent = ProcessorTime()
    with spent.counted():
        outcome = send(bodies[:requests])
    return _Sent(outcome, spent.per(requests))


def _commits_per_second(commits: int) -> float:
    """The number of writes per second that the disk confirms."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_commits (number int)")
        started = time.perf_counter()
        for number in range(commits):
            cursor.execute("INSERT INTO bench_commits VALUES (%s)", [number])
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bench_commits")
    return commits / seconds


def fill_partition(rows: int) -> None:
    """Put that many of today's events into the event table, as if they had been received and folded before."""
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


def _settle_partition() -> None:
    """The maintenance that the server performs on all but the latest rows of a day."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE integrations_agent_event")
        cursor.execute("CHECKPOINT")


def _seconds_of_floor(bodies: Sequence[bytes]) -> float:
    """The time that one process takes to decode the requests and copy their rows into a table without any key."""
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
