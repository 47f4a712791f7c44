"""Cursor's reports: rows as documented at cursor.com/docs/account/teams/admin-api, and which days are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.plan.vendor_usage import VendorUse
from demo.providers import faults
from demo.providers.cursor_server import CursorServer
from demo.providers.faults import Fault
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.cursor import connector as module
from integrations.connectors.cursor.connector import CursorTeam
from integrations.connectors.cursor.records import normalise_daily_usage, normalise_usage_events
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.connectors.errors import CredentialRefusedError, SchemaError, TransientError
from integrations.connectors.http import ConnectionHttp
from integrations.enums import Kind, ResourceKind, VendorContent, VendorLevel
from tests.connectors.reading import QUICK, TOKEN, by_id, drafts_of, read_pages

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
DAY = timedelta(days=1)
EVENT: dict[str, Any] = {
    "timestamp": "1773997200000",
    "userEmail": "Ada@example.com",
    "model": "claude-4.5-sonnet",
    "kind": "Usage-based",
    "isChargeable": True,
    "chargedCents": 21.36,
    "tokenUsage": {
        "inputTokens": 126,
        "outputTokens": 450,
        "cacheWriteTokens": 6112,
        "cacheReadTokens": 11964,
        "totalCents": 20.18,
    },
}
ACTIVE = {
    "userId": "user_1",
    "day": "2026-03-19",
    "date": 1773878400000,
    "email": "ada@example.com",
    "isActive": True,
    "acceptedLinesAdded": 110,
    "acceptedLinesDeleted": 20,
    "totalAccepts": 73,
    "totalRejects": 4,
    "totalTabsShown": 342,
    "totalTabsAccepted": 151,
    "composerRequests": 45,
    "chatRequests": 12,
    "agentRequests": 9,
    "cmdkUsages": 1,
}


def parts_of(reports: Sequence[VendorReportDraft]) -> list[VendorUsageDraft]:
    (report,) = reports
    assert isinstance(report.usage, ProvidedParts)
    return list(report.usage.parts)


def events(*rows: Mapping[str, Any]) -> list[VendorUsageDraft]:
    return parts_of(normalise_usage_events({"day": "2026-03-20", "rows": list(rows)}))


def test_events_are_added_up_by_person_and_model() -> None:
    (part,) = events(EVENT, EVENT | {"userEmail": " ada@example.com"})
    assert (part.level, part.person, part.agent) == (VendorLevel.PERSON, Who(email="ada@example.com"), "cursor")
    assert (part.requests, part.input_tokens, part.cache_write_tokens, part.output_tokens) == (2, 252, 12224, 900)
    assert (part.cost, part.list_cost, part.currency) == (Decimal("0.4272"), Decimal("0.4036"), "USD")


@pytest.mark.parametrize(
    ("changed", "cost"),
    [
        ({"chargedCents": None}, Decimal("0.2018")),
        ({"chargedCents": None, "isChargeable": False}, Decimal(0)),
        ({"chargedCents": 0}, Decimal(0)),
    ],
)
def test_what_an_event_costs(changed: dict[str, Any], cost: Decimal) -> None:
    (part,) = events(EVENT | changed)
    assert (part.cost, part.list_cost) == (cost, Decimal("0.2018"))


def test_an_event_without_tokens_is_one_all_the_same() -> None:
    (part,) = events(EVENT | {"tokenUsage": None})
    assert (part.input_tokens, part.cost, part.list_cost) == (None, Decimal("0.2136"), Decimal("0.2136"))


def test_a_renamed_field_is_named() -> None:
    with pytest.raises(SchemaError, match="userEmail"):
        events({name: value for name, value in EVENT.items() if name != "userEmail"})


def test_of_a_day_only_the_active_ones_are_stored() -> None:
    rows = [ACTIVE, ACTIVE | {"email": "ben@example.com", "isActive": False}]
    reports = normalise_daily_usage({"day": "2026-03-19", "rows": rows})
    (part,) = parts_of(reports)
    assert reports[0].content == VendorContent.ACTIVITY
    assert (part.requests, part.suggestions, part.acceptances) == (67, 342 + 73 + 4, 151 + 73)
    assert (part.lines_added, part.lines_removed, part.cost, part.currency) == (110, 20, None, "")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CursorServer]:
    """Forty days of two people, in pages of three rows."""
    monkeypatch.setattr(module, "HISTORY", dict.fromkeys(module.HISTORY, 40))
    usual = VendorUse(TODAY, NOW, "user_1", "cursor", "gpt-5", email="ada@example.com", requests=2, output=10)
    uses = [
        replace(usual, day=day, known_at=datetime.combine(day + DAY, time(), UTC), account=account, email=email)
        for day in (TODAY - number * DAY for number in range(1, 41))
        for account, email in (("user_1", "ada@example.com"), ("user_2", "ben@example.com"))
    ]
    with CursorServer(uses, token=TOKEN, page=3, at=NOW) as cursor:
        yield cursor


def connector(server: CursorServer, token: str = TOKEN) -> CursorTeam:
    return CursorTeam(Settings({"base_url": server.url}, {"token": token}))


def pages_of(server: CursorServer, report: str, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, report, report, {})
    server.requests.clear()
    return read_pages(connector(server), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


@pytest.mark.parametrize("report", ["daily_usage", "usage_events"])
def test_everything_is_read_once_and_goes_on_from_any_page(server: CursorServer, report: str) -> None:
    pages = pages_of(server, report)
    usual = by_id(drafts_of(pages))
    assert len(usual) == len(drafts_of(pages)) == 40
    assert all(isinstance(one, VendorReportDraft) and len(parts_of([one])) == 2 for one in usual.values())
    for position, page in list(enumerate(pages[:-1]))[:3]:
        rest = pages_of(server, report, page.cursor)
        assert by_id(drafts_of([*pages[: position + 1], *rest])) == usual


def test_later_two_days_are_read_again(server: CursorServer) -> None:
    pages = pages_of(server, "daily_usage", {"until": TODAY.isoformat()})
    assert [draft.external_id for draft in drafts_of(pages)] == [
        f"daily_usage:{TODAY - number * DAY}" for number in (2, 1)
    ]


def test_another_page_than_the_requested_one_is_refused(server: CursorServer) -> None:
    server.faults = [Fault(faults.changed("pagination.page", 7), path="daily-usage-data", times=None)]
    with pytest.raises(TransientError, match="page 1"):
        pages_of(server, "daily_usage")


def test_events_of_another_day_are_refused(server: CursorServer) -> None:
    server.faults = [Fault(faults.changed("usageEvents.0.timestamp", "1700000000000"), path="events", times=None)]
    with pytest.raises(TransientError, match="2023-11-14"):
        pages_of(server, "usage_events")


def test_the_check_names_both_reports_and_a_wrong_key(server: CursorServer) -> None:
    with ConnectionHttp(connector(server), patience=QUICK) as http:
        assert [permission.what for permission in connector(server).check(http)] == ["Daily usage", "Usage events"]
    wrong = connector(server, token="another")
    with ConnectionHttp(wrong, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        wrong.check(http)
