"""A hanging, slow or locked database: 503 in the requested format, and free threads for other requests."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import httpx
import psutil
import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory
from psycopg import errors
from psycopg.pq import TransactionStatus
from pytest_django import DjangoDbBlocker

from config import database_watch
from config.database_watch import DatabaseWatch
from config.errors import server_error
from integrations.models import IngestScope
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from tests.installations import Installation
from tests.otlp import LogEvent, logs_request
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import Server
from tests.telemetry.intake import JSON, REQUEST, log_record, logs

PAGE, API, OTLP, HOOK, PUSH = (
    "/accounts/invitation/guessed/",
    "/api/v1/metrics/",
    "/v1/logs",
    "/hooks/github/1/",
    "/ingest/v1/deployments/",
)
DEPLOYMENT = {
    **{"id": "shop-1", "repository": "acme/shop", "environment": "production", "status": "success"},
    **{"finished_at": "2026-03-02T10:00:00Z", "sha": "0f3c"},
}
WEB_THREADS = 16
SECONDS = 10.0  # three until it is noticed, and what a busy machine adds
AT_ONCE = 2.0


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The server and all its sessions, as a debugger or a frozen container stops them."""
    postmaster = psutil.Process(pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    try:
        for process in processes:
            process.suspend()
        yield
    finally:
        for process in reversed(processes):
            with suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.fixture
def asks(installation: Installation) -> Callable[[str], tuple[httpx.Response, float]]:
    """The response to a request that needs the database, and its duration in seconds."""
    token = {"Authorization": f"Bearer {installation.ingest_token}"}
    pushing = {"Authorization": f"Bearer {installation.push_token}"}
    reading = {"Authorization": f"Bearer {installation.api_token}"}

    def ask(path: str) -> tuple[httpx.Response, float]:
        began = time.monotonic()
        with httpx.Client(base_url=installation.url, timeout=60, trust_env=False) as client:
            if path == OTLP:
                prompt = LogEvent("user_prompt", datetime.now(UTC), {"prompt_length": 5})
                body = logs_request("ada@example.com", "one", [prompt]).SerializeToString()
                answer = client.post(path, content=body, headers={**token, "Content-Type": "application/x-protobuf"})
            elif path in (PUSH, HOOK):
                answer = client.post(path, json={"records": [DEPLOYMENT]}, headers=pushing)
            else:
                answer = client.get(path, headers=reading if path == API else {})
        return answer, time.monotonic() - began

    return ask


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the run's server is not this test's to stop")
def test_a_database_that_hangs_costs_seconds_and_no_restart(
    installation: Installation, asks: Callable[[str], tuple[httpx.Response, float]]
) -> None:
    """Longer than 5 s: an installation of its own, whose server is stopped, and noticed to be, while requests wait."""
    before = {path: asks(path)[0].status_code for path in (PAGE, API, OTLP, HOOK, PUSH, "/readyz")}
    assert before == {PAGE: 404, API: 200, OTLP: 200, HOOK: 404, PUSH: 200, "/readyz": 200}
    web = installation.pid_of("web")
    database = installation.pid_of("database")
    assert database is not None
    crowd = [PAGE, API, OTLP, HOOK, PUSH, "/readyz"] * 4
    assert len(crowd) > WEB_THREADS
    with stopped(database), ThreadPoolExecutor(len(crowd)) as pool:
        waiting = [pool.submit(asks, path) for path in crowd]
        alive, seconds = asks("/healthz")
        assert (alive.status_code, seconds < SECONDS) == (200, True), "at worst when the crowd is through"
        for future in waiting:
            refused, seconds = future.result()
            assert refused.status_code == 503, refused.url
            assert seconds < SECONDS, refused.url
        for path in (*crowd, "/healthz"):
            answer, seconds = asks(path)
            assert answer.status_code == (200 if path == "/healthz" else 503), path
            assert seconds < AT_ONCE, path
            if path not in ("/healthz", "/readyz"):
                assert int(answer.headers["Retry-After"]) > 0, path
        assert asks("/readyz")[0].json()["database"] == "does not answer"
        assert "The database does not answer" in asks(PAGE)[0].text
        assert "The database does not answer" in asks(API)[0].json()["error"]["message"]
    wait_until(lambda: asks("/readyz")[0].status_code == 200, what="the installation is ready again")
    assert {path: asks(path)[0].status_code for path in before} == before
    assert installation.pid_of("web") == web


def test_a_lock_that_others_hold_is_said_in_words(server: Server) -> None:
    """Longer than 5 s: so long does a request wait for a lock."""
    with server.database():
        connection.set_autocommit(False)
        try:
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE orgtree_invitation IN ACCESS EXCLUSIVE MODE")
            answer = server.browse().get(PAGE)
        finally:
            connection.rollback()
            connection.set_autocommit(True)
    assert answer.status_code == 503
    assert "Somebody else has been writing the same" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert server.browse().get(PAGE).status_code == 404


def test_a_connection_that_hangs_by_itself_is_given_up(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers others: its backend waits for a disk, or something between both forgot the connection."""
    monkeypatch.setattr(database_watch, "SECONDS_BEYOND_TIMEOUT", 1.0)
    with django_db_blocker.unblock():
        parameters = connection.get_connection_params()
    watch = DatabaseWatch()
    with psycopg.connect(**{**parameters, "options": "-c statement_timeout=1s"}) as timed:
        watch.learn_timeout(timed)
    with psycopg.connect(**parameters) as hung, psycopg.connect(**parameters) as idle, ThreadPoolExecutor(1) as pool:
        watch.note(hung)
        watch.note(idle)
        waiting = pool.submit(hung.execute, "SELECT pg_sleep(600)")
        given_up = []
        for _ in range(4):
            wait_until(lambda: hung.info.transaction_status is TransactionStatus.ACTIVE, what="it waits")
            given_up.append(watch.give_up_hung_connections())
        assert given_up == [0, 0, 0, 0], "a statement has a second, and a second more"
        assert watch.give_up_hung_connections() == 1
        with pytest.raises(psycopg.OperationalError):
            waiting.result(timeout=PATIENCE_SECONDS)
        assert idle.execute("SELECT 1").fetchone() == (1,)
        hung.close()


@pytest.mark.django_db
@pytest.mark.parametrize("path", [OTLP, PUSH])
def test_a_database_that_takes_no_changes_is_unavailable(client: Client, path: str) -> None:
    """A standby, or a failover.  With 500, exporters would drop what they have, and not send it again."""
    _, token = create_ingest_token("a sender", scope=IngestScope.PUSH if path == PUSH else IngestScope.TELEMETRY)
    body = {"records": [DEPLOYMENT]} if path == PUSH else logs(log_record(REQUEST))
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    assert client.get("/accounts/login/").status_code == 200
    assert client.get("/readyz").json()["database"] == "read-only"
    answer = client.post(path, body, content_type=JSON, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, "takes no changes" in answer.content.decode()) == (503, True)
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("problem", "cause", "sentence"),
    [
        (OperationalError(), errors.ReadOnlySqlTransaction(), "takes no changes"),
        (OperationalError(), errors.QueryCanceled(), "took longer than 30 seconds"),
        (OperationalError(), errors.LockNotAvailable(), "writing the same"),
        (OperationalError(), None, "does not answer"),
        (InterfaceError(), None, "does not answer"),
    ],
)
@pytest.mark.parametrize("path", [PAGE, API, "/prometheus"])
def test_every_protocol_is_answered_in_its_form(
    problem: Exception, cause: Exception | None, sentence: str, path: str
) -> None:
    """Without a database mark: a query would fail."""
    try:
        raise problem from cause
    except type(problem):
        response = server_error(RequestFactory().get(path))
    assert response.status_code == 503
    assert sentence in response.content.decode()
    kinds: Mapping[str, str] = {PAGE: "text/html", API: "application/json", "/prometheus": "text/plain"}
    assert response["Content-Type"].startswith(kinds[path])


def test_what_is_no_fault_of_the_database_stays_500() -> None:
    try:
        raise ValueError
    except ValueError:
        assert sys.exc_info()[1]
        assert server_error(RequestFactory().get(PAGE)).status_code == 500
