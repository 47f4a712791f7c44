"""The scope, expiry and person of a token."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cachetools import TTLCache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from config.diagnosis import State, tokens
from integrations.models import AgentSession, IngestScope, IngestToken, QuarantinedRecord
from integrations.telemetry.otlp import ingest_tokens
from integrations.telemetry.otlp.aging_tokens import aging_tokens
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, replace_ingest_token, revoke_ingest_token
from integrations.telemetry.otlp.quarantine import replay
from orgtree.models import Person
from tests.telemetry.intake import ADA, REQUEST, Intake, log_record, logs

pytestmark = pytest.mark.django_db

WITHOUT_PERSON = (IngestScope.TELEMETRY, IngestScope.PUSH)
EVERYTHING = ""
DEPLOYMENT = {
    "records": [
        {
            **{"id": "d", "repository": "acme/shop", "environment": "production", "status": "success"},
            "finished_at": "2026-03-02T10:00:00Z",
        }
    ]
}


def push(secret: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().post("/ingest/v1/deployments/", DEPLOYMENT, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def telemetry(secret: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().post("/v1/logs", logs(log_record(REQUEST)), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def person(email: str, name: str = "") -> Person:
    return Person.objects.create(email=email, full_name=name or email.partition("@")[0].title())


def test_a_token_sends_what_its_scope_says_and_a_refusal_names_the_remedy() -> None:
    for_telemetry, for_push = (
        create_ingest_token("a", scope=scope)[1] for scope in (IngestScope.TELEMETRY, IngestScope.PUSH)
    )
    assert telemetry(for_telemetry)[0] == push(for_push)[0] == 200
    status, answer = push(for_telemetry)
    assert (status, "--scope push" in answer["error"]) == (403, True)
    status, answer = telemetry(for_push)
    assert (status, answer["code"], "--scope telemetry" in answer["message"]) == (403, 7, True)


def test_a_token_of_before_goes_on_sending_everything() -> None:
    token, secret = create_ingest_token("of before")
    IngestToken.objects.filter(pk=token.pk).update(scope=EVERYTHING, expires_at=None)
    assert telemetry(secret)[0] == push(secret)[0] == 200


def test_a_new_token_ends_after_a_year_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_tokens, "_known", TTLCache(1, ttl=0))
    secrets = [create_ingest_token("a", scope=scope)[1] for scope in WITHOUT_PERSON]
    with time_machine.travel(timezone.now() + timedelta(days=364), tick=False):
        assert [telemetry(secrets[0])[0], push(secrets[1])[0]] == [200, 200]
    with time_machine.travel(timezone.now() + timedelta(days=366), tick=False):
        for status, answer in (telemetry(secrets[0]), push(secrets[1])):
            sentence = answer.get("message") or answer["error"]
            assert status == 401
            assert "expired on" in sentence
            assert "create_ingest_token" in sentence


def test_what_is_remembered_of_a_token_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_tokens, "_known", TTLCache(1, ttl=1e9))
    _, secret = create_ingest_token("a", lifetime=timedelta(hours=1))
    assert telemetry(secret)[0] == 200
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert telemetry(secret)[0] == 401


class EndsWhileRead(io.BytesIO):
    """A body during which the token ends."""

    def __init__(self, body: bytes, traveller: time_machine.travel) -> None:
        super().__init__(body)
        self._traveller = traveller

    def read(self, size: int | None = -1, /) -> bytes:
        read = super().read(size)
        if self._traveller is not None:
            self._traveller.start()
            self._traveller = None  # type: ignore[assignment]
        return read


def test_a_batch_whose_token_ends_in_mid_request_is_stored_whole() -> None:
    from integrations.telemetry.otlp.decoded import Signal
    from integrations.telemetry.otlp.receive import answer_export

    _, secret = create_ingest_token("a", lifetime=timedelta(hours=1))
    body = json.dumps(logs(log_record(REQUEST), log_record({**REQUEST, "request_id": "req_2"}))).encode()
    later = time_machine.travel(timezone.now() + timedelta(hours=2), tick=False)
    environ = {
        **{"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))},
        **{"HTTP_AUTHORIZATION": f"Bearer {secret}", "wsgi.input": EndsWhileRead(body, later)},
    }
    try:
        assert answer_export(environ, Signal.LOGS).status == 200
        assert telemetry(secret)[0] == 401
    finally:
        later.stop()
    assert AgentSession.objects.get().identity.person == Person.objects.get(email="ada@example.com")


def test_what_comes_with_a_persons_token_counts_for_that_person(intake: Intake) -> None:
    grace = person("grace@example.com")
    token, intake.secret = create_ingest_token("Grace's laptop", person=grace)
    intake.send(logs(log_record(REQUEST), log_record({**REQUEST, "request_id": "req_2"})))
    session = AgentSession.objects.get()
    assert session.identity.person == grace
    assert not Person.objects.filter(email="ada@example.com").exists(), "a claim makes nobody"
    token.refresh_from_db()
    assert (token.other_claims, token.last_claim) == (2, "ada@example.com")
    intake.send(logs(log_record(REQUEST)))
    token.refresh_from_db()
    assert token.other_claims == 2, "what is repeated is counted once"


def test_ones_own_addresses_are_no_other_claim(intake: Intake) -> None:
    token, intake.secret = create_ingest_token("Ada's laptop", person=person("Ada@example.com"))
    intake.send(logs(log_record(REQUEST)))
    token.refresh_from_db()
    assert token.other_claims == 0


def test_a_session_that_began_under_the_address_goes_on_under_the_token(intake: Intake) -> None:
    intake.send(logs(log_record(REQUEST)))
    _, intake.secret = create_ingest_token("Ada's laptop", person=Person.objects.get(email="ada@example.com"))
    intake.send(logs(log_record({**REQUEST, "request_id": "req_2"})))
    assert AgentSession.objects.count() == 1


def test_what_is_replayed_counts_for_the_tokens_person(intake: Intake) -> None:
    grace = person("grace@example.com")
    _, intake.secret = create_ingest_token("Grace's laptop", person=grace)
    intake.send(logs(log_record({**REQUEST, "input_tokens": -1})))
    record = QuarantinedRecord.objects.get()
    record.payload = bytes(record.payload).replace(b"-1", b"11")
    record.save()
    assert replay([record.pk]).stored == 1
    assert AgentSession.objects.get().identity.person == grace


def test_pushed_records_belong_to_no_one_person() -> None:
    person("ada@example.com")
    with pytest.raises(CommandError, match="pushed records cannot belong to a person"):
        call_command("create_ingest_token", "a", "--scope", "push", "--person", "ada@example.com")
    assert not IngestToken.objects.exists()


def test_the_command_says_scope_expiry_and_person(capsys: pytest.CaptureFixture[str]) -> None:
    person("ada@example.com")
    expires = str(timezone.localdate() + timedelta(days=10))
    call_command("create_ingest_token", "a", "--json", "--person", "ADA@example.com", "--expires", expires)
    created = json.loads(capsys.readouterr().out)
    assert (created["scope"], created["person"]) == ("telemetry", "ADA@example.com")
    token = IngestToken.objects.get()
    assert token.expires_at is not None
    assert timezone.localdate(token.expires_at) == timezone.localdate() + timedelta(days=10)


@pytest.mark.parametrize(
    ("option", "value"), [("--expires", "soon"), ("--expires", "2020-01-01"), ("--person", "nobody@example.com")]
)
def test_what_the_command_cannot_do_makes_no_token(option: str, value: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_ingest_token", "a", option, value)
    assert not IngestToken.objects.exists()


def test_tokens_that_should_be_replaced_are_listed_with_the_reason(admin: Client) -> None:
    now = timezone.now()
    create_ingest_token("fresh")
    revoke_ingest_token(create_ingest_token("revoked", lifetime=None)[0])
    old, _ = create_ingest_token("old", lifetime=None)
    IngestToken.objects.filter(pk=old.pk).update(scope=EVERYTHING, last_used_at=now)
    create_ingest_token("soon", lifetime=timedelta(days=10))
    idle, _ = create_ingest_token("idle")
    IngestToken.objects.filter(pk=idle.pk).update(created_at=now - timedelta(days=91))
    reasons = {token.name: token.reason for token in aging_tokens(now)}
    assert reasons == {
        "old": "no scope, no expiry",
        "soon": f"expires on {now + timedelta(days=10):%Y-%m-%d}",
        "idle": "not used for 90 days",
    }
    finding = tokens()
    assert (finding.state, "old (…" in finding.sentence) == (State.NOTE, True)
    assert "no scope, no expiry" in admin.get("/home/health/").content.decode()


def test_a_replaced_token_keeps_name_and_person_and_gets_a_scope() -> None:
    ada = person("ada@example.com")
    old, secret = create_ingest_token("Ada's laptop", person=ada, lifetime=None)
    IngestToken.objects.filter(pk=old.pk).update(scope=EVERYTHING)
    _, new = replace_ingest_token(IngestToken.objects.get(pk=old.pk))
    assert [telemetry(secret)[0], telemetry(new)[0]] == [401, 200]
    made = IngestToken.objects.get(revoked_at=None)
    assert (made.name, made.scope, made.identity and made.identity.person) == ("Ada's laptop", "telemetry", ada)
    assert made.expires_at is not None


def printed(*words: str) -> Any:
    out = io.StringIO()
    call_command("create_ingest_token", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_lost_token_is_replaced_with_its_rights_and_its_records(admin: Client) -> None:
    first = printed("Build machines", "--scope", "push")["token"]
    stranger = printed("Somebody else", "--scope", "push")["token"]
    assert [push(secret)[1]["results"][0]["status"] for secret in (first, stranger)] == ["created", "rejected"]
    second = printed("Builds", "--replaces", "build machines", "--expires", "never")
    assert (second["name"], second["scope"], second["expires_at"]) == ("Builds", "push", None)
    assert (push(first)[0], push(second["token"])[1]["results"][0]["status"]) == (401, "unchanged")

    token = IngestToken.objects.get(pk=second["id"])
    revoke_ingest_token(token)
    third = printed("Builds", "--replaces", str(token.pk))
    assert push(third["token"])[1]["results"][0]["status"] == "unchanged", "one that was revoked first, as well"
    actions = {"action": "replace", "_selected_action": [third["id"]]}
    shown = admin.post("/admin/integrations/ingesttoken/", actions).content.decode()
    fourth = re.findall(r"hwi_[\w-]+", shown)[0]
    assert (push(third["token"])[0], push(fourth)[1]["results"][0]["status"]) == (401, "unchanged")


def test_a_token_from_before_scopes_that_pushed_records_is_replaced_by_one_for_records() -> None:
    old, secret = create_ingest_token("of before", scope=IngestScope.PUSH)
    push(secret)
    IngestToken.objects.filter(pk=old.pk).update(scope=EVERYTHING)
    new, secret = replace_ingest_token(IngestToken.objects.get(pk=old.pk))
    assert (new.scope, push(secret)[1]["results"][0]["status"]) == ("push", "unchanged")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--replaces", "nobody's"), "No token is called"),
        (("--replaces", "99999999999999999999"), "No token is called"),
        (("--replaces", "twice"), "2 tokens are called “twice”. Give the id of one"),
        (("--replaces", "once", "--scope", "push"), "leave out the other options"),
        (("--replaces", "once", "--all-records"), "leave out the other options"),
    ],
)
def test_which_token_is_replaced_is_certain(words: tuple[str, ...], problem: str) -> None:
    for name in ("once", "twice", "twice"):
        create_ingest_token(name)
    with pytest.raises(CommandError, match=problem):
        call_command("create_ingest_token", "new", *words)
    assert IngestToken.objects.filter(revoked_at=None).count() == 3


def test_admin_asks_for_scope_expiry_and_person(admin: Client) -> None:
    person("ada@example.com")
    address = "/admin/integrations/ingesttoken/add/"
    form = {"name": "a", "scope": "telemetry", "lifetime": "365", "person": "ada@example.com"}
    for wrong in ({"scope": "push"}, {"person": "nobody@example.com"}, {"scope": ""}, {"lifetime": "7"}):
        assert admin.post(address, {**form, **wrong}).status_code == 200
    assert not IngestToken.objects.exists()
    shown = admin.post(address, form).content.decode()
    token = IngestToken.objects.get()
    assert "hwi_" in shown
    assert str(token.identity and token.identity.person) == "Ada"
    IngestToken.objects.update(other_claims=3, last_claim="grace@example.com")
    listed = admin.get("/admin/integrations/ingesttoken/").content.decode()
    assert "3, the last: grace@example.com" in listed
    assert admin.get(f"/admin/integrations/ingesttoken/{token.pk}/change/").status_code == 200


def test_the_connect_page_makes_a_token_for_a_person(admin: Client) -> None:
    ada = person("ada@example.com")
    assert admin.post("/setup/agents/", {"name": "a", "person": "nobody@example.com"}).status_code == 400
    page = admin.post("/setup/agents/", {"name": "a", "person": "ada@example.com"}).content.decode()
    token = IngestToken.objects.get()
    assert (token.scope, token.identity and token.identity.person) == ("telemetry", ada)
    assert "Counts for Ada" in page
    assert ADA["enduser.id"] == ada.email


def test_a_collector_is_always_somebodys() -> None:
    with pytest.raises(CommandError, match="the person whose machine it is on"):
        call_command("create_ingest_token", "a", "--scope", "collector")
    assert not IngestToken.objects.exists()
