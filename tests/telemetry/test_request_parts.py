"""The parts that a request's telemetry names split its spend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insights.engine.read import read_totals
from insights.query.query import Dimension, Query, Window
from integrations.models import AgentRequest
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CHAT, PROGRAM, span
from tests.telemetry.intake import CLAUDE, NOW, REQUEST, Intake, counter, log_record, logs, metrics, point, spans

pytestmark = pytest.mark.django_db
TODAY = datetime.fromtimestamp(NOW / 1e9, UTC).date()
NEW = {**CLAUDE, "service.version": "2.1.222"}


def work(intake: Intake, number: int = 1, resource: dict[str, str] = NEW, **parts: Any) -> AgentRequest:
    named = {name.replace("__", "."): value for name, value in parts.items()}
    intake.send(logs(log_record({**REQUEST, "request_id": f"r{number}", **named}), resource=resource))
    fold_received_batches()
    return AgentRequest.objects.get(key=f"r{number}")


def spend_by(dimension: Dimension) -> dict[str, float | None]:
    window = Window(TODAY - timedelta(days=2), TODAY + timedelta(days=2))
    (answer,) = read_totals([Query("ai.spend_by_part", window, segments=(dimension,))])
    return {figure.segment[dimension]: figure.value for figure in answer.total if figure.value}


def test_spend_is_split_by_every_part_and_the_rest_is_unknown(intake: Intake) -> None:
    parts: dict[str, Any] = {
        "skill__name": "tea",
        "agent__name": "Explore",
        "plugin__name": "kettle",
        "mcp_server__name": "jira",
    }
    work(intake, 1, **parts, effort="high", query_source="repl_main_thread")
    work(intake, 2, effort="low")
    named = {"type": "input", "model": REQUEST["model"], "session.id": "m"}
    intake.send(metrics(counter("claude_code.token.usage", point(100, named))))
    fold_received_batches()
    assert spend_by(Dimension.SKILL).keys() == {"tea", "unknown"}
    assert spend_by(Dimension.SUB_AGENT).keys() == {"Explore", "unknown"}
    assert spend_by(Dimension.MCP_SERVER).keys() == {"jira", "unknown"}
    by_effort = spend_by(Dimension.EFFORT)
    assert by_effort.keys() == {"high", "low", "unknown"}
    assert by_effort["high"] == by_effort["low"]
    window = Window(TODAY - timedelta(days=2), TODAY + timedelta(days=2))
    (whole,) = read_totals([Query("ai.spend", window)])
    assert sum(filter(None, by_effort.values())) == pytest.approx(whole.total[0].value)


@pytest.mark.parametrize(
    ("sent", "provider"),
    [
        ({"model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}, "bedrock"),
        ({"model": "claude-sonnet-4-5@20250929"}, "vertex"),
        ({"model": "claude-sonnet-4-5"}, ""),
        ({"gen_ai__provider__name": "aws.bedrock"}, "bedrock"),
        ({"gen_ai__system": "anthropic"}, "direct"),
        ({"identity__source": "gateway-oidc"}, "gateway"),
        ({"identity__source": "oauth"}, ""),
        ({"gen_ai__provider__name": "Acme AI"}, "acme ai"),
        ({"anthropic__provider": "firstParty"}, "direct"),
        ({"anthropic__provider": "bedrock", "model": "claude-sonnet-4-5"}, "bedrock"),
        ({"anthropic__provider": "vertex"}, "vertex"),
        ({"anthropic__provider": "foundry", "gen_ai__system": "anthropic"}, "azure"),
        ({"anthropic__provider": "firstParty", "model": "us.anthropic.claude-sonnet-4-5"}, "direct"),
    ],
)
def test_the_provider_is_what_telemetry_says(intake: Intake, sent: dict[str, Any], provider: str) -> None:
    assert work(intake, **sent).provider == provider


def test_programs_by_the_conventions_have_parts(intake: Intake) -> None:
    named: dict[str, Any] = {"gen_ai__provider__name": "gcp.vertex_ai", "gen_ai__agent__name": "reviewer"}
    intake.send(spans(span("chat", **CHAT, **named), resource=PROGRAM))
    fold_received_batches()
    request = AgentRequest.objects.get()
    assert (request.provider, request.sub_agent) == ("vertex", "reviewer")


def test_an_old_claude_code_over_attributed_to_mcp_servers(intake: Intake) -> None:
    assert work(intake, resource={**CLAUDE, "service.version": "2.1.221"}, mcp_server__name="jira").mcp_server == ""


@pytest.mark.parametrize("value", ["a" * 121, "Please write\na poem", "nul\x00", 7, True])
def test_a_value_that_is_no_name_is_not_said(intake: Intake, value: Any) -> None:
    assert work(intake, skill__name=value).skill == ""
    assert intake.reasons == []


def test_a_span_beside_the_event_of_a_request_takes_nothing_away(intake: Intake) -> None:
    work(intake, effort="high")
    assert work(intake, query_source="compact").effort == "high"
    assert AgentRequest.objects.get().query_source == "compact"
