"""Cursor as a connector: the use and the cost of a team by day, from its Admin API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, ClassVar

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
    basic_auth,
    register,
    tried,
)
from integrations.connectors.cursor.records import DAILY_USAGE, NORMALISE, USAGE_EVENTS
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import TransientError
from integrations.connectors.unchecked import as_record, object_of
from integrations.connectors.vendor_days import DAY, day_windows, rows_by_day
from integrations.enums import Kind, ResourceKind

PER_PAGE = 100
AGAIN = 2  # days that may still change
AT_ONCE = {DAILY_USAGE: 28, USAGE_EVENTS: 1}  # days in a page; a request may have 30, and a busy day has many events
HISTORY = {DAILY_USAGE: 364, USAGE_EVENTS: 89}  # days
NAMES = {DAILY_USAGE: "Daily usage", USAGE_EVENTS: "Usage events"}
PATHS = {DAILY_USAGE: "teams/daily-usage-data", USAGE_EVENTS: "teams/filtered-usage-events"}
ROWS = {DAILY_USAGE: "data", USAGE_EVENTS: "usageEvents"}
TIMES = {DAILY_USAGE: "date", USAGE_EVENTS: "timestamp"}  # in milliseconds, as a number or as text


@register
class CursorTeam(Connector):
    """Reports about a team's use of Cursor, and its cost."""

    slug = "cursor"
    name = "Cursor"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPORT: (Kind.VENDOR_REPORT,)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the API.", default="https://api.cursor.com"),
        Field("token", "API key", "An Admin API key of the team.", secret=True),
    )
    permissions = """\
- An **Admin API key** of the team, which its administrators create in the dashboard, under Settings. A read-only key is
  enough.
"""

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": basic_auth(self.settings.secrets.get("token", ""), "")}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        day = datetime.now(UTC).date() - DAY
        remedy = "Create an Admin API key of the team; keys of other APIs are refused."
        return [tried(NAMES[report], partial(_by_day, http, report, day, day + DAY), remedy) for report in NAMES]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for report, name in NAMES.items():
            yield ResourceDraft(ResourceKind.REPORT, external_id=report, name=name)

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        report, today = resource.external_id, now.astimezone(UTC).date()
        oldest = today - HISTORY[report] * DAY
        for window in day_windows(cursor, end=today, oldest=oldest, again=AGAIN, most=AT_ONCE[report]):
            by_day = _by_day(http, report, window.first, window.end)
            records = [
                RawRecord({"day": day.isoformat(), "rows": rows}, NORMALISE[report], f"{report}:{day}", report)
                for day, rows in by_day.items()
            ]
            yield Page(records, window.cursor, left=window.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)


def _by_day(http: Http, report: str, first: date, end: date) -> Mapping[date, list[Json]]:
    name, is_one_day = TIMES[report], end - first == DAY
    rows = (
        row if is_one_day or _day_of(row.get(name)) else {"(time)": row.get(name)}
        for row in _list(http, report, first, end)
    )
    answered = f"Cursor answered with {NAMES[report].lower()}"
    return rows_by_day(rows, lambda row: _day_of(row.get(name)), first, end, answered)


def _list(http: Http, report: str, first: date, end: date) -> Iterator[Json]:
    """All rows of the days.  Raises TransientError if a page is not the requested one, or is none."""
    number = 1
    while True:
        params = {"startDate": _milliseconds(first), "endDate": _milliseconds(end) - 1}
        answer = http.post(PATHS[report], json={**params, "page": number, "pageSize": PER_PAGE}).json()
        rows = answer.get(ROWS[report]) if isinstance(answer, dict) else None
        pagination = object_of(answer, "pagination")
        if not isinstance(rows, list) or pagination.get("currentPage", pagination.get("page", number)) != number:
            raise TransientError(f"Cursor answered {PATHS[report]} with something other than page {number}.")
        yield from map(as_record, rows)
        if not pagination.get("hasNextPage"):
            return
        number += 1


def _day_of(milliseconds: Any) -> date | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
