"""Cursor as a connector: the use and the cost of a team by day, its members, and the lines that it traced in commits.

The Admin API and that of AI code tracking have keys of their own: each is a connection.
"""

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
from integrations.connectors.cursor.records import COMMITS, DAILY_USAGE, MEMBERS, NORMALISE, USAGE_EVENTS
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import TransientError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import as_record, fields_of, object_of
from integrations.connectors.vendor_days import DAY, day_windows, rows_by_day
from integrations.enums import Kind, ResourceKind

PER_PAGE = 100
COMMITS_PER_PAGE = 1000
AGAIN = 2  # days that may still change
MEMBERS_AGAIN = 7 * DAY
# Days in a page; a request may have 30, and a busy day has many events.
AT_ONCE = {DAILY_USAGE: 28, USAGE_EVENTS: 1, COMMITS: 1}
HISTORY = {DAILY_USAGE: 364, USAGE_EVENTS: 89, COMMITS: 89}  # days
NAMES = {
    DAILY_USAGE: "Daily usage",
    USAGE_EVENTS: "Usage events",
    MEMBERS: "Members",
    COMMITS: "Lines of agents in commits",
}
ADMIN, CODE_TRACKING = "admin", "ai_code"
REPORTS = {ADMIN: (DAILY_USAGE, USAGE_EVENTS, MEMBERS), CODE_TRACKING: (COMMITS,)}
OF_COMMIT = (
    *("commitHash", "userId", "userEmail", "totalLinesAdded", "tabLinesAdded", "tabLinesDeleted"),
    *("composerLinesAdded", "composerLinesDeleted"),
)  # without the message
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
        Field(
            "api",
            "API",
            "The API that the key is for.",
            default=ADMIN,
            choices=((ADMIN, "Admin: use, cost and members"), (CODE_TRACKING, "AI code tracking: lines in commits")),
        ),
        Field("token", "API key", "A key of the team for that API.", secret=True),
    )
    permissions = """\
- **Admin API**: an *Admin API key* of the team, which its administrators create in the dashboard, under Settings. A
  read-only key is enough.
- **AI code tracking** (Enterprise): a key for that API, created in the same place.
"""

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": basic_auth(self.settings.secrets.get("token", ""), "")}

    @property
    def reports(self) -> Sequence[str]:
        return REPORTS.get(self.settings.values.get("api") or ADMIN, REPORTS[ADMIN])

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        day = datetime.now(UTC).date() - DAY
        remedy = "Create a key for the API that the form names; keys of other APIs are refused."
        return [tried(NAMES[report], partial(_try, http, report, day), remedy) for report in self.reports]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for report in self.reports:
            yield ResourceDraft(ResourceKind.REPORT, external_id=report, name=NAMES[report])

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        report, today = resource.external_id, now.astimezone(UTC).date()
        if report == MEMBERS:
            yield _members_page(http, cursor, today)
            return
        oldest = today - HISTORY[report] * DAY
        for window in day_windows(cursor, end=today, oldest=oldest, again=AGAIN, most=AT_ONCE[report]):
            by_day = _by_day(http, report, window.first, window.end)
            records = [_record(report, day, rows) for day, rows in by_day.items()]
            yield Page(records, window.cursor, left=window.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)


def _try(http: Http, report: str, day: date) -> None:
    if report == MEMBERS:
        http.get("teams/members")
    else:
        _by_day(http, report, day, day + DAY)


def _record(report: str, day: date, rows: Sequence[Json]) -> RawRecord:
    return RawRecord({"day": day.isoformat(), "rows": rows}, NORMALISE[report], f"{report}:{day}", report)


def _members_page(http: Http, cursor: Cursor, today: date) -> Page:
    """The current team, read once a week, because Cursor does not report earlier members."""
    if "read_on" in cursor and today < date.fromisoformat(cursor["read_on"]) + MEMBERS_AGAIN:
        return Page((), cursor)
    members = list_in(http.get("teams/members").json(), "teamMembers", "Cursor answered teams/members")
    return Page([_record(MEMBERS, today, [as_record(member) for member in members])], {"read_on": today.isoformat()})


def _by_day(http: Http, report: str, first: date, end: date) -> Mapping[date, list[Json]]:
    if report == COMMITS:
        return {first: list(_commits(http, first))}
    name, is_one_day = TIMES[report], end - first == DAY
    rows = (
        row if is_one_day or _day_of(row.get(name)) else {"(time)": row.get(name)}
        for row in _list(http, report, first, end)
    )
    answered = f"Cursor answered with {NAMES[report].lower()}"
    return rows_by_day(rows, lambda row: _day_of(row.get(name)), first, end, answered)


def _list(http: Http, report: str, first: date, end: date) -> Iterator[Json]:
    """All rows of the days.

    Raises TransientError if a page is not the requested one, not a list, or full without saying whether more follow.
    """
    number = 1
    while True:
        params = {"startDate": _milliseconds(first), "endDate": _milliseconds(end) - 1}
        answer = http.post(PATHS[report], json={**params, "page": number, "pageSize": PER_PAGE}).json()
        rows = answer.get(ROWS[report]) if isinstance(answer, dict) else None
        pagination = object_of(answer, "pagination")
        if not isinstance(rows, list) or pagination.get("currentPage", pagination.get("page", number)) != number:
            raise TransientError(f"Cursor answered {PATHS[report]} with something other than page {number}.")
        if len(rows) == PER_PAGE and "hasNextPage" not in pagination:  # more would be the whole list
            raise TransientError(f"Cursor answered {PATHS[report]} without saying whether more follow.")
        yield from map(as_record, rows)
        if not pagination.get("hasNextPage"):
            return
        number += 1


def _commits(http: Http, day: date) -> Iterator[Json]:
    """All commits that Cursor assigns to the day: they are looked up by their ids, whenever they were made."""
    path, number, seen = "analytics/ai-code/commits", 1, 0
    while True:
        params = {"startDate": day.isoformat(), "endDate": (day + DAY).isoformat()}
        answer = http.get(path, params={**params, "page": number, "pageSize": COMMITS_PER_PAGE}).json()
        items = list_in(answer, "items", f"Cursor answered {path}")
        total_count = answer.get("totalCount")
        if answer.get("page", number) != number or not isinstance(total_count, int):
            raise TransientError(f"Cursor answered {path} with something other than page {number}.")
        yield from (as_record(fields_of(item, OF_COMMIT)) for item in items)
        seen += len(items)
        if seen >= total_count:
            return
        if not items:
            raise TransientError(f"Cursor answered {path} with {seen:,} of {total_count:,} commits.")
        number += 1


def _day_of(milliseconds: Any) -> date | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
