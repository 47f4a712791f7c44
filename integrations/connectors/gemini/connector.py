"""Gemini Code Assist as a connector: the use of a Google Cloud project by day, from Cloud Monitoring.

A service account signs a token with its key, which Google exchanges for one of an hour.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
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
from integrations.connectors.errors import PermanentError, TransientError
from integrations.connectors.gemini.records import METRICS, normalise_day
from integrations.connectors.signed_tokens import signed_token
from integrations.connectors.unchecked import as_record, object_of, text_of, time_of
from integrations.connectors.vendor_days import DAY, day_windows, days_of
from integrations.enums import Kind, ResourceKind

SCOPE = "https://www.googleapis.com/auth/monitoring.read"
TOKENS = "https://oauth2.googleapis.com/token"
METRIC = "cloudaicompanion.googleapis.com/code_assist"
HISTORY = 42  # days: six weeks, as Cloud Monitoring keeps points at least
AGAIN = 2  # days that may still change
AT_ONCE = 14  # days in a page
REPORT = "usage"
_LIFE, _CLOCK_SKEW = 3000, 60  # seconds


@register
class Gemini(Connector):
    """Reports about the use of Gemini Code Assist in Google Cloud projects."""

    slug = "gemini"
    name = "Gemini Code Assist"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPORT: (Kind.VENDOR_REPORT,)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of Cloud Monitoring.", default="https://monitoring.googleapis.com"),
        Field(
            "projects",
            "Projects",
            "IDs of Google Cloud projects, separated by commas. Empty: that of the service account.",
            required=False,
        ),
        Field("token", "Key of a service account", "The whole JSON file of the key.", secret=True, multiline=True),
    )
    permissions = """\
- A **service account** with the role *Monitoring Viewer* (`roles/monitoring.viewer`) on each project, and a JSON key of
  it.
- Developers need the role *Gemini Cloud Assist User* (`roles/geminicloudassist.user`) on the project to be counted.

Headway only reads with it.
"""

    @property
    def other_hosts(self) -> Sequence[str]:
        return (self._key.get("token_uri") or TOKENS,)

    @property
    def _key(self) -> Json:
        try:
            key = json.loads(self.settings.secrets.get("token", "") or "{}")
        except ValueError:
            return {}
        return key if isinstance(key, dict) else {}

    @property
    def _projects(self) -> Sequence[str]:
        return self.listed("projects") or [text_of(self._key, "project_id")]

    def sign(self, http: Http | None) -> Mapping[str, str]:
        """Exchange a token signed by the service account's key for one of Google's.

        https://developers.google.com/identity/protocols/oauth2/service-account
        """
        key = self._key
        remedy = "Paste the whole JSON file that Google Cloud generated for the key."
        if http is None or not text_of(key, "client_email"):
            raise PermanentError("The connection has no key of a service account.", what_to_do=remedy)
        issued, address = int(time.time()) - _CLOCK_SKEW, key.get("token_uri") or TOKENS
        claims = {"iss": key["client_email"], "scope": SCOPE, "aud": address, "iat": issued, "exp": issued + _LIFE}
        assertion = signed_token(text_of(key, "private_key"), claims, whose="The service account's", remedy=remedy)
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        token = text_of(http.post_form(address, grant).json(), "access_token")
        if not token:
            raise TransientError("Google answered the service account's key without a token.")
        return {"authorization": f"Bearer {token}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        day = datetime.now(UTC).date() - DAY
        remedy = (
            "Grant the service account the role Monitoring Viewer on the project, and enable Cloud Monitoring there."
        )
        return [
            tried(f"Use in {project}", partial(_by_day, http, project, day, day + DAY), remedy)
            for project in self._projects
        ]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for project in self._projects:
            yield ResourceDraft(ResourceKind.REPORT, external_id=f"{REPORT}:{project}", name=f"Usage of {project}")

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """Read two weeks at a time, with a request for each metric."""
        today, project = now.astimezone(UTC).date(), resource.external_id.partition(":")[2]
        for window in day_windows(cursor, end=today, oldest=today - HISTORY * DAY, again=AGAIN, most=AT_ONCE):
            records = [
                RawRecord(
                    {"report": resource.external_id, "project": project, "day": day.isoformat(), "rows": rows},
                    normalise_day,
                    f"{resource.external_id}:{day}",
                    REPORT,
                )
                for day, rows in _by_day(http, project, window.first, window.end).items()
            ]
            yield Page(records, window.cursor, left=window.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return normalise_day(payload)


def _by_day(http: Http, project: str, first: date, end: date) -> Mapping[date, list[Json]]:
    """The points of each day; a point that ends at midnight belongs to the day before.

    Raises TransientError if a point is of a day that was not requested.
    """
    found: dict[date, list[Json]] = {day: [] for day in days_of(first, end)}
    for metric in METRICS:
        for series in _series(http, project, metric, first, end):
            for point in map(as_record, series.get("points") or ()):
                at = time_of(object_of(point, "interval"), "endTime")
                day = (at.astimezone(UTC) - timedelta(microseconds=1)).date() if at else first
                if day not in (first - DAY, *found):  # an interval may begin with a point of the day before
                    raise TransientError(f"Google answered with use of {day} when asked for {first} to {end - DAY}.")
                if day in found:
                    found[day].append(
                        {
                            "metric": metric,
                            "kind": text_of(series, "metricKind"),
                            "end": text_of(object_of(point, "interval"), "endTime"),
                            "value": point.get("value"),
                        }
                    )
    return found


def _series(http: Http, project: str, metric: str, first: date, end: date) -> Iterator[Json]:
    """All time series of a metric.  Raises TransientError if a page is not a list, or links to itself."""
    path, token = f"v3/projects/{quote(project)}/timeSeries", ""
    params: dict[str, Any] = {
        "filter": f'metric.type = "{METRIC}/{metric}"',
        "interval.startTime": f"{first}T00:00:00Z",
        "interval.endTime": f"{end}T00:00:00Z",
    }
    while True:
        answer = http.get(path, params={**params, "pageToken": token} if token else params).json()
        if not isinstance(answer, dict) or not isinstance(answer.get("timeSeries", []), list):
            raise TransientError("Google answered with something other than time series.")
        yield from map(as_record, answer.get("timeSeries", []))
        following = text_of(answer, "nextPageToken")
        if not following:
            return
        if following == token:
            raise TransientError("Google's list of time series leads in a circle.")
        token = following
