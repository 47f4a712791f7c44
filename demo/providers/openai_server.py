"""A simulated OpenAI API that shows the use and cost of an organisation, and of Codex in its workspace.

Shapes as documented at developers.openai.com/api/reference/resources/admin/subresources/organization; those of Codex
analytics as its clients read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from demo.plan.vendor_usage import VendorUse
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer

WORKSPACE = "ws_1"
_DAY = timedelta(days=1)


class OpenAIServer(SimulatedServer):
    """Shows the instant `at`; `page` is the most days, members or rows of an answer."""

    def __init__(
        self,
        uses: Sequence[VendorUse],
        *,
        token: str,
        at: datetime,
        faults: Iterable[Fault] = (),
        page: int = 31,
        port: int = 0,
    ) -> None:
        super().__init__("OpenAI", faults=faults, port=port)
        self._uses, self._token, self._page_size, self.at = uses, token, page, at

    def advance(self, to: datetime) -> None:
        self.at = to

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refusal(401, "Incorrect API key provided.")
        if request.path == "/v1/organization/users":
            return self._members(request)
        if request.path == f"/v1/analytics/codex/workspaces/{WORKSPACE}/usage":
            return self._page(request, [_codex_row(uses) for uses in self._by_account(request)], size=100)
        if request.path == "/v1/organization/usage/completions":
            return self._page(request, self._buckets(request, _usage_row), size=self._page_size)
        if request.path == "/v1/organization/costs":
            return self._page(request, self._buckets(request, _cost_row), size=self._page_size)
        return _refusal(404, "Not found")

    def _known(self, request: Request) -> list[VendorUse]:
        first, end = (_day(request.query[name]) for name in ("start_time", "end_time"))
        return [use for use in self._uses if first <= use.day < end and use.known_at <= self.at]

    def _by_account(self, request: Request) -> Iterable[list[VendorUse]]:
        ordered = sorted(self._known(request), key=lambda use: (use.day, use.account))
        return [list(of_account) for _, of_account in groupby(ordered, key=lambda use: (use.day, use.account))]

    def _buckets(self, request: Request, row: Any) -> list[Mapping[str, Any]]:
        first, end = (_day(request.query[name]) for name in ("start_time", "end_time"))
        uses = self._known(request)
        return [
            {
                "object": "bucket",
                "start_time": _seconds(day),
                "end_time": _seconds(day + _DAY),
                "results": [row(use) for use in uses if use.day == day],
            }
            for day in (first + number * _DAY for number in range((end - first).days))
        ]

    def _page(self, request: Request, rows: Sequence[Any], *, size: int) -> Answer:
        begin = int(request.query.get("page", "page_0").removeprefix("page_"))
        end = begin + min(size, int(request.query["limit"]))
        following = f"page_{end}" if end < len(rows) else None
        shown = list(rows[begin:end])
        return Answer.of({"object": "page", "data": shown, "has_more": bool(following), "next_page": following})

    def _members(self, request: Request) -> Answer:
        known = {use.account: use.email for use in self._uses if use.email}
        ids = sorted(known)
        begin = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        end = begin + int(request.query["limit"])
        data = [{"object": "organization.user", "id": one, "email": known[one].title()} for one in ids[begin:end]]
        return Answer.of({"object": "list", "data": data, "has_more": end < len(ids)})


def _usage_row(use: VendorUse) -> Mapping[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": use.uncached_input + use.cache_read,
        "input_cached_tokens": use.cache_read,
        "output_tokens": use.output,
        "num_model_requests": use.requests,
        "project_id": "proj_1",
        "user_id": use.account if use.email else None,
        "api_key_id": None if use.email else use.account,
        "model": use.model,
        "batch": None,
    }


def _cost_row(use: VendorUse) -> Mapping[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": float(use.cost), "currency": "usd"},
        "line_item": f"{use.model}, input",
        "project_id": "proj_1",
    }


def _codex_row(uses: Sequence[VendorUse]) -> Mapping[str, Any]:
    numbers = {
        "threads": sum(use.sessions for use in uses),
        "turns": sum(use.requests for use in uses),
        "credits": float(sum(use.cost for use in uses)),
    }
    tokens = {
        "uncached_text_input_tokens": sum(use.uncached_input for use in uses),
        "cached_text_input_tokens": sum(use.cache_read for use in uses),
        "text_output_tokens": sum(use.output for use in uses),
    }
    first = uses[0]
    return {
        "object": "workspace.codex.usage",
        "start_time": _seconds(first.day),
        "end_time": _seconds(first.day + _DAY),
        "actor": {"type": "account_user", "user_id": first.account, "email": first.email or None},
        "totals": numbers,
        "clients": [{"client_id": "CODEX_CLI", **numbers, **tokens}],
        "code_attribution": {"lines_added": sum(use.lines_added for use in uses), "lines_removed": 0},
    }


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _day(seconds: str) -> date:
    return datetime.fromtimestamp(int(seconds), UTC).date()


def _refusal(status: int, message: str) -> Answer:
    return Answer.of({"error": {"message": message, "type": "invalid_request_error", "code": None}}, status=status)
