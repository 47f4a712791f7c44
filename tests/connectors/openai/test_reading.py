"""OpenAI's reports: rows as documented, and which days and members are asked for.

Buckets of usage and costs, and members:
developers.openai.com/api/reference/resources/admin/subresources/organization/subresources/{usage, users}.  Codex
analytics: developers.openai.com/docs/enterprise/analytics-api, whose fields are those that its clients read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.plan.vendor_usage import VendorUse
from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.openai_server import WORKSPACE, OpenAIServer
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import CredentialRefusedError, SchemaError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.connectors.openai import connector as module
from integrations.connectors.openai.connector import OpenAI
from integrations.connectors.openai.records import normalise_codex_usage, normalise_usage_and_cost
from integrations.enums import Kind, ResourceKind, VendorContent, VendorLevel
from tests.connectors.reading import QUICK, TOKEN, by_id, drafts_of, read_pages

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
DAY = timedelta(days=1)
USAGE: dict[str, Any] = {
    "object": "organization.usage.completions.result",
    "input_tokens": 5000,
    "output_tokens": 1000,
    "input_cached_tokens": 4000,
    "num_model_requests": 5,
    "project_id": "proj_abc",
    "user_id": "user-abc",
    "api_key_id": "key_abc",
    "model": "gpt-5-codex-2025-09-15",
    "batch": None,
}
COST: dict[str, Any] = {
    "object": "organization.costs.result",
    "amount": {"value": 0.06, "currency": "usd"},
    "line_item": "gpt-5-codex, input",
    "project_id": "proj_abc",
}
CODEX: dict[str, Any] = {
    "object": "workspace.codex.usage",
    "start_time": 1773878400,
    "end_time": 1773964800,
    "actor": {"type": "account_user", "user_id": "user-abc", "email": "Ada@example.com"},
    "totals": {"threads": 3, "turns": 9, "credits": 4.5},
    "clients": [
        {
            "client_id": "CODEX_CLI",
            "threads": 2,
            "turns": 7,
            "credits": 4.0,
            "uncached_text_input_tokens": 100,
            "cached_text_input_tokens": 900,
            "text_output_tokens": 50,
        },
        {"client_id": "CODEX_DESKTOP_APP", "threads": 1, "turns": 2, "credits": 0.5},
    ],
    "code_attribution": {"lines_added": 40, "lines_removed": 3},
}


def parts_of(reports: Sequence[VendorReportDraft]) -> list[VendorUsageDraft]:
    (report,) = reports
    assert isinstance(report.usage, ProvidedParts)
    return list(report.usage.parts)


def bill(usage: Sequence[Any], costs: Sequence[Any], **more: Any) -> list[VendorUsageDraft]:
    day = {"day": "2026-03-19", "emails": {"user-abc": "ada@example.com"}}
    return parts_of(normalise_usage_and_cost({**day, "usage": usage, "costs": costs, **more}))


def test_tokens_are_of_people_and_cost_is_of_projects() -> None:
    tokens, cost = bill([USAGE, USAGE], [COST, COST])
    assert (tokens.level, tokens.person, tokens.name) == (VendorLevel.PERSON, Who(email="ada@example.com"), "proj_abc")
    assert (tokens.input_tokens, tokens.cache_read_tokens, tokens.output_tokens) == (2000, 8000, 2000)
    assert (tokens.requests, tokens.model, tokens.cost, tokens.currency) == (10, "gpt-5-codex", None, "")
    assert (cost.level, cost.person, cost.name) == (VendorLevel.PROJECT, None, "proj_abc")
    assert (cost.cost, cost.list_cost, cost.currency) == (Decimal("0.12"), Decimal("0.12"), "USD")
    assert cost.product == "cost: gpt-5-codex, input"
    assert {part.agent for part in (tokens, cost)} == {""}


def test_a_project_of_codex_is_an_agents() -> None:
    assert {part.agent for part in bill([USAGE], [COST], codex_projects=["proj_abc"])} == {"codex"}
    assert {part.agent for part in bill([USAGE], [COST], codex_projects=["proj_ab"])} == {""}


def test_someone_without_an_address_and_a_key() -> None:
    former, key = bill([USAGE | {"user_id": "user-gone"}, USAGE | {"user_id": None}], [])
    assert (former.level, former.person) == (VendorLevel.PERSON, Who(account="user-gone"))
    assert (key.level, key.person, key.name) == (VendorLevel.KEY, None, "proj_abc key_abc")


@pytest.mark.parametrize(
    ("usage", "costs", "named"),
    [
        ([{name: value for name, value in USAGE.items() if name != "input_tokens"}], [], "input_tokens"),
        ([USAGE | {"input_cached_tokens": 6000}], [], "input_cached_tokens"),
        ([], [COST | {"amount": {"currency": "usd"}}], "amount.value"),
        ([], [COST, COST | {"amount": {"value": 1, "currency": "eur"}}], "EUR and USD"),
    ],
)
def test_a_row_that_is_not_as_documented_is_named(usage: list[Any], costs: list[Any], named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        bill(usage, costs)


def codex(*rows: Mapping[str, Any]) -> list[VendorUsageDraft]:
    return parts_of(normalise_codex_usage({"day": "2026-03-19", "rows": list(rows)}))


def test_codex_is_split_by_client() -> None:
    cli, app, lines = codex(CODEX)
    assert {part.person for part in (cli, app, lines)} == {Who(email="ada@example.com")}
    assert (cli.product, cli.sessions, cli.requests, cli.credits) == ("CODEX_CLI", 2, 7, Decimal(4))
    assert (cli.input_tokens, cli.cache_read_tokens, cli.output_tokens) == (100, 900, 50)
    assert (app.product, app.sessions, app.input_tokens) == ("CODEX_DESKTOP_APP", 1, None)
    assert (lines.product, lines.sessions, lines.lines_added, lines.lines_removed) == ("codex", None, 40, 3)


def test_without_clients_the_totals_count_and_nothing_is_no_use() -> None:
    (part,) = codex(CODEX | {"clients": [], "code_attribution": None})
    assert (part.product, part.sessions, part.requests, part.credits) == ("codex", 3, 9, Decimal("4.5"))
    nothing = {"threads": 0, "turns": 0, "credits": 0}
    assert codex(CODEX | {"clients": [], "code_attribution": None, "totals": nothing}) == []
    with pytest.raises(SchemaError, match="totals"):
        codex(CODEX | {"clients": None, "totals": None})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Twenty days of two people, in pages of three days."""
    monkeypatch.setattr(module, "HISTORY", 20)
    usual = VendorUse(TODAY, NOW, "user-1", "codex", "gpt-5-codex", email="ada@example.com", uncached_input=9)
    usual = replace(usual, requests=2, output=10, sessions=1, cost=Decimal("0.5"))
    uses = [
        replace(usual, day=day, known_at=datetime.combine(day + DAY, time(), UTC), account=account, email=email)
        for day in (TODAY - number * DAY for number in range(1, 21))
        for account, email in (("user-1", "ada@example.com"), ("user-2", "ben@example.com"))
    ]
    with OpenAIServer(uses, token=TOKEN, page=3, at=NOW) as openai:
        yield openai


def connector(server: OpenAIServer, product: str, token: str = TOKEN) -> OpenAI:
    settings = {"base_url": server.url, "product": product, "workspace": WORKSPACE}
    return OpenAI(Settings(settings, {"token": token}))


def pages_of(server: OpenAIServer, product: str, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, module.REPORTS[product], product, {})
    server.requests.clear()
    return read_pages(connector(server, product), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


@pytest.mark.parametrize("product", ["platform", "codex"])
def test_everything_is_read_once_and_goes_on_from_any_page(server: OpenAIServer, product: str) -> None:
    pages = pages_of(server, product)
    usual = by_id(drafts_of(pages))
    assert len(usual) == len(drafts_of(pages)) == 20
    people = {part.person for one in usual.values() if isinstance(one, VendorReportDraft) for part in parts_of([one])}
    assert people - {None} == {Who(email="ada@example.com"), Who(email="ben@example.com")}
    for position, page in enumerate(pages[:-1]):
        rest = pages_of(server, product, page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


@pytest.mark.parametrize(("product", "days", "requests"), [("platform", 2, 3), ("codex", 5, 1)])
def test_later_the_last_days_are_read_again(server: OpenAIServer, product: str, days: int, requests: int) -> None:
    drafts = drafts_of(pages_of(server, product, {"until": TODAY.isoformat()}))
    assert [one.day for one in drafts if isinstance(one, VendorReportDraft)] == [
        TODAY - number * DAY for number in range(days, 0, -1)
    ]
    assert len(server.requests) == requests


def test_members_are_read_to_the_end(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMBERS_PER_PAGE", 1)
    pages_of(server, "platform", {"until": TODAY.isoformat()})
    assert [served.path for served in server.requests if "users" in served.path] == [
        "/v1/organization/users?limit=1",
        "/v1/organization/users?limit=1&after=user-1",
    ]


@pytest.mark.parametrize(
    ("where", "value", "path"),
    [
        ("next_page", "page_3", "usage/completions.*page=page_3"),
        ("data.0.results", {}, "usage/completions"),
        ("data.0.start_time", 1700000000, "costs"),
    ],
)
def test_another_page_than_the_requested_one_is_refused(
    server: OpenAIServer, where: str, value: Any, path: str
) -> None:
    server.faults = [Fault(faults.changed(where, value), path=path, times=None)]
    with pytest.raises(TransientError):
        pages_of(server, "platform")


def test_the_check_names_the_report_and_a_wrong_key(server: OpenAIServer) -> None:
    for product, what in {"platform": "Usage and costs", "codex": "Codex usage"}.items():
        of = connector(server, product)
        with ConnectionHttp(of, patience=QUICK) as http:
            assert [(one.what, one.works) for one in of.check(http)] == [(what, True)]
        server.faults = [Fault(faults.forbidden(), times=None)]
        with ConnectionHttp(of, patience=QUICK) as http:
            (refused,) = of.check(http)
        assert not refused.works
        assert module.MAY_READ[product] in refused.remedy
        server.faults = []
    wrong = connector(server, "platform", token="another")
    with ConnectionHttp(wrong, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        wrong.check(http)


def test_products_have_hosts_and_codex_needs_its_workspace() -> None:
    assert OpenAI(Settings({}, {})).base_url == "https://api.openai.com"
    assert OpenAI(Settings({"product": "codex"}, {})).base_url == "https://api.chatgpt.com"
    assert "workspace" in OpenAI.mistakes({"product": "codex"})
    assert OpenAI.mistakes({"product": "codex", "workspace": "ws"}) == OpenAI.mistakes({"product": "platform"}) == {}


def test_the_report_of_codex_is_activity_and_that_of_the_platform_a_bill() -> None:
    (activity,) = normalise_codex_usage({"day": "2026-03-19", "rows": [CODEX]})
    (of_platform,) = normalise_usage_and_cost({"day": "2026-03-19", "usage": [], "costs": []})
    assert (activity.content, of_platform.content) == (VendorContent.ACTIVITY, VendorContent.BILL)


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_costs_are_in_dollars_and_add_up() -> None:
    """langwatch/langwatch 7579: other vendors' are cents, and numbers of JSON are no decimals."""
    rows = [COST | {"amount": {"value": value, "currency": "usd"}} for value in (0.1, 0.2, 1250.5)]
    (cost,) = bill([], rows)
    assert (cost.cost, cost.currency) == (Decimal("1250.8"), "USD")


def test_cached_tokens_are_not_counted_twice() -> None:
    """blueberrycongee/termcanvas 58, continuedev/continue 13104, langfuse/codex-observability-plugin 22."""
    (tokens,) = bill([USAGE], [])
    assert (tokens.input_tokens or 0) + (tokens.cache_read_tokens or 0) == USAGE["input_tokens"]


def test_a_long_history_is_neither_cut_nor_refused(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """superplanehq/superplane 5873: the list is cut after some pages.  langwatch/langwatch 7579: a request for too many
    days is refused, and so are costs by API key from before 6 December 2025.
    """
    monkeypatch.setattr(module, "HISTORY", 100)
    days = [one.day for one in drafts_of(pages_of(server, "platform")) if isinstance(one, VendorReportDraft)]
    assert sorted(days) == [TODAY - number * DAY for number in range(100, 0, -1)]
    queries = [parse_qs(urlsplit(served.path).query) for served in server.requests if "start_time" in served.path]
    assert max(int(query["limit"][0]) for query in queries) <= 31
    costs = [served.path for served in server.requests if "/costs" in served.path]
    assert costs
    assert not any("api_key_id" in path for path in costs)
