"""A simulated Anthropic API that shows the use and cost of an organisation.

Shapes as documented at platform.claude.com/docs/en/api/beta/organization/analytics/{usage, cost},
platform.claude.com/docs/en/manage-claude/claude-code-analytics-api, support.claude.com/en/articles/13703965 and
platform.claude.com/docs/en/manage-claude/spend-limits-api.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from demo.plan.vendor_usage import VendorUse
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer

_CLAUDE_CODE = "claude_code"
_BETA = "analytics-usage-cost-2026-08-24"
_ORGANISATIONS = "/v1/organizations"
_LAG = timedelta(days=4, hours=10)  # of the engagement report: computed at 10:00 of the next day, and three days more


class AnthropicServer(SimulatedServer):
    """Shows the instant `at`; `page` is the most rows of an answer."""

    def __init__(
        self,
        uses: Sequence[VendorUse] | Callable[[], Sequence[VendorUse]],
        *,
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 1000,
        port: int = 0,
        limits: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__("Anthropic", faults=faults, port=port)
        self.limits = limits
        self._uses = uses if callable(uses) else lambda: uses
        self._token, self._page_size = token, page
        self.at = at

    def advance(self, to: datetime) -> None:
        self.at = to

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("x-api-key") != self._token:
            return _refusal(401, "authentication_error", "invalid x-api-key")
        route = request.path.removeprefix(_ORGANISATIONS)
        if route in ("/analytics/usage", "/analytics/cost"):
            if request.headers.get("anthropic-beta") != _BETA:
                return _refusal(404, "not_found_error", "Not found")
            return self._analytics(request, is_cost=route.endswith("cost"))
        if route == "/usage_report/claude_code":
            return self._page(request, _claude_code_rows(self._known(request.query["starting_at"])))
        if route in ("/analytics/users", "/spend_limits/effective"):
            return self._limits(request) if route.endswith("effective") else self._engagement(request)
        return _refusal(404, "not_found_error", "Not found")

    def _limits(self, request: Request) -> Answer:
        listed = self._page(request, self.limits).document()
        return Answer.of({name: value for name, value in listed.items() if name != "has_more"})

    def _engagement(self, request: Request) -> Answer:
        day = date.fromisoformat(request.query["date"])
        if datetime.combine(day, time(), UTC) + _LAG > (self.at or datetime.now(UTC)):
            return _refusal(400, "invalid_request_error", "Data for this date is not available yet.")
        return self._page(request, _engagement_rows(self._known(request.query["date"])))

    def _known(self, first: str, end: str = "") -> list[VendorUse]:
        """The uses of a day, or of the days before `end`, as far as they are counted."""
        start = date.fromisoformat(first[:10])
        until = date.fromisoformat(end[:10]) if end else start + timedelta(days=1)
        now = self.at or datetime.now(UTC)
        return [use for use in self._uses() if start <= use.day < until and use.known_at <= now]

    def _analytics(self, request: Request, *, is_cost: bool) -> Answer:
        uses = self._known(request.query["starting_at"], request.query["ending_at"])
        rows = [_bucket(use, is_cost=is_cost) for use in uses if (use.cost if is_cost else use.has_tokens)]
        return self._page(request, rows)

    def _page(self, request: Request, rows: Sequence[Any]) -> Answer:
        token = request.query.get("page", "page_0")
        begin = int(token.removeprefix("page_"))
        end = begin + min(self._page_size, int(request.query.get("limit", "1000")))
        more = end < len(rows)
        following = f"page_{end}" if more else None
        return Answer.of({"data": list(rows[begin:end]), "has_more": more, "next_page": following})


def _bucket(use: VendorUse, *, is_cost: bool) -> Mapping[str, Any]:
    """A row of the usage and cost reports; amounts are fractional cents, as text."""
    start = datetime.combine(use.day, time(), UTC)
    row = {
        "starting_at": _written(start),
        "ending_at": _written(start + timedelta(days=1)),
        "group": {"actor": _actor(use), "actor_type": None, "model": use.model or None, "product": use.product or None},
    }
    if is_cost:
        amounts = {"amount": _cents(use.cost), "list_amount": _cents(use.list_cost)}
        return {**row, "cost": {**amounts, "currency": "USD", "requests": use.requests}}
    usage = {
        "uncached_input_tokens": use.uncached_input,
        "cache_creation": {"ephemeral_5m_input_tokens": use.cache_write, "ephemeral_1h_input_tokens": 0},
        "cache_read_input_tokens": use.cache_read,
        "output_tokens": use.output,
        "requests": use.requests,
        "server_tool_use": {"web_search_requests": 0},
        "total_tokens": use.uncached_input + use.cache_read + use.cache_write + use.output,
    }
    return {**row, "usage": usage}


def _actor(use: VendorUse) -> Mapping[str, Any]:
    if not use.email and not use.is_deleted:
        return {"type": "api_actor", "api_key_id": use.account}
    return {
        "type": "user_actor",
        "user_id": use.account,
        "email_address": None if use.is_deleted else use.email,
        "name": "Deleted User" if use.is_deleted else None,
        "deleted": use.is_deleted,
    }


def _by_account(uses: Iterable[VendorUse]) -> list[list[VendorUse]]:
    of_agent = sorted((use for use in uses if use.product == _CLAUDE_CODE), key=lambda use: use.account)
    return [list(of_account) for _, of_account in groupby(of_agent, key=lambda use: use.account)]


def _claude_code_rows(uses: Iterable[VendorUse]) -> list[Mapping[str, Any]]:
    return [_claude_code_row(of_account) for of_account in _by_account(uses)]


def _claude_code_row(uses: Sequence[VendorUse]) -> Mapping[str, Any]:
    first = uses[0]
    person = {"type": "user_actor", "email_address": first.email}
    return {
        "date": _written(datetime.combine(first.day, time(), UTC)),
        "actor": person if first.email else {"type": "api_actor", "api_key_name": first.account},
        "organization_id": "0b5b9c5e-1c8c-4f7a-9d1e-6f7f7d6f3c11",
        "customer_type": "api",
        "terminal_type": "vscode",
        "core_metrics": {
            "num_sessions": sum(use.sessions for use in uses),
            "lines_of_code": {"added": sum(use.lines_added for use in uses), "removed": _removed(uses)},
            "commits_by_claude_code": 0,
            "pull_requests_by_claude_code": 0,
        },
        "tool_actions": {
            "edit_tool": {"accepted": sum(use.accepted for use in uses), "rejected": sum(use.rejected for use in uses)},
            "write_tool": {"accepted": 0, "rejected": 0},
        },
        "model_breakdown": [
            {
                "model": use.model,
                "tokens": {
                    "input": use.uncached_input,
                    "output": use.output,
                    "cache_read": use.cache_read,
                    "cache_creation": use.cache_write,
                },
                "estimated_cost": {"amount": int(use.list_cost * 100), "currency": "USD"},
            }
            for use in uses
        ],
    }


def _engagement_rows(uses: Iterable[VendorUse]) -> list[Mapping[str, Any]]:
    return [_engagement_row(of_account) for of_account in _by_account(uses) if of_account[0].email]


def _engagement_row(uses: Sequence[VendorUse]) -> Mapping[str, Any]:
    edits = {
        "accepted_count": sum(use.accepted for use in uses),
        "rejected_count": sum(use.rejected for use in uses),
    }
    return {
        "user": {"id": uses[0].account, "email_address": uses[0].email},
        "chat_metrics": {"distinct_conversation_count": 1, "message_count": 2},
        "claude_code_metrics": {
            "core_metrics": {
                "commit_count": 0,
                "pull_request_count": 0,
                "lines_of_code": {
                    "added_count": sum(use.lines_added for use in uses),
                    "removed_count": _removed(uses),
                },
                "distinct_session_count": sum(use.sessions for use in uses),
            },
            "tool_actions": {"edit_tool": edits},
        },
        "web_search_count": 0,
    }


def _removed(uses: Iterable[VendorUse]) -> int:
    return sum(use.lines_removed for use in uses)


def _cents(dollars: Decimal) -> str:
    return str(dollars * 100)


def _refusal(status: int, kind: str, message: str) -> Answer:
    return Answer.of({"type": "error", "error": {"type": kind, "message": message}}, status=status)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
