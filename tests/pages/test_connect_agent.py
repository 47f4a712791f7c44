"""Connecting an agent: the lines to paste, tokens, and whether anything arrives."""

from __future__ import annotations

import html
import json
import re
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from insights.pages.integrations.agent_settings import (
    AGENTS,
    any_program,
    claude_code,
    codex,
    copilot,
    gemini,
    resource_attributes,
)
from insights.query import windows
from integrations.models import IngestToken, UnreadEvent
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, find_ingest_token
from tests.org import Org
from tests.personas import MEMBER

PAGE = "/setup/agents/"
BASE_URL = "https://headway.example.com"


def token_in(page: str) -> str:
    match = re.search(r'id="ingest-token">([^<]+)<', page)
    assert match
    return html.unescape(match[1])


def test_the_shell_lines_are_what_a_shell_reads() -> None:
    shell, settings, managed, *_ = claude_code(BASE_URL, "hwi_abc", "o'neil+x%y@example.com")
    variables = dict(word.split("=", 1) for word in shlex.split(shell.text) if "=" in word)
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == BASE_URL
    assert variables["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Bearer hwi_abc"
    assert variables["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    assert variables["OTEL_RESOURCE_ATTRIBUTES"] == "enduser.id=o'neil+x%25y@example.com"
    for snippet in (settings, managed):
        env = json.loads(snippet.text)["env"]
        assert env.items() <= variables.items()
        assert "OTEL_METRIC_EXPORT_INTERVAL" not in env
        assert {env["OTEL_METRICS_INCLUDE_REPOSITORY"], env["OTEL_LOG_TOOL_DETAILS"]} == {"1"}
    for snippet in (shell, settings, managed):
        assert any("commands" in sentence and "drops them" in sentence for sentence in snippet.where)


def test_the_wrapper_names_the_repository_and_branch(tmp_path: Path) -> None:
    wrapper = next(snippet for snippet in claude_code(BASE_URL, "t", "ada@example.com") if snippet.key == "wrapper")
    program = tmp_path / "claude"
    program.write_text('#!/bin/sh\necho "$OTEL_RESOURCE_ATTRIBUTES $*"\n')
    program.chmod(0o755)
    script = f"""
        git init -q -b SHOP-1-tea,milk {tmp_path}/shop && cd {tmp_path}/shop
        git remote add origin https://ada:s3cret@github.com/acme/shop.git
        PATH={tmp_path}:$PATH
        {wrapper.text}
        claude -p tea
    """
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said == (
        "enduser.id=ada@example.com,vcs.repository.url.full=https://github.com/acme/shop.git,"
        "vcs.ref.head.name=SHOP-1-tea%2Cmilk -p tea\n"
    )


@given(st.emails())
def test_an_address_survives_its_encoding(email: str) -> None:
    from opentelemetry.util.re import parse_env_headers

    encoded = resource_attributes(email)
    assert not set(' ",;\\') & set(encoded)
    # The headers' variable has the same format, and the SDK a reader for it; it lowers names, not values.
    assert parse_env_headers(encoded, liberal=True) == {"enduser.id": email}


def test_the_lines_of_a_snippet_are_its_text() -> None:
    for agent in AGENTS:
        for snippet in agent.snippets(BASE_URL, "hwi_abc", "ada@example.com") if agent.snippets else ():
            assert "\n".join("".join(line) for line in snippet.lines) == snippet.text


def test_codex_settings_are_toml() -> None:
    import tomllib

    config, _, _ = codex(BASE_URL, 'hwi_"quoted"', "ada@example.com")
    otel = tomllib.loads(config.text)["otel"]
    assert otel["exporter"]["otlp-http"]["endpoint"] == f"{BASE_URL}/v1/logs"
    assert otel["exporter"]["otlp-http"]["headers"] == {"Authorization": 'Bearer hwi_"quoted"'}
    assert set(otel) == {"exporter", "log_user_prompt"}


def test_the_settings_of_gemini_keep_prompts_out() -> None:
    settings, shell, _ = gemini(BASE_URL, "hwi_abc", "ada@example.com")
    telemetry = json.loads(settings.text)["telemetry"]
    assert (telemetry["otlpEndpoint"], telemetry["otlpProtocol"], telemetry["target"]) == (BASE_URL, "http", "local")
    assert (telemetry["logPrompts"], telemetry["traces"]) == (False, False)
    variables = dict(word.split("=", 1) for word in shlex.split(shell.text) if "=" in word)
    assert variables["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Bearer hwi_abc"


def test_copilot_has_settings_for_the_terminal_and_for_the_editor() -> None:
    terminal, editor, _ = copilot(BASE_URL, "hwi_abc", "ada@example.com")
    variables = dict(word.split("=", 1) for word in shlex.split(terminal.text) if "=" in word)
    assert variables["COPILOT_OTEL_ENABLED"] == "true"
    assert variables["OTEL_RESOURCE_ATTRIBUTES"] == "enduser.id=ada@example.com"
    settings = json.loads(editor.text)
    prefix = "github.copilot.chat.otel."
    assert settings[f"{prefix}headers"] == {"Authorization": "Bearer hwi_abc"}
    assert settings[f"{prefix}resourceAttributes"] == {"enduser.id": "ada@example.com"}
    assert settings[f"{prefix}captureContent"] is False


def test_any_program_gets_the_settings_that_every_sdk_reads() -> None:
    (shell,) = any_program(BASE_URL, "hwi_abc", "ada@example.com")
    variables = dict(word.split("=", 1) for word in shlex.split(shell.text) if "=" in word)
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == BASE_URL
    assert variables["OTEL_SEMCONV_STABILITY_OPT_IN"] == "gen_ai_latest_experimental"


@pytest.mark.parametrize("slug", [agent.slug for agent in AGENTS])
def test_every_agent_has_an_honest_page(member: Client, slug: str) -> None:
    page = member.get(PAGE, {"agent": slug}).content.decode()
    agent = next(agent for agent in AGENTS if agent.slug == slug)
    assert html.escape(agent.note) in page
    assert ("<pre" in page) == (agent.snippets is not None)


def test_an_unknown_agent_is_not_found(member: Client) -> None:
    assert member.get(PAGE, {"agent": "nobody"}).status_code == 404


def test_the_lines_name_the_signed_in_person(member: Client) -> None:
    assert f"enduser.id={MEMBER.email}" in member.get(PAGE).content.decode()


def test_an_admin_makes_a_token_that_works_and_is_shown_once(admin: Client) -> None:
    answer = admin.post(PAGE, {"name": "Payments"})
    secret = token_in(answer.content.decode())
    assert f"Bearer {secret}" in html.unescape(answer.content.decode())
    assert find_ingest_token(secret) is not None
    assert "no-store" in answer["Cache-Control"]
    later = admin.get(PAGE).content.decode()
    assert secret not in later
    assert "Payments" in later


def test_a_replaced_token_stops(admin: Client) -> None:
    token, old = create_ingest_token("Laptops")
    new = token_in(admin.post(PAGE, {"replace": token.pk}).content.decode())
    assert find_ingest_token(old) is None
    assert find_ingest_token(new) is not None
    assert list(IngestToken.objects.filter(revoked_at=None).values_list("name", flat=True)) == ["Laptops"]


@pytest.mark.parametrize("fields", [{"name": "Mine"}, {"replace": "1"}])
def test_members_make_no_tokens(member: Client, fields: dict[str, str]) -> None:
    create_ingest_token("Laptops")
    assert member.post(PAGE, fields).status_code == 403
    assert IngestToken.objects.count() == 1
    assert "Create a token" not in member.get(PAGE).content.decode()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines"])
def test_a_token_needs_a_name(admin: Client, name: str) -> None:
    answer = admin.post(PAGE, {"name": name})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not IngestToken.objects.exists()


@pytest.mark.parametrize("token", ["0", "x", "-1", "99999999999999999999999", "١"])
def test_replacing_what_is_not_there_is_not_found(admin: Client, token: str) -> None:
    assert admin.post(PAGE, {"replace": token}).status_code == 404


def test_the_first_event_turns_the_line_green(org: Org, member: Client) -> None:
    waiting = member.get("/setup/agents/arrival/").content.decode()
    assert 'data-arrived="false"' in waiting
    assert "No ingest token" in waiting
    org.session(by="grace", on=windows.local_today() - timedelta(days=1))
    arrived = member.get("/setup/agents/arrival/").content.decode()
    assert 'data-arrived="true"' in arrived
    assert f"none yet from {MEMBER.email}" in arrived
    assert "A valid token is in use" in arrived
    org.session(by="ada", on=windows.local_today() - timedelta(days=1))
    assert "Your Claude Code sessions are arriving" in member.get("/setup/agents/arrival/").content.decode()
    other = member.get("/setup/agents/arrival/", {"agent": "codex"}).content.decode()
    assert f"none yet from {MEMBER.email} with Codex" in other
    assert "?agent=codex" in other


def test_home_says_what_is_left_to_set_up(org: Org, admin: Client, member: Client) -> None:
    assert 'hx-get="/home/health/"' in admin.get("/?home=page").content.decode()
    assert "No request yet" in admin.get("/home/health/").content.decode()
    assert "Health" not in member.get("/").content.decode()
    org.session(by="ada", on=windows.local_today() - timedelta(days=1))
    org.fold()
    assert "Last request" in admin.get("/home/health/", headers={"HX-Request": "true"}).content.decode()
    assert 'data-tile="ai.active_developers"' in admin.get("/?home=page").content.decode()


def test_telemetry_that_nobody_reads_yet_is_not_called_sessions(member: Client) -> None:
    now = timezone.now()
    UnreadEvent.objects.create(
        agent="codex_exec", signal="logs", name="codex.api_request", count=3, first_at=now, last_at=now
    )
    line = member.get("/setup/agents/arrival/").content.decode()
    assert 'data-arrived="false"' in line
    assert "Telemetry arrives and is kept" in line
    assert "3 records of codex_exec" in line
    assert "that Headway cannot read yet: codex.api_request" in line
