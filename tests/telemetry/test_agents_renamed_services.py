"""An agent is recognised by what it says of itself, under whatever service name an organisation gives it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from integrations.models import AgentSession
from integrations.telemetry.agents import vocabulary_of
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.recordings import RecordedRequest, Recordings
from tests.telemetry.agent_records import COPILOT, span, tokens
from tests.telemetry.intake import CLAUDE, PROTOBUF, REQUEST, Intake, log_record, logs, spans
from tests.telemetry.test_agents_other_names import MESSAGES
from tests.telemetry.test_agents_recordings import SLUGS, check_totals

pytestmark = pytest.mark.django_db


def renamed(request: RecordedRequest, service: str, *, keeps_scopes: bool) -> bytes:
    """The request with another service.name, and without names of scopes where these are not kept."""
    body = gzip.decompress(request.body) if request.content_encoding == "gzip" else request.body
    if request.content_type == PROTOBUF:
        message = MESSAGES[request.path]()
        message.ParseFromString(body)
        for resource in message.ListFields()[0][1]:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    attribute.value.string_value = service
            for scope in resource.ListFields()[-1][1] if not keeps_scopes else ():
                scope.scope.name = ""
        sent: bytes = message.SerializeToString()
        return sent
    document = json.loads(body)
    for resource in next(iter(document.values())):
        for attribute in resource["resource"]["attributes"]:
            if attribute["key"] == "service.name":
                attribute["value"] = {"stringValue": service}
        for scope in next(value for name, value in resource.items() if name.startswith("scope")):
            if not keeps_scopes:
                scope.pop("scope", None)
    return json.dumps(document).encode()


@pytest.mark.parametrize("keeps_scopes", [True, False], ids=["scopes", "names alone"])
@pytest.mark.parametrize("agent", SLUGS)
def test_a_collector_that_renames_every_service_loses_nothing(
    recordings: Recordings, intake: Intake, agent: str, keeps_scopes: bool
) -> None:
    runs = recordings.of(agent)
    for run in runs:
        for request in run.requests:
            body = renamed(request, "acme-collector", keeps_scopes=keeps_scopes)
            assert intake.post(request.path, body, request.content_type).status_code == 200
    fold_received_batches()
    assert set(AgentSession.objects.values_list("agent", flat=True)) == {SLUGS[agent]}
    check_totals(agent, runs)


def test_an_agent_is_not_mistaken_for_the_one_whose_service_name_it_bears(intake: Intake) -> None:
    sent = logs(log_record({**REQUEST, "event.name": "claude_code.api_request"}), resource={"service.name": "codex"})
    intake.send(sent)
    assert [session["agent"] for session in intake.sessions] == ["claude_code"]


def test_copilot_s_spans_are_known_by_their_attributes_where_nothing_else_names_it(intake: Intake) -> None:
    resource = {**COPILOT, "service.name": "acme-collector"}
    named: dict[str, Any] = {"gen_ai__usage__input_tokens": 10, "github__copilot__turn_count": 1}
    intake.send(spans(span("chat", **named), resource=resource))
    assert [session["agent"] for session in intake.sessions] == ["copilot"]
    assert tokens() == (10, 0, 0, 0)


@pytest.mark.parametrize("scope", ["", "tests", "codexter", "my.github.copilot", "gemini-cli-extension"])
def test_what_names_itself_like_no_agent_is_read_by_its_service_name(scope: str) -> None:
    assert vocabulary_of(CLAUDE["service.name"], scope=scope).agent == "claude_code"
    assert vocabulary_of("acme-bot", scope=scope, names=["chat gpt-5", "api_request", ""]).agent == "acme_bot"
