"""Health endpoints for supervisors, load balancers and monitoring."""

from __future__ import annotations

import json
import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from integrations.models import ReceivedBatch
from orgtree.access.api_tokens import create_api_token, revoke_api_token

GAUGE = re.compile(r'^headway_[a-z_]+(\{part="[a-z]+"\})? \d+(\.\d+)?$')


def test_healthz_asks_nothing_of_the_database(client: Client) -> None:
    answer = client.get("/healthz")  # without a database mark: a query would fail
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_readyz_names_the_part_that_is_missing(client: Client) -> None:
    assert client.get("/readyz").json() == {"ready": True, "database": "ok", "migrations": "ok", "broker": "ok"}
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'integrations'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "ok", "migrations": "missing", "broker": "ok"}


@pytest.mark.django_db
def test_prometheus_reads_every_line(client: Client) -> None:
    ReceivedBatch.objects.create()
    answer = client.get("/prometheus")
    assert answer.status_code == 200
    lines = answer.content.decode().splitlines()
    assert "headway_requests_waiting 1" in lines
    assert 'headway_ready{part="database"} 1' in lines
    for line in lines:
        assert line.startswith(("# HELP headway_", "# TYPE headway_")) or GAUGE.match(line), line


@pytest.mark.django_db
def test_prometheus_asks_others_for_a_token(client: Client, settings: Settings) -> None:
    assert client.get("/prometheus", REMOTE_ADDR="192.0.2.7").status_code == 401
    assert client.get("/prometheus", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401
    token, secret = create_api_token("monitoring", expires_at=None)
    with_token = {"Authorization": f"Bearer {secret}"}
    assert client.get("/prometheus", REMOTE_ADDR="192.0.2.7", headers=with_token).status_code == 200
    settings.BASE_URL = "https://headway.example.com"  # behind a proxy, whose address is this machine's
    assert client.get("/prometheus").status_code == 401
    revoke_api_token(token)
    assert client.get("/prometheus", headers=with_token).status_code == 401


@pytest.mark.django_db
def test_doctor_prints_one_finding_per_part(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("doctor", "--json")
    findings = {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["database"]["state"] == "right"
    assert findings["worker"]["state"] == "note"
    assert findings["worker"]["sentence"].endswith("`manage.py up` has not run yet.")
