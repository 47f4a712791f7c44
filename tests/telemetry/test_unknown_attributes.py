"""Attributes that nobody knows: no text of them is kept, they fill no table, and they cost nobody a record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import AgentSessionDay, DroppedAttribute, RawDay, ReceivedTally, UnreadEvent
from integrations.telemetry.agents.dictionary import set_value_mapping
from integrations.telemetry.otlp import store_tallies
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CHAT, CODEX, PROGRAM, codex_event, span, tokens
from tests.telemetry.intake import ADA, REQUEST, Intake, log_record, logs, rows, spans, stored_text

pytestmark = pytest.mark.django_db


def say(attribute: str, means: str) -> None:
    add_up_tallies()
    set_value_mapping(UnreadEvent.objects.filter(attribute=attribute)[0], means)
    reprocess_unread_events()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reviewer", "heliotrope@example.com"),
        ("modelOwner", "heliotrope@example.com"),
        ("modelCache", "/home/heliotrope/models"),
        ("apiKey", "heliotrope-0123456789"),
        ("authorization", "heliotrope"),
        ("response", "heliotrope"),  # a name of content, with one word
        ("words", {"arrayValue": {"values": [{"stringValue": word} for word in ("grow", "a", "heliotrope")]}}),
        ("todo", {"kvlistValue": {"values": [{"key": "grow a heliotrope", "value": {"boolValue": True}}]}}),
        ("grow a heliotrope", 1),
        ("heliotrope@example.com", 1),
    ],
)
@pytest.mark.parametrize("event", ["api_request", "odd"])
def test_no_text_is_kept_in_values_or_names(intake: Intake, event: str, name: str, value: Any) -> None:
    intake.send(logs(log_record({**REQUEST, "event.name": event, "turns": 3, name: value})))
    fold_received_batches()
    add_up_tallies()
    assert "heliotrope" not in stored_text()
    assert '"turns": 3' in intake.events[0]["attributes"]


def test_no_request_is_too_much_for_the_lists(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request with hundreds of names, and not one name after the other."""
    monkeypatch.setattr(store_tallies, "MOST_LISTED", 20)
    records = [
        log_record({**REQUEST, "request_id": f"req_{turn}", f"turn.{turn}": turn, f"said.{turn}": "two words"})
        for turn in range(100)
    ]
    intake.send(logs(*records, log_record({**REQUEST, "request_id": "again", "turn.7": 1, "said.7": "two words"})))
    assert ReceivedTally.objects.count() <= 20 + 2
    add_up_tallies()
    intake.send(logs(log_record({**REQUEST, "request_id": "req_others", "turn.others": 1, "said.others": "two words"})))
    add_up_tallies()
    for listed in (UnreadEvent.objects, DroppedAttribute.objects):
        assert listed.count() <= 20 + 1
        assert listed.filter(name="(others)").exists()
    assert UnreadEvent.objects.get(attribute="turn.7").count == 2, "the most frequent are listed"
    assert sum(UnreadEvent.objects.values_list("count", flat=True)) == 102 + 102, "those with texts are unknown, too"


def test_an_unknown_attribute_is_one_row_whatever_carries_it(intake: Intake) -> None:
    for number, name in enumerate(("api_request", "api_error", "tool_result", "user_prompt")):
        intake.send(logs(log_record({**REQUEST, "event.name": name, "request_id": f"r{number}", "brand.new": number})))
        add_up_tallies()
    [listed] = UnreadEvent.objects.filter(agent="claude_code")
    assert (listed.attribute, listed.name, listed.signal, listed.count, listed.known) == ("brand.new", "", "", 4, False)


def test_a_record_with_hundreds_of_unknown_attributes_counts(intake: Intake) -> None:
    numbers = {f"attribute_with_quite_a_long_name_of_its_own_{number:03}_{'x' * 100}": number for number in range(400)}
    intake.send(logs(log_record({**REQUEST, **numbers})))
    assert intake.reasons == []
    assert tokens() == (100, 1000, 50, 10)
    add_up_tallies()
    assert UnreadEvent.objects.count() == 50


def test_an_event_that_names_itself_under_another_name_is_read_again(intake: Intake) -> None:
    attributes = {("eventNamed" if name == "event.name" else name): value for name, value in REQUEST.items()}
    intake.send(logs(log_record(attributes)))
    assert tokens() == (0, 0, 0, 0)
    say("eventNamed", "event.name")
    assert tokens() == (100, 1000, 50, 10)


def test_an_event_of_codex_that_names_itself_under_another_name_is_read_again(intake: Intake) -> None:
    """Lines of its own log have no event's name either, and are not kept."""
    event = codex_event("sse_event", input_token_count=100, output_token_count=7)
    event["attributes"][0]["key"] = "eventNamed"
    line_of_log = log_record({"code.line.number": 7, "eventNamed": "odd"})
    intake.send(logs(event, line_of_log, resource=CODEX))
    assert len(intake.events) == 1
    say("eventNamed", "event.name")
    assert tokens() == (100, 0, 0, 7)


@pytest.mark.parametrize("lines", ["many", -5, 10**15, 0.5])
def test_who_sends_a_name_of_ours_spoils_nothing(intake: Intake, lines: object) -> None:
    """The number of a patch's lines stands under such a name among what is kept."""
    result = codex_event("tool_result", tool_name="apply_patch", call_id="c", success="true")
    intake.send(logs(codex_event("tool_result", **{"(lines added)": lines}), result, resource=CODEX))
    patch = {"tool_name": "apply_patch", "call_id": "d", "success": "true", "(lines added)": lines}
    intake.send(logs(codex_event("tool_result", **patch), resource=CODEX))
    assert intake.points == []
    assert len(intake.events) == 3


def test_what_turns_out_to_be_no_request_is_taken_off_its_day(intake: Intake) -> None:
    """A span of Claude Code that says under another name that it failed."""
    names: dict[str, Any] = {name.replace(".", "__"): value for name, value in ADA.items()}
    sent = span(None, **names, request_id="r", wentWell=False)
    intake.send(spans({**sent, "name": "claude_code.llm_request"}))
    fold_received_batches()
    assert AgentSessionDay.objects.get().requests == 1
    say("wentWell", "success")
    fold_received_batches()
    assert not AgentSessionDay.objects.exists()


def test_figures_of_expired_rows_stay(intake: Intake) -> None:
    key = {"gen_ai__response__id": "resp_1"}
    intake.send(spans(span("chat", 1, **CHAT, **key), resource=PROGRAM))
    assert tokens() == (10, 60, 30, 9)
    for _ in rows("DELETE FROM integrations_agent_event RETURNING (at AT TIME ZONE 'UTC')::date"):
        RawDay.objects.update(closed_at=timezone.now())
    late: dict[str, Any] = {"gen_ai__usage__output_tokens": 3, "cached": 0}
    intake.send(spans(span("chat", 2, **late, **key), resource=PROGRAM))
    fold_received_batches()
    say("cached", "gen_ai.usage.cache_read.input_tokens")
    assert tokens() == (10, 60, 30, 9)


def test_what_is_read_again_expires_no_later(intake: Intake) -> None:
    intake.send(logs(log_record({**REQUEST, "took": 5})))
    fold_received_batches()
    received = timezone.now() - timedelta(days=20)
    RawDay.objects.update(last_received_at=received)
    say("took", "duration_ms")
    fold_received_batches()
    assert set(RawDay.objects.values_list("last_received_at", flat=True)) == {received}
    intake.send(logs(log_record({**REQUEST, "request_id": "req_2"})))
    fold_received_batches()
    assert RawDay.objects.get().last_received_at > received


def test_a_word_has_one_meaning_wherever_it_is_listed(intake: Intake) -> None:
    result = {**ADA, "event.name": "tool_result", "tool_use_id": "t1", "tool_name": "Bash", "success": "true"}
    intake.send(logs(log_record({**REQUEST, "took": 5}), log_record({**result, "took": 6})))
    say("took", "duration_ms")
    assert set(UnreadEvent.objects.filter(attribute="took").values_list("means", "known")) == {("duration_ms", True)}
    say("took", "")
    assert set(UnreadEvent.objects.filter(attribute="took").values_list("means", "known")) == {("", False)}


def test_an_administrator_has_what_was_kept_of_an_agent_read_again(intake: Intake, admin_client: Client) -> None:
    intake.send(
        logs(log_record({**REQUEST, "mood": 3})),
    )
    intake.send(spans(span("chat", mood=3, **CHAT), resource=PROGRAM))
    add_up_tallies()
    reprocess_unread_events()
    chosen = UnreadEvent.objects.filter(agent="claude_code")
    assert not UnreadEvent.objects.filter(tried_with="").exists()
    answer = admin_client.post(
        reverse("admin:integrations_unreadevent_changelist"),
        {"action": "read_what_was_kept", "_selected_action": [row.pk for row in chosen]},
    )
    assert answer.status_code == 302
    assert set(UnreadEvent.objects.filter(tried_with="").values_list("agent", flat=True)) == {"claude_code"}
