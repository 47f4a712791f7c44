"""Quarantine, tokens and counts in admin: what is wrong can be seen and replayed, and nobody's data is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from integrations.models import IngestToken, QuarantinedRecord, ReceivedBatch
from integrations.telemetry.agents import values
from integrations.telemetry.otlp.ingest_tokens import find_ingest_token
from integrations.telemetry.otlp.quarantine import Replay, replay
from tests.telemetry import intake as otlp
from tests.telemetry.intake import ADA, REQUEST, Intake, counter, log_record, logs, metrics, point, stored_text

pytestmark = pytest.mark.django_db
SECRET = "what Ada asked for"
TOO_MANY = {
    **REQUEST,
    "input_tokens": values.LARGEST_COUNT + 1,
    "prompt": SECRET,
    "notes": f"{SECRET}\nand more",
}


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def admin_client(client: Client, admin_user: Any) -> Client:
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def accept_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a later version might."""
    monkeypatch.setattr(values, "LARGEST_COUNT", 10**15)


def ids() -> list[int]:
    return list(QuarantinedRecord.objects.values_list("pk", flat=True))


def test_content_is_not_kept_in_quarantine_either(intake: Intake) -> None:
    intake.send(logs(log_record(TOO_MANY, body={"stringValue": SECRET})))
    intake.send(metrics(counter("claude_code.commit.count", point(-1, {"prompt": SECRET}))))
    intake.send(logs(log_record({"prompt": "<REDACTED>"}, timeUnixNano="0", body={"stringValue": SECRET})))
    assert len(ids()) == 3
    assert SECRET not in stored_text()
    assert intake.dropped == {"prompt": 2, "notes": 1}


def test_a_sentence_in_a_record_without_a_name_is_not_taken_for_its_name(intake: Intake) -> None:
    in_json = logs(log_record({}, body={"stringValue": SECRET}), resource={"service.name": "some-agent"})
    intake.send(in_json)
    intake.send(ParseDict(in_json, ExportLogsServiceRequest()))
    assert [event["name"] for event in intake.events] == ["(unnamed)"]
    assert SECRET not in stored_text()


def test_a_replayed_record_is_stored_as_the_record_that_was_sent(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.send(logs(log_record(TOO_MANY)))
    assert replay(ids()) == Replay(stored=0, still_bad=1)
    assert intake.events == []

    accept_more(monkeypatch)
    assert replay(ids()) == Replay(stored=1, still_bad=0)
    assert replay(ids()) == Replay(stored=0, still_bad=0)  # once is enough
    intake.send(logs(log_record(TOO_MANY)))
    (event,) = intake.events
    assert (event["key"], event["input_tokens"]) == ("req_1", TOO_MANY["input_tokens"])
    assert ReceivedBatch.objects.filter(pk=event["batch_id"]).exists()


def test_a_replayed_point_joins_its_series(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    too_much = values.LARGEST_COUNT * 2
    sent = metrics(counter("claude_code.commit.count", point(too_much, {}), temporality=2))
    intake.send(sent)
    monkeypatch.setattr("integrations.telemetry.otlp.decode_metrics.LARGEST_COUNT", 10**15)
    assert replay(ids()) == Replay(stored=1, still_bad=0)
    intake.send(sent)
    (stored,) = intake.points
    assert (stored["value"], stored["cumulative"]) == (too_much, True)


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/v1/logs", b"\x0a\x08\x12\x06\x12\x04\xff\xff\xff\xff", otlp.PROTOBUF),  # a record that is no message
        ("/v1/metrics", b"\x0a\x08\x12\x06\x12\x04\xff\xff\xff\xff", otlp.PROTOBUF),
        ("/v1/logs", b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [7]}]}]}', otlp.JSON),
        ("/v1/metrics", b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [7]}]}]}', otlp.JSON),
    ],
)
def test_what_is_no_record_at_all_can_be_looked_at_and_tried_again(
    intake: Intake, admin_client: Client, path: str, body: bytes, content_type: str
) -> None:
    assert intake.post(path, body, content_type).status_code == 200
    (pk,) = ids()
    assert admin_client.get(reverse("admin:integrations_quarantinedrecord_change", args=[pk])).status_code == 200
    assert replay([pk]).still_bad == 1


def test_admin_shows_what_a_record_is_and_none_of_its_values(intake: Intake, admin_client: Client) -> None:
    intake.send(logs(log_record({**REQUEST, "input_tokens": -7777})))
    intake.send(metrics(counter("claude_code.commit.count", point(-1, {}))))
    listed = admin_client.get(reverse("admin:integrations_quarantinedrecord_changelist")).content.decode()
    assert "input_tokens is negative." in listed
    for pk in ids():
        page = admin_client.get(reverse("admin:integrations_quarantinedrecord_change", args=[pk])).content.decode()
        assert "enduser.id: text of 15 characters" in page
        assert "claude_code" in page
        for value in (*ADA.values(), "7777"):
            assert value not in page


def test_admin_replays(intake: Intake, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.send(logs(log_record(TOO_MANY)))
    accept_more(monkeypatch)
    answer = admin_client.post(
        reverse("admin:integrations_quarantinedrecord_changelist"),
        {"action": "replay", "_selected_action": ids()},
        follow=True,
    )
    assert "1 record was stored." in answer.content.decode()
    assert len(intake.events) == 1


def test_admin_makes_a_token_and_shows_it_once(admin_client: Client) -> None:
    answer = admin_client.post(
        reverse("admin:integrations_ingesttoken_add"), {"name": "laptops", "scope": "telemetry", "lifetime": "365"}
    )
    secret = re.search(r"hwi_[\w-]{43}", answer.content.decode())
    assert secret
    assert "no-store" in answer.headers["Cache-Control"]
    token = IngestToken.objects.get(name="laptops")
    assert find_ingest_token(secret[0]) == token.pk
    for page in ("changelist", "change"):
        arguments = [token.pk] if page == "change" else []
        shown = admin_client.get(reverse(f"admin:integrations_ingesttoken_{page}", args=arguments)).content.decode()
        assert secret[0] not in shown
        assert f"…{secret[0][-4:]}" in shown


def test_admin_revokes_tokens_and_deletes_none(intake: Intake, admin_client: Client) -> None:
    listed = reverse("admin:integrations_ingesttoken_changelist")
    admin_client.post(listed, {"action": "revoke", "_selected_action": [intake.token.pk]})
    assert intake.post("/v1/logs", b"{}").status_code == 401
    assert "delete_selected" not in admin_client.get(listed).content.decode()


@pytest.mark.parametrize("model", ["unreadevent", "droppedattribute"])
def test_admin_lists_what_is_not_read_and_what_was_dropped(intake: Intake, admin_client: Client, model: str) -> None:
    intake.send(logs(log_record({**ADA, "event.name": "new_in_version_3", "tool_input": SECRET})))
    page = admin_client.get(reverse(f"admin:integrations_{model}_changelist")).content.decode()
    assert {"unreadevent": "new_in_version_3", "droppedattribute": "tool_input"}[model] in page
    assert SECRET not in page


@pytest.mark.parametrize("model", ["agentsession", "agentrequest", "agenttoolcall", "receivedbatch"])
def test_sessions_are_not_browsable(admin_client: Client, model: str) -> None:
    assert admin_client.get(f"/admin/integrations/{model}/").status_code == 404
