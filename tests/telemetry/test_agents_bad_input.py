"""Impossible or unexpected data from agents: nothing is lost and nothing counts twice."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.models import (
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    QuarantinedRecord,
)
from integrations.telemetry import agents
from integrations.telemetry.agents import claude_code
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.models import Person
from tests.telemetry.agent_records import CHAT, CODEX, PROGRAM, codex_event, span, tokens
from tests.telemetry.intake import (
    NOW,
    REQUEST,
    SECOND,
    Intake,
    Json,
    counter,
    json_attributes,
    log_record,
    logs,
    metrics,
    point,
    rows,
    spans,
)

pytestmark = pytest.mark.django_db

HOUR = 3600 * SECOND


def completed(at: int = NOW, **attributes: object) -> Json:
    sent = {"input_token_count": "100", "cached_token_count": 60, "output_token_count": "7", **attributes}
    return {**codex_event("sse_event", **sent), "timeUnixNano": str(at)}


SERVICES = {
    **{"claude_code": "claude-code", "codex": "codex_cli_rs", "gemini": "gemini-cli", "copilot": "github-copilot"},
    **{"qwen_code": "qwen-code", "cline": "cline", "a_program": "A program"},
}
OTHER_TYPES: list[Json] = [
    {"arrayValue": {"values": []}},
    {"arrayValue": {"values": [{"stringValue": "word"}]}},
    {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
    {"bytesValue": "AAEC"},
    {"boolValue": True},
    {},
]


@pytest.mark.parametrize("value", OTHER_TYPES, ids=lambda value: next(iter(value), "nothing"))
@pytest.mark.parametrize("agent", SERVICES)
def test_an_attribute_of_another_type_costs_no_other_record_anything(intake: Intake, agent: str, value: Json) -> None:
    """Each attribute that says whose, where or what a record is, in the record and in the resource."""
    vocabulary = agents.vocabulary_of_agent(agent)
    names = sorted({*vocabulary.naming, *vocabulary.looked_at})
    named = {"session.id": "s1", "conversation.id": "s1", "enduser.id": "ada@example.com"}
    resource = {"service.name": SERVICES[agent]}
    records = [log_record({**named, "event.name": "x", name: value}) for name in names]
    calls = [
        {**span("chat", number), "attributes": json_attributes({**named, name: value})}
        for number, name in enumerate(names, 1)
    ]
    intake.send(logs(*records, resource=resource))
    intake.send(spans(*calls, resource=resource))
    intake.send(metrics(counter("x.tokens", *(point(1, {name: value}) for name in names)), resource=resource))
    for name in vocabulary.naming:
        intake.send(logs(log_record(named), resource={**resource, name: value}))
    received = sum(intake.counted(known=True).values()) + sum(intake.counted(known=False).values())
    assert received + len(intake.events) + len(intake.reasons) >= len(names)


def test_a_session_that_never_ends_is_its_active_periods(intake: Intake) -> None:
    """A terminal left open for three weeks, in which somebody works ten minutes each day."""
    for day in range(21):
        started = NOW - (20 - day) * 24 * HOUR - HOUR
        intake.send(logs(completed(started), completed(started + 600 * SECOND), resource=CODEX))
    fold_received_batches()
    session = AgentSession.objects.get()
    assert session.active_seconds == 21 * 600
    assert session.ended_at - session.started_at == timedelta(days=20, minutes=10)
    assert AgentSessionDay.objects.filter(source="events").count() in (21, 22)  # one may reach over midnight
    assert AgentRequest.objects.count() == 42


def test_a_clock_a_day_ahead_goes_to_quarantine_and_one_behind_counts_on_its_own_day(intake: Intake) -> None:
    answer = intake.send(
        logs(completed(time.time_ns() + 25 * HOUR), completed(NOW - 24 * HOUR), completed(), resource=CODEX)
    )
    assert answer["partialSuccess"]["rejectedLogRecords"] in (1, "1")
    assert intake.reasons == ["Its time lies more than a day in the future."]
    assert tokens() == (80, 120, 0, 14)
    days = set(AgentSessionDay.objects.values_list("day", flat=True))
    assert days == {(datetime.fromtimestamp(NOW / SECOND, UTC) - timedelta(days=n)).date() for n in (0, 1)}


def test_an_account_of_two_people_is_divided_by_who_is_named(intake: Intake) -> None:
    """Both sign in with the same account; the address of each stands in their own settings."""
    shared = {"user.account_id": "user-of-both", "user.email": "pair@example.com"}
    for person in ("ada@example.com", "grace@example.com"):
        resource = {**CODEX, "enduser.id": person}
        event = codex_event("sse_event", input_token_count="100", output_token_count="7", **shared)
        intake.send(logs(event, resource=resource))
    fold_received_batches()
    of = {session.identity.person.email: session.event_tokens for session in AgentSession.objects.all()}  # type: ignore[union-attr]
    assert of == {"ada@example.com": 107, "grace@example.com": 107}
    assert Person.objects.filter(email="pair@example.com").count() <= 1


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"input_token_count": "-5"}, "input_token_count is negative."),
        ({"cached_token_count": -1}, "cached_token_count is negative."),
        ({"output_token_count": "-7"}, "output_token_count is negative."),
        (
            {"cached_token_count": 101},
            "cached_token_count add up to more than input_token_count, of which they are parts.",
        ),
        ({"input_token_count": "many"}, "input_token_count is not a number."),
        ({"input_token_count": 10**13}, "input_token_count is larger than 1,000,000,000,000."),
    ],
)
def test_impossible_counts_of_tokens_go_to_quarantine_alone(
    intake: Intake, attributes: dict[str, object], reason: str
) -> None:
    intake.send(logs(completed(NOW, **attributes), completed(NOW - SECOND), resource=CODEX))
    assert intake.reasons == [reason]
    assert tokens() == (40, 60, 0, 7)


def test_a_model_renamed_within_a_session_is_two_models_of_one_session(intake: Intake) -> None:
    intake.send(logs(completed(NOW - SECOND, model="gpt-5.4"), completed(NOW, model="gpt-5.5"), resource=CODEX))
    fold_received_batches()
    figures = dict(AgentSessionDay.objects.values_list("model", "output_tokens"))
    assert figures == {"gpt-5.4": 7, "gpt-5.5": 7}
    assert AgentSession.objects.get().event_tokens == 214


def test_one_request_under_two_names_of_its_model_is_one_request(intake: Intake) -> None:
    """A span while the model is a nickname, and an event once the server said which version answered."""
    key = {"gen_ai__response__id": "resp_1"}
    intake.send(spans(span("chat", 1, **{**CHAT, **key, "gen_ai__request__model": "sonnet"}), resource=PROGRAM))
    intake.send(
        spans(span("chat", 1, **{**CHAT, **key, "gen_ai__response__model": "claude-sonnet-4-5"}), resource=PROGRAM)
    )
    assert tokens() == (10, 60, 30, 9)
    assert AgentSessionDay.objects.count() == 1


def test_a_cost_without_tokens_and_tokens_without_a_cost(intake: Intake) -> None:
    costly = {key: value for key, value in REQUEST.items() if not key.endswith("_tokens")}
    free = {key: value for key, value in REQUEST.items() if key != "cost_usd"} | {"request_id": "req_2"}
    intake.send(logs(log_record(costly), log_record(free)))
    assert tokens() == (100, 1000, 50, 10)
    day = AgentSessionDay.objects.get()
    assert (day.requests, float(day.reported_cost or 0)) == (2, 0.0095889)
    assert day.spend is not None


def test_a_record_in_quarantine_keeps_the_sum_of_its_histogram(intake: Intake) -> None:
    point = {
        "startTimeUnixNano": str(NOW - SECOND),
        "timeUnixNano": str(time.time_ns() + 30 * HOUR),
        "sum": 100,
        "attributes": json_attributes({"session.id": "s1", "gen_ai.token.type": "output"}),
    }
    usage = {"name": "gen_ai.client.token.usage", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    intake.send(metrics(usage, resource=PROGRAM))
    record = QuarantinedRecord.objects.get()
    assert b'"histogram"' in bytes(record.payload)
    assert b'"sum": 100' in bytes(record.payload)


def test_a_version_with_other_names_is_read_once_they_are_known(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was kept before the vocabulary knew it, and repeated by the agent after."""
    request = logs(
        completed(), codex_event("user_prompt"), codex_event("sse_event", **{"event.kind": "created"}), resource=CODEX
    )
    with monkeypatch.context() as older:
        older.setattr(agents, "VOCABULARIES", ())
        intake.send(request)
        fold_received_batches()
    assert not AgentRequest.objects.exists()
    assert set(intake.counted(known=False)) == {("codex", "codex.sse_event"), ("codex", "codex.user_prompt")}

    assert reprocess_unread_events() == 2
    assert tokens() == (40, 60, 0, 7)
    assert AgentSession.objects.get().has_work
    intake.send(request)
    assert tokens() == (40, 60, 0, 7)
    assert intake.counted(known=False) == {}
    assert reprocess_unread_events() == 0


def test_counters_without_a_session_are_listed_and_lose_nothing_else(intake: Intake) -> None:
    intake.send(metrics(counter("codex.turn.token_usage", {"timeUnixNano": str(NOW), "asInt": 5}), resource=CODEX))
    assert intake.counted(known=True) == {("codex", "codex.turn.token_usage"): 1}
    assert not AgentSession.objects.exists()


def test_a_request_whose_tokens_have_other_names_keeps_them_for_the_vocabulary_to_come(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version counts under other names: it is listed, what it cost counts, and no token is lost."""
    renamed = {key.replace("_tokens", "TokenCount"): value for key, value in REQUEST.items()}
    intake.send(logs(log_record({**renamed, "prompt": "a secret"}), log_record({**REQUEST, "request_id": "req_2"})))
    assert tokens() == (100, 1000, 50, 10)
    assert AgentRequest.objects.count() == 2
    assert set(intake.counted(known=False)) == {("claude_code", "api_request")}
    assert reprocess_unread_events() == 0, "the words are still unknown"
    assert set(intake.counted(known=False)) == {("claude_code", "api_request")}

    by_other_names: dict[str, Any] = {
        field.name: value.replace("_tokens", "TokenCount")
        for field in fields(claude_code.REQUEST)
        if isinstance(value := getattr(claude_code.REQUEST, field.name), str)
    }
    newer = replace(claude_code.REQUEST, **by_other_names, expects=frozenset({"inputTokenCount"}))
    words = replace(
        claude_code.CLAUDE_CODE, events={**claude_code.CLAUDE_CODE.events, "api_request": newer}, readings=()
    )
    monkeypatch.setattr(agents, "VOCABULARIES", (words,))
    assert reprocess_unread_events() == 1
    fold_received_batches()
    assert tokens() == (200, 2000, 100, 20)
    assert AgentRequest.objects.count() == 2
    assert not intake.counted(known=False)
    [row] = rows("SELECT count(*) AS n FROM integrations_agent_event WHERE attributes::text LIKE '%secret%'")
    assert row["n"] == 0
