"""What assistants are told: with the official client as reader, and never more than pages and API show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import mcp
import pytest
from django.test import Client
from django.utils import timezone

from config.mcp.protocol import STATELESS, WITH_HANDSHAKE
from insights.catalogue.registry import metrics
from insights.findings.detectors import BY_KEY
from insights.models import Finding
from insights.query import windows
from orgtree.access.access import aggregates_access
from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope, Unit
from tests.org import Org
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.privacy.test_withholding import DIGITS_THAT_TELL, PLANTED, tell_of_teams
from tests.questions.assistant import Assistant
from tests.stored_once import StoreOnce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teams")]
NAMES = ["catalogue", "figure", "series", "rows", "findings", "program"]
EVERYBODY = (EXECUTIVE, MANAGER, MEMBER, ADMIN)


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))) as made:
        yield made


@pytest.mark.parametrize("mode", ["auto", "legacy", STATELESS])
def test_six_tools_that_only_read(mode: str) -> None:
    assistant = Assistant(EXECUTIVE, mode=mode)
    tools = assistant.tools()
    assert [tool.name for tool in tools] == NAMES
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert all(tool.output_schema and tool.description for tool in tools)
    assert {request.method for request in assistant.requests} == {"POST"}


@pytest.mark.parametrize(
    ("persona", "mode"),
    [*((persona, STATELESS) for persona in EVERYBODY), (MANAGER, "legacy")],
    ids=lambda value: value.name if isinstance(value, Persona) else value,
)
def test_every_answer_is_as_its_schema_says(persona: Persona, mode: str) -> None:
    """The client refuses an answer that does not fit the output schema of its tool.

    Who asks decides what an answer holds, and the protocol how it is sent: one persona asks by the older one.
    """
    assistant = Assistant(persona, mode=mode)
    assert assistant.call("catalogue")["metrics"]
    for key in ("ai.tokens", "dora.lead_time", "ai.committed_code_share"):
        assert assistant.call("figure", key=key, unit="platform")["definition"]["formula"]
        assistant.call("series", key=key, unit="platform", granularity="month")
        assistant.call("rows", key=key, unit="platform", size=5)
    assistant.call("findings", size=3)
    assert assistant.call("program", unit="platform")["overview"]["unit"] == "platform"


def test_the_catalogue_has_all_metrics_and_the_units_that_one_may_see() -> None:
    executive, member = Assistant(EXECUTIVE).call("catalogue"), Assistant(MEMBER).call("catalogue")
    assert [metric["key"] for metric in executive["metrics"]] == [metric.key for metric in metrics()]
    assert {unit["slug"] for unit in executive["units"]} == {"engineering", "platform", "search"}
    assert {unit["slug"] for unit in member["units"]} == {"platform"}
    assert executive["today"] == windows.local_today().isoformat()
    assert executive["quarter"]["from"] == executive["previous_quarter"]["to"]
    found = Assistant(EXECUTIVE).call("catalogue", q="deployment frequency")
    assert "dora.deployment_frequency" in {metric["key"] for metric in found["metrics"]}
    assert not Assistant(MEMBER).call("catalogue", q="search")["units"]


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.name)
def test_a_figure_is_the_one_of_its_page(persona: Persona) -> None:
    answer = Assistant(persona).call("figure", key="ai.sessions", unit="platform")
    page = signed_in(persona).get(answer["link"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    if answer["value"] is None:
        assert answer["reason"] in page.content.decode()
    else:
        assert f">{answer['text'].split()[0]}<" in page.content.decode()


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.name)
def test_series_and_rows_are_those_of_the_api(persona: Persona) -> None:
    assistant, reader = Assistant(persona), signed_in(persona)
    for tool, more in (("series", {"granularity": "month"}), ("rows", {"size": 50})):
        about: dict[str, Any] = {"unit": "platform", **more}
        answer = assistant.call(tool, key="ai.tokens", **about)
        shown = reader.get(f"/api/v1/metrics/ai.tokens/{tool}/", about).json()
        moving = {"computed_at", "fresh_until"}
        assert {name: answer[name] for name in shown if name not in moving} == {
            name: value for name, value in shown.items() if name not in moving
        }


def test_findings_are_those_that_one_may_see() -> None:
    for slug in ("platform", "search"):
        Finding.objects.create(
            detector=BY_KEY["pr.pickup_time.change"].key, metric="pr.pickup_time",
            unit=Unit.objects.get(slug=slug), since=date(2026, 8, 3), until=date(2026, 11, 23),
            before=36000, after=72000, low=18000, high=50400, chance=1e-5, sample=160, found_on=date(2026, 11, 20),
            minimum_people=aggregates_access().fewest_shown,
        )  # fmt: skip
    assert {one["unit"] for one in Assistant(EXECUTIVE).call("findings")["findings"]} == {"platform", "search"}
    [own] = Assistant(MEMBER).call("findings")["findings"]
    page = signed_in(MEMBER).get(own["link"].removeprefix("http://localhost:8000")).content.decode()
    assert own["title"] in page
    assert own["detail"] in page


@pytest.mark.parametrize(
    ("persona", "tool", "arguments", "words"),
    [
        (MEMBER, "figure", {"key": "ai.tokens"}, "Add unit= with a unit of yours"),
        (MEMBER, "figure", {"key": "ai.tokens", "unit": "search"}, "There is no unit “search”"),
        (MEMBER, "program", {}, "Add unit= with a unit of yours"),
        (MANAGER, "series", {"key": "ai.tokens", "unit": "search"}, "There is no unit “search”"),
        (EXECUTIVE, "figure", {"key": "ai.nothing"}, "There is no metric “ai.nothing”"),
        (EXECUTIVE, "figure", {}, "figure needs key"),
        (EXECUTIVE, "figure", {"key": "a/../b"}, "There is no key “a/../b”"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "granularity": "week"}, "figure takes no “granularity”"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "from": "last week"}, "“last week” is not a day"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "unit": ["a", "b"]}, "give one value, not a list"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "unit": {"a": 1}}, "unit: give a text"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "unit": "x" * 500}, "at most 400 characters"),
        (EXECUTIVE, "figure", {"key": "ai.tokens", "person": "ada@example.com"}, "person"),
        (EXECUTIVE, "rows", {"key": "ai.tokens", "size": 100_000}, "from 1 to 1,000"),
        (EXECUTIVE, "findings", {"state": "mine"}, "One of: new, acknowledged"),
    ],
)
def test_what_cannot_be_answered_is_said(persona: Persona, tool: str, arguments: dict[str, Any], words: str) -> None:
    assert words in Assistant(persona).refusal(tool, **arguments)


def test_a_token_of_nobody_reads_aggregates_only() -> None:
    nobody = Assistant(None)
    assert nobody.call("figure", key="ai.tokens")["value"] is not None
    assert "has no account" in nobody.refusal("rows", key="ai.tokens")


def test_no_tool_tells_of_few_people() -> None:
    """Grace alone of her team has tokens: whatever is asked, nobody but her is told how many."""
    day = windows.local_today() - timedelta(days=1)
    planted = (PLANTED, PLANTED + 45_678 + 98_761, 45_678, 98_761, 4_567)
    tells = [str(number) for number in planted if len(str(number)) >= DIGITS_THAT_TELL]
    of_days = {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat(), "unit": "search"}
    questions: list[tuple[str, dict[str, Any]]] = [
        *((tool, {"unit": unit}) for tool in ("figure", "series", "rows") for unit in ("search", "engineering")),
        *((tool, about) for tool in ("figure", "series", "rows") for about in ({}, of_days, {"where": ["role=lead"]})),
        *(("series", {"segment": [name]}) for name in ("agent", "model")),
        *((tool, {"facet": ["agent=claude_code"]}) for tool in ("figure", "rows")),
        ("series", {"unit": "search", "granularity": "day"}),
        ("figure", {"unit": "unassigned:teams"}),
    ]

    async def answers(client: mcp.Client) -> list[str]:
        results = [
            await client.call_tool(tool, {"key": key, **about})
            for key in ("ai.tokens", "ai.lines_generated", "ai.spend")
            for tool, about in questions
        ]
        return [one.model_dump_json() for one in [*results, await client.call_tool("program", {"unit": "engineering"})]]

    for persona in EVERYBODY:
        for text in Assistant(persona).run(answers):
            assert not [number for number in tells if number in text], (persona.name, text)
    own = Assistant(OTHER_MEMBER).call("figure", key="ai.tokens", person="me")
    assert own["value"] == PLANTED + 45_678 + 98_761


def test_the_scope_of_the_token_decides() -> None:
    with pytest.raises(Exception):  # noqa: B017  # the client's own error, which has no status
        Assistant(ADMIN, scope=TokenScope.PEOPLE).tools()


def test_what_the_leader_asks_for_stands_in_the_replies() -> None:
    """The leader's prompt (docs/questions.md) needs these answers; each number comes with its words and link."""
    assistant = Assistant(EXECUTIVE)
    quarter = assistant.call("catalogue")["quarter"]
    for key in ("deployment_frequency", "lead_time", "change_failure_rate", "recovery_time", "rework_rate"):
        answer = assistant.call("figure", key=f"dora.{key}", **{"from": quarter["from"], "to": quarter["to"]})
        assert answer["previous"]["to"] <= quarter["from"]
        assert answer["link"].startswith("http")
        assert answer["definition"]["meaning"]
    program = assistant.call("program")
    assert program["bottlenecks"]["bottlenecks"]
    assert {"objectives", "tickets", "overview"} <= set(program)


def post(client: Client, body: object, **headers: str) -> Any:
    return client.post("/mcp", body, content_type="application/json", headers=headers)


def stateless(method: str, version: str = STATELESS, **params: object) -> dict[str, object]:
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **params}}


def test_requests_that_contradict_themselves_are_refused() -> None:
    client = signed_in(MEMBER)
    right = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": "tools/list"}
    assert post(client, stateless("tools/list"), **right).status_code == 200
    cases: list[tuple[object, dict[str, str], int, int]] = [
        (stateless("tools/list"), {**right, "Mcp-Method": "tools/call"}, 400, -32020),
        (stateless("tools/list"), {"Mcp-Method": "tools/list"}, 400, -32020),
        (stateless("tools/list", "2031-01-01"), {**right, "MCP-Protocol-Version": "2031-01-01"}, 400, -32022),
        (stateless("tools/call", name="rows"), {**right, "Mcp-Method": "tools/call", "Mcp-Name": "x"}, 400, -32020),
        (stateless("prompts/list"), {**right, "Mcp-Method": "prompts/list"}, 404, -32601),
        (stateless("initialize"), {**right, "Mcp-Method": "initialize"}, 404, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, right, 400, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, {"MCP-Protocol-Version": "1999-01-01"}, 400, -32022),
        ([stateless("tools/list")], right, 400, -32600),
        ({"id": 1, "method": "tools/list"}, {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "tools/list"}, {}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []}, {}, 400, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete"}}, {}, 400, -32602),
        ("{", {}, 400, -32700),
        ('{"jsonrpc": "2.0", "id": 1, "method": "a\\u0000"}', {}, 400, -32700),
        ("[" * 5000 + "]" * 5000, {}, 400, -32700),
        (" " * 70_000, {}, 413, -32600),
    ]
    for body, headers, status, code in cases:
        response = post(client, body, **headers)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code), (body, response.content)
        is_read = code in (-32020, -32022, -32601)
        assert response.json()["id"] == (1 if is_read else response.json()["id"]), body


@pytest.mark.parametrize("sent", [None, 1.5, 1.0, True, [1], {}])
def test_an_id_is_a_text_or_a_whole_number(sent: object) -> None:
    response = post(signed_in(MEMBER), {"jsonrpc": "2.0", "id": sent, "method": "ping"})
    assert (response.status_code, response.json()["id"], response.json()["error"]["code"]) == (400, None, -32600)
    for known in ("", "a", -1, 0, 2**70):
        assert post(signed_in(MEMBER), {"jsonrpc": "2.0", "id": known, "method": "ping"}).json()["id"] == known


def test_a_token_that_is_over_or_revoked_reads_nothing() -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "catalogue", "arguments": {}}}
    past = timezone.now() - timedelta(minutes=1)
    for change in ({"expires_at": past}, {"revoked_at": past}):
        token, secret = create_api_token("x", user=create_user(EXECUTIVE), scope=TokenScope.READ, expires_at=None)
        sent = {"Authorization": f"Bearer {secret}"}
        assert post(Client(), body, **sent).status_code == 200
        type(token).objects.filter(pk=token.pk).update(**change)
        assert post(Client(), body, **sent).status_code == 401


def test_a_notification_is_taken_and_gets_no_answer() -> None:
    response = post(signed_in(MEMBER), {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (response.status_code, response.content) == (202, b"")


def test_older_clients_get_a_version_that_both_know_and_no_session() -> None:
    for requested, answered in (*((one, one) for one in WITH_HANDSHAKE), ("2024-11-05", WITH_HANDSHAKE[0])):
        opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": requested}}
        response = post(signed_in(MEMBER), opening)
        assert response.json()["result"]["protocolVersion"] == answered
        assert "Mcp-Session-Id" not in response.headers


def test_only_posts_of_this_site_or_of_no_page() -> None:
    client = signed_in(MEMBER)
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert post(client, body).status_code == 200
    assert post(client, body, Origin="http://testserver").status_code == 200
    for origin in ("https://evil.example", "null", "http://testserver.evil.example", "https://testserver"):
        assert post(client, body, Origin=origin).status_code == 403, origin
    assert client.get("/mcp").status_code == 405
    assert client.delete("/mcp").status_code == 405
    assert client.post("/mcp", {"a": "form"}).status_code == 415


def test_a_session_asks_with_its_csrf_token_only() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in(MEMBER).cookies
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert post(strict, body).status_code == 403
    strict.cookies["csrftoken"] = "a" * 32
    assert post(strict, body, **{"X-CSRFToken": "a" * 32}).status_code == 200


def test_visitors_are_refused() -> None:
    response = post(Client(), {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
