"""Cursor's reports: rows as documented, and which days are asked for.

cursor.com/docs/account/teams/admin-api; commits: cursor.com/docs/account/teams/ai-code-tracking-api.
"""

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
from demo.providers.faults import Answer, Fault
from integrations.connectors.base import FetchedResource, Page, Settings
from integrations.connectors.cursor import connector as module
from integrations.connectors.cursor.connector import CursorTeam
from integrations.connectors.cursor.records import (
    normalise_commits,
    normalise_daily_usage,
    normalise_members,
    normalise_usage_events,
)
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


def test_members_have_seats_and_removed_ones_none() -> None:
    members = [
        {"id": "user_1", "email": "Ada@example.com", "role": "member", "isRemoved": False},
        {"id": "user_2", "email": "ben@example.com", "role": "member", "isRemoved": True},
    ]
    reports = normalise_members({"day": "2026-03-19", "rows": members})
    assert reports[0].content == VendorContent.SEATS
    assert [part.person for part in parts_of(reports)] == [Who(email="ada@example.com")]


COMMIT: dict[str, Any] = {
    "commitHash": "A1B2C3D4",
    "userId": "user_1",
    "userEmail": "ada@example.com",
    "totalLinesAdded": 120,
    "tabLinesAdded": 50,
    "tabLinesDeleted": 10,
    "composerLinesAdded": 40,
    "composerLinesDeleted": 5,
}


def test_a_commit_has_its_traced_lines() -> None:
    reports = normalise_commits({"day": "2026-03-19", "rows": [COMMIT]})
    (part,) = parts_of(reports)
    assert (reports[0].content, part.name, part.agent) == (VendorContent.COMMITS, "a1b2c3d4", "cursor")
    assert (part.lines_added, part.lines_removed, part.lines_of_commit) == (90, 15, 120)
    with pytest.raises(SchemaError, match="commitHash"):
        normalise_commits({"day": "2026-03-19", "rows": [COMMIT | {"commitHash": None}]})


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


def connector(server: CursorServer, token: str = TOKEN, api: str = "admin") -> CursorTeam:
    return CursorTeam(Settings({"base_url": server.url, "api": api}, {"token": token}))


def pages_of(server: CursorServer, report: str, cursor: Mapping[str, Any] | None = None) -> list[Page]:
    resource = FetchedResource(ResourceKind.REPORT, report, report, {})
    server.requests.clear()
    return read_pages(connector(server), resource, Kind.VENDOR_REPORT, cursor, now=NOW)


@pytest.mark.parametrize("report", ["daily_usage", "usage_events", "commits"])
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


def test_the_check_names_the_reports_of_an_api_and_a_wrong_key(server: CursorServer) -> None:
    for api, reports in {
        "admin": ["Daily usage", "Usage events", "Members"],
        "ai_code": ["Lines of agents in commits"],
    }.items():
        of = connector(server, api=api)
        with ConnectionHttp(of, patience=QUICK) as http:
            assert [(one.what, one.works) for one in of.check(http)] == [(report, True) for report in reports]
            assert [resource.name for resource in of.resources(http)] == reports
    wrong = connector(server, token="another")
    with ConnectionHttp(wrong, patience=QUICK) as http, pytest.raises(CredentialRefusedError):
        wrong.check(http)


def test_members_are_read_once_a_week(server: CursorServer) -> None:
    pages = pages_of(server, "members")
    (report,) = (draft for draft in drafts_of(pages) if isinstance(draft, VendorReportDraft))
    assert {part.person and part.person.email for part in parts_of([report])} == {"ada@example.com", "ben@example.com"}
    assert drafts_of(pages_of(server, "members", pages[-1].cursor)) == []
    assert server.requests == []
    assert drafts_of(pages_of(server, "members", {"read_on": (TODAY - 7 * DAY).isoformat()})) != []


def test_messages_of_commits_are_never_kept(server: CursorServer) -> None:
    (record, *_) = pages_of(server, "commits", {"until": TODAY.isoformat()})[0].records
    assert "message" not in str(record.payload)
    assert "repoName" not in str(record.payload)


@pytest.mark.parametrize(("where", "value"), [("items", None), ("page", 3), ("totalCount", None), ("items", [])])
def test_another_page_of_commits_is_refused(server: CursorServer, where: str, value: Any) -> None:
    server.faults = [Fault(faults.changed(where, value), path="commits", times=None)]
    with pytest.raises(TransientError):
        pages_of(server, "commits")


# The commonest complaints about other tools' connectors ---------------------------------------------------------------


def test_a_full_page_that_does_not_say_whether_more_follow_is_no_end(server: CursorServer) -> None:
    """superset-sh/superset 6922, arul28/ADE 276: whatever is beyond the first page is cut off without a word."""
    full = {"usageEvents": [EVENT | {"timestamp": "1773910800000"}] * module.PER_PAGE}
    server.faults = [Fault(faults.instead(Answer.of(full)), path="filtered-usage-events", times=None)]
    with pytest.raises(TransientError, match="whether more follow"):
        pages_of(server, "usage_events")


def test_units_of_requests_are_no_cents() -> None:
    """pingdotgg/t3code 5921: `requestsCosts` counts requests of the old plans, and was shown as money."""
    assert events(EVENT | {"requestsCosts": 40}) == events(EVENT)


def test_fees_are_part_of_the_cost_and_included_use_is_not() -> None:
    """steipete/CodexBar 2903: Cursor's token fee is left out; arhxam/whoburnedmore 6: included use has no tokens."""
    (with_fee,) = events(EVENT)
    assert (with_fee.cost, with_fee.list_cost) == (Decimal("0.2136"), Decimal("0.2018"))
    tokens = EVENT["tokenUsage"] | {"totalCents": 0}
    (included,) = events(EVENT | {"kind": "Included in Business", "chargedCents": 0, "tokenUsage": tokens})
    assert (included.cost, included.requests) == (Decimal(0), 1)
    assert (included.input_tokens, included.output_tokens) == (126, 450)
