"""GitHub Copilot as a connector: use by person and day, people's teams on that day, and seats.

The report of a day is read in two steps: GitHub answers with signed links to files at another host, to which no token
is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import ClassVar
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
    Refused,
    ResourceDraft,
    register,
    tried,
)
from integrations.connectors.copilot.records import NORMALISE, SEATS, TEAMS, USAGE
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import ConnectorError, GoneError, PermanentError, TransientError
from integrations.connectors.github.authentication import HEADERS
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.refusal import meaning_of
from integrations.connectors.unchecked import as_record, text_of
from integrations.connectors.vendor_days import DAY, day_windows, days_of, rows_by_day
from integrations.enums import Kind, ResourceKind

FIRST_DAY = date(2025, 10, 10)  # no report goes back further
HISTORY = 364  # days
AGAIN = 3  # days whose report may still come; one that is there does not change
AT_ONCE = 7  # days in a page
SEATS_AGAIN = 7 * DAY
NAMES = {USAGE: "Usage", TEAMS: "Teams", SEATS: "Seats"}
PATHS = {USAGE: "users-1-day", TEAMS: "user-teams-1-day"}  # of reports by day
NONE_YET = (
    "Set the policy “Copilot usage metrics” to “Enabled everywhere”, and grant what the form names. GitHub has no "
    "report of an organisation with few members, or of days without use."
)
MAY_READ = {  # the report of teams takes the permission of that of use
    USAGE: NONE_YET,
    SEATS: "Grant “GitHub Copilot Business: read” (organisation), or a classic token the scope manage_billing:copilot.",
}


@register
class Copilot(Connector):
    """Reports about the use of Copilot in organisations or an enterprise, and who has a seat."""

    slug = "copilot"
    name = "GitHub Copilot"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPORT: (Kind.VENDOR_REPORT,)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the REST API.", default="https://api.github.com"),
        Field(
            "organisations",
            "Organisations",
            "Whose use to read, separated by commas. Leave empty for a whole enterprise.",
            required=False,
        ),
        Field(
            "enterprise", "Enterprise", "Its name in the address of its page, instead of organisations.", required=False
        ),
        Field("token", "Token", "A personal access token, fine-grained or classic.", secret=True),
    )
    permissions = """\
The policy *Copilot usage metrics* must be *Enabled everywhere*, in the enterprise's or organisation's AI controls.

**Fine-grained token**, whose resource owner is the organisation or enterprise:

- Organization Copilot metrics: read (for an enterprise: Enterprise Copilot metrics: read)
- GitHub Copilot Business: read, for the seats of an organisation

**Classic token**: the scope `read:org` for an organisation's use, `manage_billing:copilot` for an enterprise's use and
for seats. An enterprise's seats take a classic token.

Headway only reads with it: no seat is given or removed.
"""

    @classmethod
    def mistakes(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        named = [name for name in ("organisations", "enterprise") if values.get(name, "").strip()]
        if len(named) == 1:
            return {}
        problem = (
            "An enterprise contains its organisations: enter only one of the two."
            if named
            else "Enter whose use to read."
        )
        return {"organisations": problem}

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {**HEADERS, "authorization": f"Bearer {self.settings.secrets.get('token', '')}"}

    def refusal(self, answer: Refused) -> ConnectorError | None:
        return meaning_of(answer)

    @property
    def _owners(self) -> Sequence[str]:
        """The path prefixes of the owners whose reports are read."""
        enterprise = self.settings.values.get("enterprise", "").strip()
        return (
            [f"enterprises/{enterprise}"] if enterprise else [f"orgs/{name}" for name in self.listed("organisations")]
        )

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        return [
            tried(f"{NAMES[report]} of {_name(owner)}", partial(_try, http, report, owner), MAY_READ[report])
            for owner in self._owners
            for report in MAY_READ
        ]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for owner in self._owners:
            for report, name in NAMES.items():
                yield ResourceDraft(
                    ResourceKind.REPORT, external_id=f"{report}:{owner}", name=f"{name} of {_name(owner)}"
                )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        report, _, owner = resource.external_id.partition(":")
        today = now.astimezone(UTC).date()
        if report == SEATS:
            yield from _fetch_seats(http, owner, cursor, today)
        else:
            yield from _fetch_days(http, report, owner, cursor, today)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return NORMALISE[source](payload)


def _fetch_days(http: Http, report: str, owner: str, cursor: Cursor, today: date) -> Iterator[Page]:
    """Read a week at a time.  `read` in the cursor are the latest days for which a report existed.

    An organisation may have no team that is large enough, but without any use there is nothing to read.
    """
    read = {date.fromisoformat(day) for day in cursor.get("read", ())}
    oldest = max(today - HISTORY * DAY, FIRST_DAY)
    for window in day_windows(cursor, end=today, oldest=oldest, again=AGAIN, most=AT_ONCE):
        records = []
        for day in days_of(window.first, window.end):
            if day not in read and (rows := _rows_of(http, report, owner, day)) is not None:
                records.append(_record(report, owner, day, rows))
                read.add(day)
        if report == USAGE and not cursor and not records:
            raise PermanentError(f"GitHub has no report of the last days about {_name(owner)}.", what_to_do=NONE_YET)
        latest = sorted(day.isoformat() for day in read if day >= today - AGAIN * DAY)
        cursor = {**window.cursor, "read": latest}
        yield Page(records, cursor, left=window.left)


def _fetch_seats(http: Http, owner: str, cursor: Cursor, today: date) -> Iterator[Page]:
    """Read the current seats once a week, because GitHub does not report earlier ones."""
    if "read_on" in cursor and today < date.fromisoformat(cursor["read_on"]) + SEATS_AGAIN:
        yield Page((), cursor)
        return
    rows = [as_record(seat) for seat in list_all(http, _seats(owner), within="seats")]
    yield Page([_record(SEATS, owner, today, rows)], {"read_on": today.isoformat()})


def _record(report: str, owner: str, day: date, rows: Sequence[Json]) -> RawRecord:
    name = f"{report}:{owner}"
    payload = {"report": name, "day": day.isoformat(), "rows": rows}
    return RawRecord(payload, NORMALISE[report], f"{name}:{day}", report)


def _rows_of(http: Http, report: str, owner: str, day: date) -> list[Json] | None:
    """The rows of a day, one per person, or per person and team; None if GitHub has no report of it, or not yet.

    Raises TransientError if the answer is about another day, or names no files.
    """
    try:
        answer = http.get(f"{_reports(owner)}/{PATHS[report]}", params={"day": day.isoformat()}).json()
    except GoneError:
        return None
    if not answer:  # 204, or an empty text
        return None
    links = answer.get("download_links") if isinstance(answer, dict) else None
    if not isinstance(links, list) or not all(isinstance(link, str) for link in links):
        raise TransientError(f"GitHub answered with something other than the files of its report of {day}.")
    if text_of(answer, "report_day") not in ("", day.isoformat()):
        raise TransientError(f"GitHub answered with the report of another day than {day}.")
    rows = [as_record(row) for link in links for row in http.download(link)]
    return rows_by_day(rows, _day_of, day, day + DAY, "GitHub answered with use")[day]


def _try(http: Http, report: str, owner: str) -> None:
    if report == SEATS:
        http.get(_seats(owner), params={"per_page": 1})
    else:
        http.get(f"{_reports(owner)}/users-28-day/latest")


def _reports(owner: str) -> str:
    return f"{quote(owner)}/copilot/metrics/reports"


def _seats(owner: str) -> str:
    return f"{quote(owner)}/copilot/billing/seats"


def _name(owner: str) -> str:
    return owner.partition("/")[2]


def _day_of(row: Json) -> date | None:
    try:
        return date.fromisoformat(text_of(row, "day"))
    except ValueError:
        return None
