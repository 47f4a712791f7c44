"""Anthropic as a connector: the use and the cost of Claude by day.

An organisation of the Console has an Admin API key, one of Claude Enterprise an Analytics key.  Each report is a
resource with a stream of its own: a key that may not read one of them reads the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, ClassVar

from integrations.connectors.anthropic.records import (
    CLAUDE_CODE,
    ENGAGEMENT,
    MONTHLY,
    NORMALISE,
    SPEND_LIMITS,
    USAGE_AND_COST,
)
from integrations.connectors.base import (
    CheckedPermission,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    register,
    tried,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.unchecked import time_of
from integrations.connectors.vendor_days import DAY, day_windows, days_of, listed, rows_by_day
from integrations.enums import Kind, ResourceKind

BETA = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
GROUPED = ["actor", "model", "product"]
PER_PAGE = 1000  # rows, where the most is documented
FIRST_DAY = date(2026, 1, 1)  # no report goes back further
HISTORY = {USAGE_AND_COST: 364, CLAUDE_CODE: 364, ENGAGEMENT: 89}  # days
WAIT = {USAGE_AND_COST: 0, CLAUDE_CODE: 0, ENGAGEMENT: 4}  # whole days until a day can be asked for, at 10:00 UTC
AGAIN = 3  # days that may still change
AT_ONCE = 7  # days in a page
NAMES = {
    USAGE_AND_COST: "Usage and cost",
    CLAUDE_CODE: "Claude Code analytics",
    ENGAGEMENT: "Claude Enterprise analytics",
    SPEND_LIMITS: "Spend limits",
}
CONSOLE, ENTERPRISE = "console", "enterprise"
REPORTS = {CONSOLE: (USAGE_AND_COST, CLAUDE_CODE), ENTERPRISE: (USAGE_AND_COST, ENGAGEMENT, SPEND_LIMITS)}
MAY_READ = {
    CONSOLE: "Create an Admin API key, under Settings → Admin keys.",
    ENTERPRISE: "Create an Analytics key with the scope read:analytics, and switch the API on there.",
}
MAY_READ_LIMITS = (
    "Use an Admin API key of Claude Enterprise with the scope read:spend_limits, in a connection of its own if it has "
    "no other scope, or leave Spend limits out under Resources. Usage credits must be on."
)


@register
class Anthropic(Connector):
    """Reports about an organisation's use of Claude, and their cost."""

    slug = "anthropic"
    name = "Anthropic"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPORT: (Kind.VENDOR_REPORT,)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the API.", default="https://api.anthropic.com"),
        Field(
            "organisation",
            "Organisation",
            "The product whose reports to read.",
            default=CONSOLE,
            choices=((CONSOLE, "Claude Console (API)"), (ENTERPRISE, "Claude Enterprise")),
        ),
        Field("token", "API key", "An Admin key (Console) or an Analytics key (Enterprise).", secret=True),
    )
    permissions = """\
- **Claude Console**: an *Admin API key* (`sk-ant-admin…`), which members with the role *admin* create under Settings →
  Admin keys.
- **Claude Enterprise**: an *Analytics API key* with the scope `read:analytics`, which the primary owner creates at
  claude.ai/analytics/api-keys; access to the API is switched on there, too. Spend limits take an *Admin API key* with
  the scope `read:spend_limits`.

Headway only reads with it: no limit is set and no member changed.
"""

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"x-api-key": self.settings.secrets.get("token", ""), "anthropic-version": "2023-06-01"}

    @property
    def reports(self) -> Sequence[str]:
        return REPORTS.get(self._organisation, REPORTS[CONSOLE])

    @property
    def _organisation(self) -> str:
        return self.settings.values.get("organisation") or CONSOLE

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        day = datetime.now(UTC).date() - (max(WAIT.values()) + 1) * DAY
        remedy = MAY_READ.get(self._organisation, "")
        return [
            tried(NAMES[report], partial(_limits, http), MAY_READ_LIMITS)
            if report == SPEND_LIMITS
            else tried(NAMES[report], partial(_rows_of, http, report, day, day + DAY), remedy)
            for report in self.reports
        ]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for report in self.reports:
            yield ResourceDraft(ResourceKind.REPORT, external_id=report, name=NAMES[report])

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """Read a week at a time; each of its days becomes one record."""
        report = resource.external_id
        today = now.astimezone(UTC).date()
        if report == SPEND_LIMITS:
            yield _limits_page(http, cursor, today)
            return
        windows = day_windows(
            cursor,
            end=today - WAIT[report] * DAY,
            oldest=max(today - HISTORY[report] * DAY, FIRST_DAY),
            again=AGAIN,
            most=AT_ONCE,
        )
        for window in windows:
            lists = _rows_of(http, report, window.first, window.end)
            records = [
                RawRecord({"day": day.isoformat(), **rows}, NORMALISE[report], f"{report}:{day}", report)
                for day, rows in lists.items()
            ]
            yield Page(records, window.cursor, left=window.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)


def _limits_page(http: Http, cursor: Cursor, today: date) -> Page:
    """The limits of today, read once a day, because Anthropic does not report earlier ones."""
    if cursor.get("read_on") == today.isoformat():
        return Page((), cursor)
    payload = {"day": today.isoformat(), "rows": _limits(http)}
    record = RawRecord(payload, NORMALISE[SPEND_LIMITS], f"{SPEND_LIMITS}:{today}", SPEND_LIMITS)
    return Page([record], {"read_on": today.isoformat()})


def _limits(http: Http) -> list[Json]:
    params = {"limit": PER_PAGE, "period[]": MONTHLY}
    return list(listed(http, "v1/organizations/spend_limits/effective", params, of="Anthropic"))


_Lists = Mapping[date, dict[str, list[Json]]]


def _rows_of(http: Http, report: str, first: date, end: date) -> _Lists:
    """The lists of a report's rows, for each of these days."""
    if report == USAGE_AND_COST:
        usage, costs = (
            rows_by_day(_analytics(http, name, first, end), _day_of, first, end, f"Anthropic answered with {name}")
            for name in ("usage", "cost")
        )
        return {day: {"usage": usage[day], "costs": costs[day]} for day in usage}
    return {day: {"records": list(listed(http, *_address(report, day), of="Anthropic"))} for day in days_of(first, end)}


def _address(report: str, day: date) -> tuple[str, dict[str, Any]]:
    if report == CLAUDE_CODE:
        return "v1/organizations/usage_report/claude_code", {"starting_at": day.isoformat(), "limit": PER_PAGE}
    return "v1/organizations/analytics/users", {"date": day.isoformat(), "limit": PER_PAGE}


def _analytics(http: Http, name: str, first: date, end: date) -> Iterator[Json]:
    params = {
        "starting_at": _written(first),
        "ending_at": _written(end),  # without it, a longer range would be cut short
        "time_bucket_width": "1d",
        "group_by[]": GROUPED,
    }
    return listed(http, f"v1/organizations/analytics/{name}", params, of="Anthropic", headers=BETA)


def _day_of(row: Json) -> date | None:
    at = time_of(row, "starting_at")
    return at.astimezone(UTC).date() if at else None


def _written(day: date) -> str:
    return datetime.combine(day, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
