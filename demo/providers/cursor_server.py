"""A simulated Cursor Admin API that shows the use and cost of a team.

Shapes as documented at cursor.com/docs/account/teams/{admin-api, ai-code-tracking-api}; sub-fields of events as its
clients read them.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Any

from demo.plan.vendor_usage import VendorUse
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer


class CursorServer(SimulatedServer):
    """Shows the instant `at`; `page` is the most rows of an answer."""

    def __init__(
        self,
        uses: Sequence[VendorUse],
        *,
        token: str,
        at: datetime,
        faults: Iterable[Fault] = (),
        page: int = 100,
        port: int = 0,
    ) -> None:
        super().__init__("Cursor", faults=faults, port=port)
        self._uses, self._page_size, self.at = uses, page, at
        self._authorization = f"Basic {b64encode(f'{token}:'.encode()).decode()}"

    def advance(self, to: datetime) -> None:
        self.at = to

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return Answer.of({"code": "unauthenticated", "message": "Invalid API key"}, status=401)
        if request.method == "GET":
            return self._commits(request) if request.path == "/analytics/ai-code/commits" else self._members()
        body = request.json()
        first, end = (datetime.fromtimestamp(body[name] / 1000, UTC) for name in ("startDate", "endDate"))
        if (end - first).days > 30:
            return Answer.of({"code": "invalid", "message": "Date range cannot exceed 30 days"}, status=400)
        uses = [use for use in self._uses if first <= _begin(use) <= end and use.known_at <= self.at]
        if request.path == "/teams/daily-usage-data":
            return self._page(body, "data", _daily_rows(uses), "page")
        if request.path == "/teams/filtered-usage-events":
            return self._page(body, "usageEvents", [_event(use) for use in uses], "currentPage")
        return Answer.of({"code": "not_found", "message": "Not found"}, status=404)

    def _members(self) -> Answer:
        emails = sorted({use.email for use in self._uses if use.email})
        members = [
            {"id": f"user_{number}", "email": email, "name": "", "role": "member", "isRemoved": False}
            for number, email in enumerate(emails)
        ]
        return Answer.of({"teamMembers": members})

    def _commits(self, request: Request) -> Answer:
        first, end = (date.fromisoformat(request.query[name]) for name in ("startDate", "endDate"))
        uses = [use for use in self._uses if first <= use.day < end and use.known_at <= self.at]
        size, number = min(int(request.query["pageSize"]), self._page_size), int(request.query["page"])
        items = [_commit(use) for use in uses[(number - 1) * size : number * size]]
        return Answer.of({"items": items, "totalCount": len(uses), "page": number, "pageSize": size})

    def _page(self, body: Mapping[str, Any], name: str, rows: Sequence[Any], number_name: str) -> Answer:
        size, number = min(body["pageSize"], self._page_size), body["page"]
        pagination = {number_name: number, "pageSize": size, "hasNextPage": number * size < len(rows)}
        return Answer.of({name: list(rows[(number - 1) * size : number * size]), "pagination": pagination})


def _begin(use: VendorUse) -> datetime:
    return datetime.combine(use.day, time(), UTC)


def _milliseconds(use: VendorUse) -> int:
    return int(_begin(use).timestamp() * 1000)


def _daily_rows(uses: Iterable[VendorUse]) -> list[Mapping[str, Any]]:
    ordered = sorted(uses, key=lambda use: (use.day, use.account))
    return [_daily_row(list(of_day)) for _, of_day in groupby(ordered, key=lambda use: (use.day, use.account))]


def _daily_row(uses: Sequence[VendorUse]) -> Mapping[str, Any]:
    accepted, rejected = sum(use.accepted for use in uses), sum(use.rejected for use in uses)
    added, removed = sum(use.lines_added for use in uses), sum(use.lines_removed for use in uses)
    return {
        "userId": uses[0].account,
        "day": uses[0].day.isoformat(),
        "date": _milliseconds(uses[0]),
        "email": uses[0].email,
        "isActive": any(use.requests for use in uses),
        "totalLinesAdded": added * 3,
        "totalLinesDeleted": removed * 3,
        "acceptedLinesAdded": added,
        "acceptedLinesDeleted": removed,
        "totalApplies": accepted,
        "totalAccepts": accepted,
        "totalRejects": rejected,
        "totalTabsShown": 0,
        "totalTabsAccepted": 0,
        "composerRequests": 0,
        "chatRequests": 0,
        "agentRequests": sum(use.requests for use in uses),
        "cmdkUsages": 0,
        "mostUsedModel": uses[0].model,
        "clientVersion": "2.1.0",
    }


def _commit(use: VendorUse) -> Mapping[str, Any]:
    """A commit of each use, half of whose lines are traced."""
    return {
        "commitHash": hashlib.sha1(repr((use.day, use.account, use.model)).encode(), usedforsecurity=False).hexdigest(),
        "userId": use.account,
        "userEmail": use.email,
        "repoName": "acme/shop",
        "branchName": "main",
        "isPrimaryBranch": True,
        "totalLinesAdded": use.lines_added * 2,
        "totalLinesDeleted": use.lines_removed,
        "tabLinesAdded": 0,
        "tabLinesDeleted": 0,
        "composerLinesAdded": use.lines_added,
        "composerLinesDeleted": use.lines_removed,
        "nonAiLinesAdded": use.lines_added,
        "nonAiLinesDeleted": 0,
        "message": "Not stored",
        "commitTs": _begin(use).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "createdAt": _begin(use).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "commitSource": "ide",
    }


def _event(use: VendorUse) -> Mapping[str, Any]:
    tokens = {
        "inputTokens": use.uncached_input,
        "outputTokens": use.output,
        "cacheWriteTokens": use.cache_write,
        "cacheReadTokens": use.cache_read,
        "totalCents": float(use.list_cost * 100),
    }
    return {
        "timestamp": str(_milliseconds(use) + 3_600_000),
        "userEmail": use.email,
        "model": use.model,
        "kind": "Usage-based",
        "maxMode": False,
        "requestsCosts": 1,
        "isTokenBasedCall": True,
        "isChargeable": True,
        "chargedCents": float(use.cost * 100),
        "tokenUsage": tokens,
    }
