"""The demo's export requests over HTTP, as an agent would post them, newest weeks first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from demo.plan.export_requests import ExportRequest, export_requests_of_week
from demo.plan.year import DemoYear

# While the receiver works on one request another is on its way; more only take the processor from the fold.
_CONNECTIONS = 3
_PATIENCE_SECONDS = 90.0  # with a receiver that is restarting or busy
_LONGEST_PAUSE_SECONDS = 5.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class ReceiverRefusedError(Exception):
    """The receiver rejected a request as invalid; sending it again would not help."""

    def __init__(self, address: str, status: int, explanation: str) -> None:
        super().__init__(f"{address} answered {status}: {explanation}")


class ReceiverAwayError(Exception):
    """The receiver did not respond in time."""

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"{address} did not take the demo's telemetry: {problem}. Is Headway running there?")


@dataclass
class Sent:
    """The receiver's progress; `weeks` counts those with every request answered."""

    weeks: int = 0
    requests: int = 0
    sessions: int = 0
    records: int = 0
    rejected: int = 0
    _open: dict[int, int] = field(default_factory=dict)

    def note_week(self, weeks_before_end: int, requests: int) -> None:
        self._open[weeks_before_end] = requests
        if not requests:
            self.weeks += 1

    def note_answer(self, request: ExportRequest, rejected: int) -> None:
        self.requests += 1
        self.sessions += request.sessions
        self.records += request.records
        self.rejected += rejected
        self._open[request.weeks_before_end] -= 1
        if not self._open[request.weeks_before_end]:
            self.weeks += 1


def send_year(
    year: DemoYear,
    *,
    base_url: str,
    token: str,
    weeks: Iterable[int] | None = None,
    on_progress: Callable[[Sent], None] = lambda sent: None,
) -> Sent:
    """Post the weeks (before the end; None: all) in order, a few requests at a time, and return once all were answered.

    Raises ReceiverRefusedError or ReceiverAwayError; records acknowledged by then are stored.
    """
    sent = Sent()
    with (
        # Loopback or the organisation's own host: a proxy of the environment must not come between.
        httpx.Client(base_url=base_url, timeout=60, trust_env=False, headers=_headers(token)) as client,
        ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="demo") as pool,
    ):
        under_way: deque[tuple[ExportRequest, Future[int]]] = deque()
        try:
            for request in _requests(year, range(year.weeks_of_telemetry) if weeks is None else weeks, sent):
                under_way.append((request, pool.submit(_post, client, request)))
                if len(under_way) > 2 * _CONNECTIONS:
                    _await_oldest(under_way, sent, on_progress)
            while under_way:
                _await_oldest(under_way, sent, on_progress)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sent


def _requests(year: DemoYear, weeks: Iterable[int], sent: Sent) -> Iterator[ExportRequest]:
    for weeks_before_end in weeks:
        requests = list(export_requests_of_week(year, weeks_before_end))
        sent.note_week(weeks_before_end, len(requests))
        yield from requests


def _await_oldest(
    under_way: deque[tuple[ExportRequest, Future[int]]], sent: Sent, on_progress: Callable[[Sent], None]
) -> None:
    request, answer = under_way.popleft()
    sent.note_answer(request, answer.result())
    on_progress(sent)


def _post(client: httpx.Client, request: ExportRequest) -> int:
    """The number of records that the receiver rejected."""
    address = f"{client.base_url}{request.path.lstrip('/')}"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    pause_seconds = 0.2
    while True:
        try:
            answer = client.post(request.path, content=request.body)
        except httpx.TransportError as error:
            problem = str(error) or type(error).__name__
        else:
            if answer.status_code == httpx.codes.OK:
                return _rejected(answer.content)
            if answer.status_code not in _TRY_AGAIN:
                raise ReceiverRefusedError(address, answer.status_code, answer.text[:300])
            problem = f"it answered {answer.status_code}"
            pause_seconds = max(pause_seconds, _retry_after_seconds(answer))
        if time.monotonic() + pause_seconds > deadline:
            raise ReceiverAwayError(address, problem)
        time.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)


def _rejected(body: bytes) -> int:
    # The answers for logs and metrics differ only in the name of the counted field.
    return ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records


def _retry_after_seconds(answer: httpx.Response) -> float:
    retry_after = answer.headers.get("Retry-After", "")
    return float(retry_after) if retry_after.isdecimal() else 0.0


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
    }
