"""A version of an agent that calls things otherwise: kept, listed as not understood, and nothing lost.

Each recording is sent with one of its names changed, as the agent's next version might.  What is listed then is what an
administrator says the meaning of; after that the recording's totals must be those that are true, to the last token.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from integrations.models import AgentRequest, UnreadEvent
from integrations.telemetry import agents
from integrations.telemetry.agents import claude_code
from integrations.telemetry.agents.dictionary import UnknownMeaningError, set_value_mapping
from integrations.telemetry.agents.events import Measure
from integrations.telemetry.agents.vocabulary import NOTHING, Metric
from integrations.telemetry.otlp import store_tallies
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.recordings import RecordedRequest, Recording, Recordings
from tests.telemetry.agent_records import CHAT, PROGRAM, span, tokens
from tests.telemetry.intake import (
    ADA,
    CLAUDE,
    PROTOBUF,
    REQUEST,
    Intake,
    counter,
    log_record,
    logs,
    metrics,
    point,
    rows,
    spans,
    stored_text,
)
from tests.telemetry.test_agents_recordings import SLUGS, check_totals

pytestmark = pytest.mark.django_db

MESSAGES: dict[str, Callable[[], Any]] = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}
# What each agent's figures, sessions, models, tools and outcomes are read from.
ATTRIBUTES = {
    "claude-code": (
        *("session.id", "model", "request_id", "input_tokens", "output_tokens", "cache_read_tokens"),
        *("cache_creation_tokens", "cost_usd", "tool_name", "tool_use_id", "success", "type"),
    ),
    "codex": (
        *("conversation.id", "model", "input_token_count", "output_token_count", "cached_token_count"),
        *("cache_write_token_count", "tool_name", "call_id", "success"),
    ),
    "gemini-cli": (
        *("model", "input_token_count", "output_token_count", "cached_content_token_count"),
        *("thoughts_token_count", "tool_token_count", "function_name", "success", "type"),
    ),
    "copilot-cli": (
        *("gen_ai.conversation.id", "gen_ai.operation.name", "gen_ai.usage.input_tokens"),
        *("gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens"),
        *("gen_ai.usage.cache_write.input_tokens", "gen_ai.tool.name", "gen_ai.tool.call.id", "process.exit.code"),
    ),
}
NAMES = {
    "claude-code": ("api_request", "tool_result", "claude_code.token.usage", "claude_code.lines_of_code.count"),
    "codex": ("codex.sse_event", "codex.tool_result"),
    "gemini-cli": ("gemini_cli.api_response", "gemini_cli.tool_call", "gemini_cli.lines.changed"),
    "copilot-cli": ("github.copilot.code.lines_added",),
}
LATER = "renamed_"


def cases(names: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(agent, name) for agent, of_agent in names.items() for name in of_agent]


def renamed(sent: Any, names: set[str]) -> Any:
    """The request with these attributes, events and metrics called otherwise, in resources as well."""
    for field in ("key", "name") if isinstance(sent, dict) else ():
        if sent.get(field) in names:
            sent[field] = LATER + sent[field]
    if isinstance(sent, dict):
        if sent.get("key") == "event.name" and sent["value"].get("stringValue") in names:
            sent["value"]["stringValue"] = LATER + sent["value"]["stringValue"]
        if (
            isinstance(sent.get("body"), dict)
            and (body := str(sent["body"].get("stringValue"))).split(".")[-1] in names
        ):
            sent["body"]["stringValue"] = LATER + body
    for element in sent.values() if isinstance(sent, dict) else sent if isinstance(sent, list) else ():
        renamed(element, names)
    return sent


def renamed_body(request: RecordedRequest, names: set[str]) -> bytes:
    body = gzip.decompress(request.body) if request.content_encoding == "gzip" else request.body
    if request.content_type != PROTOBUF:
        return json.dumps(renamed(json.loads(body), names)).encode()
    message = MESSAGES[request.path]()
    message.ParseFromString(body)
    for resource in message.ListFields()[0][1]:
        for attribute in resource.resource.attributes:
            _rename_key(attribute, names)
        for scope in resource.ListFields()[-1][1]:
            for record in scope.ListFields()[-1][1]:
                _rename_record(record, names)
    sent: bytes = message.SerializeToString()
    return sent


def _rename_record(record: Any, names: set[str]) -> None:
    if getattr(record, "name", "") in names:
        record.name = LATER + record.name
    for attribute in getattr(record, "attributes", ()):
        _rename_key(attribute, names)
        if attribute.key == "event.name" and attribute.value.string_value in names:
            attribute.value.string_value = LATER + attribute.value.string_value
    kind = record.WhichOneof("data") if hasattr(record, "sum") else None
    for sent in getattr(record, kind).data_points if kind else ():
        for attribute in sent.attributes:
            _rename_key(attribute, names)


def _rename_key(attribute: Any, names: set[str]) -> None:
    if attribute.key in names:
        attribute.key = LATER + attribute.key


def send(intake: Intake, runs: list[Recording], names: set[str]) -> None:
    for run in runs:
        for request in run.requests:
            answer = intake.post(request.path, renamed_body(request, names), request.content_type)
            assert answer.status_code == 200
    fold_received_batches()
    add_up_tallies()


def shortest_with(runs: list[Recording], name: str) -> list[Recording]:
    """The run of the fewest requests in which that name stands."""

    def stands_in(run: Recording) -> bool:
        return any(renamed_body(request, {name}) != renamed_body(request, set()) for request in run.requests)

    return [next(run for run in sorted(runs, key=lambda run: len(run.requests)) if stands_in(run))]


def teach(names: set[str]) -> None:
    """Say of each word on the list what it means, as an administrator would."""
    taught = set()
    add_up_tallies()
    for unread in UnreadEvent.objects.filter(known=False):
        word = unread.attribute or unread.name
        if LATER in word:
            means = word.replace(LATER, "")
            if not unread.attribute and unread.signal == "logs":
                means = means.removeprefix("codex.").removeprefix("gemini_cli.")
            set_value_mapping(unread, means)
            taught.add(word)
    assert taught, f"{names} are not listed"
    reprocess_unread_events()
    fold_received_batches()


@pytest.mark.parametrize(("agent", "name"), cases(ATTRIBUTES))
def test_an_attribute_of_another_name_is_listed_and_read_again(
    recordings: Recordings, intake: Intake, agent: str, name: str
) -> None:
    runs = shortest_with(recordings.of(agent), name)
    send(intake, runs, {name})
    listed = set(UnreadEvent.objects.filter(known=False, agent=SLUGS[agent]).values_list("attribute", flat=True))
    assert LATER + name in listed
    teach({name})
    check_totals(agent, runs)
    assert not UnreadEvent.objects.filter(known=False, agent=SLUGS[agent]).exists()


@pytest.mark.parametrize(("agent", "name"), cases(NAMES))
def test_an_event_or_metric_of_another_name_is_listed_and_read_again(
    recordings: Recordings, intake: Intake, agent: str, name: str
) -> None:
    runs = shortest_with(recordings.of(agent), name)
    send(intake, runs, {name})
    teach({name})
    check_totals(agent, runs)
    assert not UnreadEvent.objects.filter(known=False, agent=SLUGS[agent]).exists()


@pytest.mark.parametrize("agent", ATTRIBUTES)
def test_a_version_in_which_every_attribute_has_another_name_loses_nothing(
    recordings: Recordings, intake: Intake, agent: str
) -> None:
    runs = recordings.of(agent)
    names = {*ATTRIBUTES[agent]}
    send(intake, runs, names)
    teach(names)
    check_totals(agent, runs)
    # The same records again, now that their words are known, are the same records.
    send(intake, runs, names)
    check_totals(agent, runs)


@pytest.mark.parametrize("agent", ATTRIBUTES)
def test_the_recordings_themselves_are_understood_wholly(recordings: Recordings, intake: Intake, agent: str) -> None:
    send(intake, recordings.of(agent), set())
    assert not UnreadEvent.objects.filter(known=False).values_list("agent", "signal", "name", "attribute")
    assert rows("SELECT name FROM integrations_agent_event WHERE attributes IS NOT NULL") == []


@pytest.mark.parametrize("name", [name.replace("__", ".") for name in CHAT])
def test_a_program_s_attribute_of_another_name_is_listed_and_read_again(intake: Intake, name: str) -> None:
    """Input without its cached part would count as uncached, and must not after the part is known."""
    called = {key: value for key, value in CHAT.items() if key.replace("__", ".") != name}
    renamed_one = {LATER + name.replace(".", "__"): CHAT[name.replace(".", "__")]}
    intake.send(spans(span("chat", 1, **called, **renamed_one), resource=PROGRAM))
    fold_received_batches()
    add_up_tallies()
    assert LATER + name in UnreadEvent.objects.values_list("attribute", flat=True)
    teach({name})
    assert tokens() == (10, 60, 30, 9)
    assert AgentRequest.objects.get().model == CHAT["gen_ai__request__model"]
    intake.send(spans(span("chat", 1, **called, **renamed_one), resource=PROGRAM))
    assert tokens() == (10, 60, 30, 9)


def test_a_request_received_twice_is_completed_where_one_record_was_understood_in_part(intake: Intake) -> None:
    """One of them knows the cached part of the prompt: the input of the other is all of it, and no more."""
    response = {"gen_ai__response__id": "resp_1"}
    in_part = {LATER + name if "cache" in name else name: value for name, value in CHAT.items()}
    intake.send(spans(span("chat", 1, **CHAT, **response), resource=PROGRAM))
    intake.send(spans(span("chat", 2, **in_part, **response), resource=PROGRAM))
    assert tokens() == (10, 60, 30, 9)
    teach({"cached tokens"})
    assert tokens() == (10, 60, 30, 9)
    assert AgentRequest.objects.count() == 1


def test_a_value_that_nobody_knows_keeps_its_point(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    request = counter("claude_code.token.usage", point(70, {"type": "cacheReadOfAnHour", "model": "claude-sonnet-4-5"}))
    intake.send(metrics(request))
    assert tokens() == (0, 0, 0, 0)
    assert intake.counted(known=False) == {("claude_code", "claude_code.token.usage"): 1}
    words = claude_code.CLAUDE_CODE.metrics["claude_code.token.usage"]
    assert isinstance(words, Metric)
    newer = replace(words, measures={**words.measures, "cacheReadOfAnHour": Measure.CACHE_READ_TOKENS})
    later = replace(claude_code.CLAUDE_CODE, metrics={"claude_code.token.usage": newer})
    monkeypatch.setattr(agents, "VOCABULARIES", (later,))
    assert reprocess_unread_events() == 1
    assert tokens() == (0, 70, 0, 0)
    intake.send(metrics(request))
    assert tokens() == (0, 70, 0, 0)
    assert reprocess_unread_events() == 0


def test_numbers_and_words_are_kept_of_what_nobody_knows_and_no_text(intake: Intake) -> None:
    texts = {
        "whatWasAsked": "rewrite the heliotrope",
        "promptWord": "heliotrope",
        "fileTouched": "heliotrope.py",
        "touched": "src/heliotrope.py",
        "shell": "rm -r heliotrope",
        "lines": "a\nheliotrope",
        "windowsPlace": "C:\\heliotrope",
        "outputText": "heliotrope",
    }
    plain = {"turnsTaken": 7, "share": 0.25, "isSubagent": True, "digits": "42", "modelOfRouter": "vendor/some-model-1"}
    intake.send(logs(log_record({**REQUEST, **texts, **plain}), log_record({**ADA, "event.name": "odd", **texts})))
    [read, whole] = sorted(intake.events, key=lambda stored: stored["kind"])
    assert "heliotrope" not in stored_text()
    assert json.loads(read["attributes"]).items() >= plain.items()
    add_up_tallies()
    listed = set(UnreadEvent.objects.exclude(attribute="").values_list("attribute", flat=True))
    assert listed == {*texts, *plain}
    assert set(intake.dropped) == set(texts)
    assert whole["name"] == "odd"


def test_what_the_organisation_adds_to_every_record_is_no_news(intake: Intake) -> None:
    """OTEL_RESOURCE_ATTRIBUTES are copied onto every record."""
    own = {"department": "search", "team.id": "7"}
    intake.send(logs(log_record({**REQUEST, **own}), resource={**CLAUDE, **own}))
    assert intake.counted(known=False) == {}
    assert intake.events[0]["attributes"] is None


def test_somebody_who_puts_numbers_into_names_fills_no_list(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_tallies, "MOST_LISTED", 5)
    for number in range(12):
        intake.send(logs(log_record({**REQUEST, "request_id": f"req_{number}", f"turn.{number}": number})))
        add_up_tallies()
    listed = UnreadEvent.objects.filter(agent="claude_code")
    assert listed.count() == 6
    assert listed.get(name="(others)").count == 7
    assert tokens() == (1200, 12_000, 600, 120)


def test_an_administrator_says_what_a_word_means(intake: Intake, admin_client: Client) -> None:
    later = {("inputTokenCount" if name == "input_tokens" else name): value for name, value in REQUEST.items()}
    intake.send(logs(log_record(later)))
    assert tokens() == (0, 1000, 50, 10)
    page = admin_client.get(reverse("admin:integrations_unreadevent_changelist")).content.decode()
    assert "inputTokenCount" in page
    unread = UnreadEvent.objects.get(attribute="inputTokenCount")
    form = reverse("admin:integrations_unreadevent_change", args=[unread.pk])
    assert "cache_creation_tokens" in admin_client.get(form).content.decode()
    refused = admin_client.post(form, {"means": "gibberish"})
    assert "is not one of the available choices" in refused.content.decode()
    assert admin_client.post(form, {"means": "input_tokens"}).status_code == 302
    reprocess_unread_events()
    assert tokens() == (100, 1000, 50, 10)
    unread.refresh_from_db()
    assert unread.known
    # What comes from now on is read at once.
    intake.send(logs(log_record({**later, "request_id": "req_2"})))
    assert tokens() == (200, 2000, 100, 20)
    assert intake.counted(known=False) == {}


def test_a_word_that_means_nothing_is_no_longer_listed(intake: Intake) -> None:
    intake.send(logs(log_record({**REQUEST, "mood": 3}), log_record({**ADA, "event.name": "odd"})))
    add_up_tallies()
    for unread in UnreadEvent.objects.all():
        set_value_mapping(unread, NOTHING)
    reprocess_unread_events()
    intake.send(logs(log_record({**REQUEST, "mood": 4}), log_record({**ADA, "event.name": "odd", "n": 1})))
    assert intake.counted(known=False) == {}
    with pytest.raises(UnknownMeaningError):
        set_value_mapping(UnreadEvent.objects.filter(attribute="mood").get(), "no such word")
