"""A connection that ended is replaced before anybody notices, without a question to the server for each request."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from core import sql

pytestmark = pytest.mark.django_db(transaction=True)


def end_connection() -> None:
    """As a restarted server does: seen from another connection, and waited for."""
    number = sql.value("SELECT pg_backend_pid()")
    parameters = connection.get_connection_params()
    known = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    with psycopg.connect(**known, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])


def as_a_request_begins() -> None:
    connections["default"].health_check_done = False  # type: ignore[attr-defined]  # Django's stubs lack it
    connection.close_if_unusable_or_obsolete()


def test_a_connection_that_the_server_ended_is_replaced() -> None:
    end_connection()
    as_a_request_begins()
    assert sql.value("SELECT 1") == 1


def test_a_connection_that_is_there_costs_no_query() -> None:
    assert sql.value("SELECT 1") == 1
    before = connection.connection
    with CaptureQueriesContext(connection) as captured:
        as_a_request_begins()
        assert connection.is_usable()
    assert len(captured) == 0
    assert connections["default"].connection is before
