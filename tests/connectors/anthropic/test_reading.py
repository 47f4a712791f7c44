"""Anthropic's reports: which days are asked for, whatever fails on the way, and what a key may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.plan.vendor_usage import VendorUse
from demo.providers import faults
from demo.providers.anthropic_server import AnthropicServer
from demo.providers.faults import Fault
from integrations.connectors.anthropic import connector as module
from integrations.connectors.anthropic.connector import Anthropic
from integrations.connectors.anthropic.records import normalise_spend_limits
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, Who
from integrations.connectors.errors import CredentialRefusedError, SchemaError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind, VendorContent
from tests.connectors.reading import QUICK, TOKEN, by_id, drafts_of, read_pages

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
DAY = timedelta(days=1)


def use(days_ago: int, **changed: Any) -> VendorUse:
    day = TODAY - days_ago * DAY
    known_at = datetime.combine(day + DAY, time(), UTC)
    usual = VendorUse(day, known_at, "user_1", "claude_code", "claude-sonnet-4-5", email="ada@example.com")
    usual = replace(usual, uncached_input=1000, output=10, requests=2, sessions=1, lines_added=5)
    return replace(usual, cost=Decimal("1.5"), list_cost=Decimal(2), **changed)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    """Twenty days of two people, in pages of three rows."""
    monkeypatch.setattr(module, "HISTORY", dict.fromkeys(module.HISTORY, 20))
    others = {"account": "user_2", "email": "ben@example.com"}
    uses = [use(number, **whose) for number in range(1, 21) for whose in ({}, others)]
    with AnthropicServer(uses, token=TOKEN, page=3, at=NOW) as anthropic:
        yield anthropic


def connector(server: AnthropicServer, **settings: str) -> Anthropic:
    return Anthropic(Settings({"base_url": server.url, **settings}, {"token": TOKEN}))


def pages_of(
    server: AnthropicServer, report: str, cursor: Mapping[str, Any] | None = None, **reading: Any
) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, report, report, {})
    server.requests.clear()
    return read_pages(connector(server), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


def days_of(pages: Sequence[Page]) -> list[date]:
    return sorted(draft.day for draft in drafts_of(pages) if isinstance(draft, VendorReportDraft))


def test_everything_is_read_newest_first_and_once(server: AnthropicServer) -> None:
    pages = pages_of(server, "usage_and_cost")
    assert [max(days_of([page])) for page in pages] == [TODAY - number * DAY for number in (1, 8, 15)]
    assert days_of(pages) == [TODAY - number * DAY for number in range(20, 0, -1)]
    assert [page.left for page in pages] == [13, 6, 0]
    assert pages[-1].cursor == {"until": TODAY.isoformat()}
    reports = drafts_of(pages)
    assert all(isinstance(one, VendorReportDraft) and isinstance(one.usage, ProvidedParts) for one in reports)
    assert {len(one.usage.parts) for one in reports if isinstance(one, VendorReportDraft)} == {2}  # type: ignore[union-attr]


@pytest.mark.parametrize("report", ["usage_and_cost", "claude_code", "engagement"])
def test_a_reading_goes_on_from_any_page(server: AnthropicServer, report: str) -> None:
    pages = pages_of(server, report)
    usual = by_id(drafts_of(pages))
    for position, page in enumerate(pages[:-1]):
        rest = pages_of(server, report, page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


def test_later_only_the_days_that_may_still_change_are_read(server: AnthropicServer) -> None:
    pages = pages_of(server, "usage_and_cost", {"until": TODAY.isoformat()})
    assert days_of(pages) == [TODAY - number * DAY for number in (3, 2, 1)]
    assert [page.cursor for page in pages] == [{"until": TODAY.isoformat()}]


def test_after_a_month_without_a_sync_no_day_is_missing(server: AnthropicServer) -> None:
    until = TODAY - 15 * DAY
    assert days_of(pages_of(server, "claude_code", {"until": until.isoformat()})) == [
        TODAY - number * DAY for number in range(18, 0, -1)
    ]


def test_the_range_is_always_sent_whole(server: AnthropicServer) -> None:
    """Without its end, Anthropic would cut a longer range short without a word."""
    pages_of(server, "usage_and_cost")
    paths = [served.path for served in server.requests]
    assert all("ending_at=" in path and "time_bucket_width=1d" in path for path in paths)
    assert all("group_by[]=actor,model,product" in path for path in paths)


def test_claude_enterprise_has_days_that_are_four_days_old(server: AnthropicServer) -> None:
    assert max(days_of(pages_of(server, "engagement"))) == TODAY - 5 * DAY


def test_a_page_that_leads_to_itself_is_no_list(server: AnthropicServer) -> None:
    server.faults = [Fault(faults.changed("next_page", "page_3"), path="page=page_3", times=None)]
    with pytest.raises(TransientError, match="next page"):
        pages_of(server, "usage_and_cost")


def test_rows_of_other_days_are_refused(server: AnthropicServer) -> None:
    moved = faults.changed("data.0.starting_at", "2026-01-01T00:00:00Z")
    server.faults = [Fault(moved, path="/analytics/cost", times=None)]
    with pytest.raises(TransientError, match="2026-01-01"):
        pages_of(server, "usage_and_cost")


def test_an_organisation_has_its_own_reports(server: AnthropicServer) -> None:
    for organisation, reports in {
        "console": ["usage_and_cost", "claude_code"],
        "enterprise": ["usage_and_cost", "engagement", "spend_limits"],
    }.items():
        of = connector(server, organisation=organisation)
        with ConnectionHttp(of, patience=QUICK) as http:
            assert [resource.external_id for resource in of.resources(http)] == reports


def test_the_check_says_which_report_is_refused(server: AnthropicServer) -> None:
    of = connector(server)
    error = {"type": "error", "error": {"type": "permission_error", "message": "Requires an admin key."}}
    refused = faults.instead(faults.Answer.of(error, status=403))
    with ConnectionHttp(of, patience=QUICK) as http:
        server.at = None
        assert all(permission.works for permission in of.check(http))
        server.faults = [Fault(refused, path="claude_code", times=None)]
        bill, claude_code = of.check(http)
    assert bill.works
    assert (claude_code.what, claude_code.works) == ("Claude Code analytics", False)
    assert "“Requires an admin key”" in claude_code.remedy
    assert "Admin API key" in claude_code.remedy


def limit(user: str, amount: str | None, spent: str = "31402.5", **changed: Any) -> dict[str, Any]:
    """A row as platform.claude.com/docs/en/manage-claude/spend-limits-api shows it."""
    return {
        "scope": {"type": "user", "user_id": user},
        "actor": {
            "type": "user_actor",
            "user_id": user,
            "name": "Jane Smith",
            "email_address": f"{user}@example.com",
            "deleted": False,
        },
        "amount": amount,
        "currency": "USD",
        "period": "monthly",
        "source": {"type": "seat_tier", "seat_tier": "enterprise_standard"},
        "spend_limit_id": "spl_01XyZaBcDeFgHiJkLmNoPq",
        "period_to_date_spend": spent,
        **changed,
    }


def test_spend_limits_are_read_once_a_day_to_the_last_page(server: AnthropicServer) -> None:
    gone = {"type": "user_actor", "user_id": "user_9", "name": None, "email_address": None, "deleted": True}
    server.limits = [
        *(limit(f"user_{number}", "50000") for number in range(4)),
        limit("free", None, "0"),
        limit("user_9", "0", actor=gone),
        limit("user_1", "900", period="weekly"),
    ]
    (page,) = pages_of(server, "spend_limits")
    (report,) = drafts_of([page])
    assert isinstance(report, VendorReportDraft)
    assert isinstance(report.usage, ProvidedParts)
    assert (report.content, report.day) == (VendorContent.LIMITS, TODAY)
    found = [(part.person, part.spend_limit, part.cost, part.product) for part in report.usage.parts]
    assert found[1] == (Who(email="user_1@example.com"), Decimal(500), Decimal("314.025"), "seat_tier")
    assert found[4:] == [
        (Who(email="free@example.com"), None, Decimal(0), "seat_tier"),
        (Who(account="user_9"), Decimal(0), Decimal("314.025"), "seat_tier"),
    ]
    assert {part.currency for part in report.usage.parts} == {"USD"}
    assert [served.path.count("period[]=monthly") for served in server.requests] == [1, 1, 1]
    assert pages_of(server, "spend_limits", page.cursor) == [Page((), page.cursor)]
    assert server.requests == [], "they are those of today"


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"period": "monthly"}, "actor"),
        ({key: value for key, value in limit("ada", "1").items() if key != "amount"}, "amount"),
        (limit("ada", "many"), "amount"),
        (limit("ada", "1", currency=None), "currency"),
        (limit("ada", "1", period=None), "period"),
        ("Not an object", "rows"),
    ],
)
def test_a_limit_that_is_not_as_documented_spoils_its_day(row: Any, named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        normalise_spend_limits({"day": "2026-03-20", "rows": [row]})


def test_a_key_without_the_scope_for_limits_reads_the_rest(server: AnthropicServer) -> None:
    error = {"type": "error", "error": {"type": "permission_error", "message": "Missing scope."}}
    refused = faults.instead(faults.Answer.of(error, status=403))
    server.at, server.faults = None, [Fault(refused, path="spend_limits", times=None)]
    of = connector(server, organisation="enterprise")
    with ConnectionHttp(of, patience=QUICK) as http:
        assert [(permission.what, permission.works) for permission in of.check(http)] == [
            ("Usage and cost", True),
            ("Claude Enterprise analytics", True),
            ("Spend limits", False),
        ]
        assert "read:spend_limits" in of.check(http)[-1].remedy


def test_a_wrong_key_is_said_at_once(server: AnthropicServer) -> None:
    of = Anthropic(Settings({"base_url": server.url}, {"token": "another"}))
    with ConnectionHttp(of, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        of.check(http)
