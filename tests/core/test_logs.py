"""The log while the database is away: one line per cause, and all that is about something else."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import django.db
import psycopg
import pytest

from config.logs import OneLinePerOutage, WithoutSecrets


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(WithoutSecrets("%(message)s"))
    handler.addFilter(OneLinePerOutage())
    logger = logging.getLogger("tests.outage")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, lines
    logger.removeHandler(handler)


def fail(logger: logging.Logger, problem: Exception, cause: Exception | None = None) -> None:
    try:
        raise problem from cause
    except Exception:
        logger.exception("A task broke off")


def refused(port: int) -> psycopg.OperationalError:
    return psycopg.OperationalError(
        f'connection to server at "127.0.0.1", port {port} failed: Connection refused\nmore'
    )


def test_an_outage_is_one_line_per_cause(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, lines = log
    for port in range(50):
        fail(logger, django.db.OperationalError("no connection"), refused(port))
        logger.warning("Telemetry cannot be stored at the moment: %s", refused(port))
        fail(logger, psycopg.errors.AdminShutdown("terminating connection due to administrator command"))
        fail(logger, django.db.InterfaceError("connection already closed"))
    written = lines.getvalue().splitlines()
    assert len(written) == 3
    assert "Connection refused" in written[0]
    assert "Traceback" not in lines.getvalue()


def test_other_failures_are_logged_in_full(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, lines = log
    for _ in range(3):
        fail(logger, django.db.OperationalError("timeout"), psycopg.errors.QueryCanceled("canceling statement"))
        fail(logger, ValueError("odd"))
        logger.warning("A line of %s", "text")
    assert lines.getvalue().count("Traceback") >= 6
    assert lines.getvalue().count("A line of text") == 3


def test_a_cause_is_logged_again_after_it_was_over(
    log: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, lines = log
    now = [0.0]
    monkeypatch.setattr("config.logs.time.monotonic", lambda: now[0])
    for second in (*range(0, 50, 10), *range(200, 250, 10)):
        now[0] = float(second)
        fail(logger, refused(1))
    written = lines.getvalue().splitlines()
    assert len(written) == 2
    assert "4 further lines" in written[1]


def test_requests_answered_503_are_one_line_and_others_all(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, lines = log
    for number in range(20):
        for status in (503, 500):
            logger.error("%s: %s", "Refused", f"/v1/logs?{number}", extra={"status_code": status})
    assert len(lines.getvalue().splitlines()) == 21
