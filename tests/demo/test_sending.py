"""The demo's reactions when the receiver is busy, refuses, or is unreachable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from demo.plan import sending
from demo.plan.sending import ReceiverAwayError, ReceiverRefusedError, Sent, send_year
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from tests.listening import listening
from tests.servers import free_port

YEAR = DemoYear(seed=1, flavour=Flavour.SMALL_STORIES, anchor=datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
A_SMALL_WEEK = 11


@contextmanager
def receiver(*answers: tuple[int, dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """A receiver that gives these answers in turn, and 200 from then on; its address and the paths it was asked for."""
    waiting, paths, lock = list(answers), [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                paths.append(self.path)
                status, headers = waiting.pop(0) if waiting else (200, {})
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address, paths


def test_requests_to_a_busy_receiver_are_retried_and_nothing_is_left_out() -> None:
    with receiver() as (address, paths):
        undisturbed = send_year(YEAR, base_url=address, token="t", weeks=(A_SMALL_WEEK,))
        assert len(paths) == undisturbed.requests
    with receiver((429, {"Retry-After": "1"}), (503, {}), (502, {})) as (address, paths):
        assert send_year(YEAR, base_url=address, token="t", weeks=(A_SMALL_WEEK,)) == undisturbed
        assert len(paths) == undisturbed.requests + 3


def test_a_refusal_is_not_repeated() -> None:
    with receiver(*[(401, {})] * 9) as (address, paths):
        with pytest.raises(ReceiverRefusedError, match="answered 401"):
            send_year(YEAR, base_url=address, token="t", weeks=(A_SMALL_WEEK,))
        assert len(paths) <= 2


def test_an_absent_receiver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PATIENCE_SECONDS", 0.0)
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ReceiverAwayError, match=f"{address}.*Is Headway running there"):
        send_year(YEAR, base_url=address, token="t", weeks=(A_SMALL_WEEK,))


def test_progress_counts_whole_weeks() -> None:
    reports: list[tuple[int, int]] = []

    def note(sent: Sent) -> None:
        reports.append((sent.weeks, sent.requests))

    with receiver() as (address, _):
        send_year(YEAR, base_url=address, token="t", weeks=(A_SMALL_WEEK, A_SMALL_WEEK + 1), on_progress=note)
    assert [requests for _, requests in reports] == list(range(1, len(reports) + 1))
    assert reports[-1][0] == 2
