"""OpenAI as a connector: use and cost by day.

An organisation of the Platform has an Admin key; Codex in a ChatGPT workspace has a key with its own scope at another
host: each is a connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar
from urllib.parse import quote

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
from integrations.connectors.errors import TransientError
from integrations.connectors.openai.records import CODEX_USAGE, NORMALISE, USAGE_AND_COST
from integrations.connectors.unchecked import as_record, objects_of, text_of
from integrations.connectors.vendor_days import DAY, day_windows, listed, rows_by_day
from integrations.enums import Kind, ResourceKind

PLATFORM, CODEX = "platform", "codex"
HOSTS = {PLATFORM: "https://api.openai.com", CODEX: "https://api.chatgpt.com"}
REPORTS = {PLATFORM: USAGE_AND_COST, CODEX: CODEX_USAGE}
NAMES = {USAGE_AND_COST: "Usage and costs", CODEX_USAGE: "Codex usage"}
MAY_READ = {
    PLATFORM: "Create an Admin key, under Settings → Organization → Admin keys.",
    CODEX: "Ask OpenAI's support for the scope codex.enterprise.analytics.read, and check the workspace's ID.",
}
HISTORY = 364  # days
AGAIN = {USAGE_AND_COST: 2, CODEX_USAGE: 5}  # days that may still change
AT_ONCE = 7  # days in a page, and as many as a request gives by default
MEMBERS_PER_PAGE = 100


@register
class OpenAI(Connector):
    """Reports about an organisation's use of OpenAI, and its cost."""

    slug = "openai"
    name = "OpenAI"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPORT: (Kind.VENDOR_REPORT,)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Empty: that of the product chosen below.", required=False),
        Field(
            "product",
            "Product",
            "Whose reports to read; each has a key of its own.",
            default=PLATFORM,
            choices=((PLATFORM, "OpenAI Platform (API)"), (CODEX, "Codex in ChatGPT Enterprise")),
        ),
        Field("workspace", "Workspace ID", "Of the ChatGPT workspace, for Codex.", required=False),
        Field(
            "codex_projects",
            "Projects of Codex",
            "IDs of Platform projects whose API keys are only for Codex, separated by commas. Their bill is compared "
            "with Codex's spend.",
            required=False,
        ),
        Field("token", "API key", "An Admin key (Platform), or a key for Codex analytics.", secret=True),
    )
    permissions = """\
- **OpenAI Platform**: an *Admin key* (`sk-admin-…`), which owners of the organisation create under Settings →
  Organization → Admin keys, with *read* for usage and for members.
- **Codex in ChatGPT Enterprise**: a key of the Platform organisation that belongs to the workspace, with the scope
  `codex.enterprise.analytics.read` alone. OpenAI's support grants it.

Headway only reads with it.
"""

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        if values.get("product") == CODEX and not values.get("workspace", "").strip():
            return {"workspace": "Enter the ID of the ChatGPT workspace: it is in the admin console, under details."}
        return {}

    @property
    def base_url(self) -> str:
        return super().base_url or HOSTS.get(self._product, HOSTS[PLATFORM])

    @property
    def _product(self) -> str:
        return self.settings.values.get("product") or PLATFORM

    @property
    def _report(self) -> str:
        return REPORTS.get(self._product, USAGE_AND_COST)

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.settings.secrets.get('token', '')}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        day = datetime.now(UTC).date() - DAY
        remedy = MAY_READ.get(self._product, "")
        return [tried(NAMES[self._report], lambda: self._lists(http, day, day + DAY), remedy)]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        yield ResourceDraft(ResourceKind.REPORT, external_id=self._report, name=NAMES[self._report])

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """Read a week at a time; each of its days becomes one record."""
        report, today = self._report, now.astimezone(UTC).date()
        oldest = today - HISTORY * DAY
        for window in day_windows(cursor, end=today, oldest=oldest, again=AGAIN[report], most=AT_ONCE):
            records = [
                RawRecord({"day": day.isoformat(), **lists}, NORMALISE[report], f"{report}:{day}", report)
                for day, lists in self._lists(http, window.first, window.end).items()
            ]
            yield Page(records, window.cursor, left=window.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)

    def _lists(self, http: Http, first: date, end: date) -> Mapping[date, dict[str, Any]]:
        """The rows of each of these days, with the data needed to interpret them."""
        if self._report == CODEX_USAGE:
            path = f"v1/analytics/codex/workspaces/{quote(self.settings.values.get('workspace', '').strip())}/usage"
            params = {"start_time": _seconds(first), "end_time": _seconds(end), "group_by": "day", "limit": 100}
            rows = listed(http, path, params, of="OpenAI")
            return {day: {"rows": of_day} for day, of_day in _by_day(rows, first, end, "use of Codex").items()}
        usage = _by_day(_buckets(http, "usage/completions", first, end, USAGE_BY), first, end, "usage")
        costs = _by_day(_buckets(http, "costs", first, end, COSTS_BY), first, end, "costs")
        users = {text_of(row, "user_id") for rows in usage.values() for row in rows}
        emails = dict(_members(http)) if any(users) else {}
        known = {"codex_projects": self.listed("codex_projects")}
        return {
            day: {
                "usage": usage[day],
                "costs": costs[day],
                "emails": {user: emails[user] for row in usage[day] if (user := text_of(row, "user_id")) in emails},
                **known,
            }
            for day in usage
        }


USAGE_BY = ["user_id", "project_id", "api_key_id", "model"]
COSTS_BY = ["project_id", "line_item"]


def _buckets(http: Http, name: str, first: date, end: date, grouped: Sequence[str]) -> Iterator[Json]:
    """The rows of each day, with the day's beginning."""
    params = {
        "start_time": _seconds(first),
        "end_time": _seconds(end),
        "bucket_width": "1d",
        "group_by[]": list(grouped),
        "limit": (end - first).days,
    }
    for bucket in listed(http, f"v1/organization/{name}", params, of="OpenAI"):
        results = bucket.get("results")
        if not isinstance(results, list):
            raise TransientError(f"OpenAI answered {name} with a day that has no list of results.")
        for row in map(as_record, results):
            yield {**row, "start_time": bucket.get("start_time")}


def _members(http: Http) -> Iterator[tuple[str, str]]:
    """The e-mail addresses of the organisation's members, by their ids."""
    after = ""
    while True:
        params = {"limit": MEMBERS_PER_PAGE, **({"after": after} if after else {})}
        answer = http.get("v1/organization/users", params=params).json()
        members = objects_of(answer.get("data") if isinstance(answer, dict) else None)
        for member in members:
            if email := text_of(member, "email").strip().lower():
                yield text_of(member, "id"), email
        if not isinstance(answer, dict) or not answer.get("has_more"):
            return
        last = text_of(members[-1], "id") if members else ""
        if last in ("", after):
            raise TransientError("OpenAI answered with a list of members that cannot be continued.")
        after = last


def _by_day(rows: Iterator[Json], first: date, end: date, what: str) -> Mapping[date, list[Json]]:
    return rows_by_day(rows, _day_of, first, end, f"OpenAI answered with {what}")


def _day_of(row: Json) -> date | None:
    try:
        return datetime.fromtimestamp(int(row["start_time"]), UTC).date()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
