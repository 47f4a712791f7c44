"""A full disk, at every point: nothing is stored, and the response says why."""

from __future__ import annotations

import errno
import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from config.diagnosis import State, disk
from core.disk_full import DISK_FULL, is_disk_full
from integrations.models import IngestScope
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from tests.personas import ADMIN, Persona
from tests.telemetry.intake import JSON, REQUEST, log_record, logs
from tests.webhooks.test_receive import GitHubSends

SignIn = Callable[[Persona], Client]
Usage = namedtuple("Usage", "total used free")  # as shutil has it


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def no_extension(*_: object, **__: object) -> None:
    """Raise Django's error for PostgreSQL's 53100."""
    try:
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")
    except psycopg.Error as problem:
        raise OperationalError(str(problem)) from problem


FULL = pytest.mark.parametrize("full", [no_space, no_extension])


@pytest.fixture
def forgiving(sign_in: SignIn) -> Client:
    """A client that gets the answer, as browsers do, instead of the exception."""
    client = sign_in(ADMIN)
    client.raise_request_exception = False
    return client


@FULL
@pytest.mark.django_db
def test_exporters_get_503_and_send_telemetry_again(monkeypatch: pytest.MonkeyPatch, full: Any) -> None:
    monkeypatch.setattr("integrations.telemetry.otlp.store.open_batch", full)
    _, secret = create_ingest_token("tests")
    answer = Client().post(
        "/v1/logs",
        json.dumps(logs(log_record(REQUEST))),
        content_type=JSON,
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert (answer.status_code, answer.json()) == (503, {"code": 14, "message": DISK_FULL})
    assert int(answer["Retry-After"]) > 0


@FULL
@pytest.mark.django_db
def test_pipelines_get_an_answer_that_makes_them_push_again(monkeypatch: pytest.MonkeyPatch, full: Any) -> None:
    monkeypatch.setattr("integrations.push.store.store_drafts", full)
    _, secret = create_ingest_token("tests", scope=IngestScope.PUSH)
    record = {"id": "1", "repository": "acme/api", "environment": "production", "status": "success"}
    record |= {"sha": "a" * 40, "finished_at": "2026-03-02T10:00:00Z", "started_at": "2026-03-02T09:00:00Z"}
    answer = Client().post(
        "/ingest/v1/deployments/",
        json.dumps({"records": [record]}),
        content_type=JSON,
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert (answer.status_code, answer.json()) == (503, {"error": DISK_FULL})
    assert int(answer["Retry-After"]) > 0


@FULL
@pytest.mark.django_db
def test_providers_get_an_error_where_a_delivery_was_not_stored(monkeypatch: pytest.MonkeyPatch, full: Any) -> None:
    github = GitHubSends()
    monkeypatch.setattr("integrations.webhooks.receive.WebhookDelivery.objects.create", full)
    assert github.send("ping", {}) == 503


@FULL
def test_an_upload_that_finds_no_room_is_answered_with_a_page(
    monkeypatch: pytest.MonkeyPatch, forgiving: Client, full: Any
) -> None:
    monkeypatch.setattr("orgtree.people_import.pages.save_upload", full)
    file = SimpleUploadedFile("people.csv", b"email\nada@example.com\n")
    answer = forgiving.post(reverse("people_import"), {"file": file})
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert DISK_FULL in answer.content.decode()


def test_an_upload_whose_temporary_file_finds_no_room_is_answered_with_a_page(
    monkeypatch: pytest.MonkeyPatch, forgiving: Client
) -> None:
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", no_space)
    file = SimpleUploadedFile("people.csv", b"email\n" + b"ada@example.com\n" * 200_000)
    answer = forgiving.post(reverse("people_import"), {"file": file})
    assert (answer.status_code, DISK_FULL in answer.content.decode()) == (503, True)


@FULL
def test_the_api_answers_in_its_own_form(monkeypatch: pytest.MonkeyPatch, forgiving: Client, full: Any) -> None:
    monkeypatch.setattr("insights.api.views.CatalogueView.get", full)
    answer = forgiving.get("/api/v1/metrics/")
    assert (answer.status_code, answer.json()) == (503, {"error": {"parameter": None, "message": DISK_FULL}})


def test_other_failures_say_nothing_of_a_disk(monkeypatch: pytest.MonkeyPatch, forgiving: Client) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("orgtree.people_import.pages.save_upload", broken)
    file = SimpleUploadedFile("people.csv", b"email\nada@example.com\n")
    answer = forgiving.post(reverse("people_import"), {"file": file})
    assert (answer.status_code, b"disk" in answer.content) == (500, False)
    assert not is_disk_full(OperationalError("the connection is lost"))


@pytest.mark.parametrize(("free", "state"), [(50_000_000_000, State.RIGHT), (999_999_999, State.WRONG)])
def test_doctor_names_what_is_free(monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100_000_000_000, 0, free))
    finding = disk()
    assert (finding.state, f"{free / 1e9:.1f} GB free" in finding.sentence) == (state, True)
