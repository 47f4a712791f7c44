"""A simulated Google Cloud: it exchanges a service account's token, and has time series of Gemini Code Assist.

Shapes as documented at developers.google.com/identity/protocols/oauth2/service-account and
docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from demo.plan.vendor_usage import VendorUse
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer

PROJECT, ACCOUNT = "crates-1", "headway@crates-1.iam.gserviceaccount.com"
_TOKEN = "ya29.of_the_tests"  # noqa: S105  # simulated
_DELTAS = {"chat_responses_count": "requests", "code_lines_accepted_count": "lines_added"}


class GeminiServer(SimulatedServer):
    """Shows the instant `at`; an answer has the series of `page` languages."""

    def __init__(
        self,
        uses: Sequence[VendorUse],
        *,
        at: datetime,
        faults: Iterable[Fault] = (),
        page: int = 2,
        port: int = 0,
    ) -> None:
        super().__init__("Gemini", faults=faults, port=port)
        self._uses, self._page_size, self.at = uses, page, at

    def advance(self, to: datetime) -> None:
        self.at = to

    def answer_of(self, request: Request) -> Answer:
        if request.path == "/token":
            return self._exchanged(dict(parse_qsl(request.body.decode())))
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if request.path != f"/v3/projects/{PROJECT}/timeSeries":
            return _refusal(403, "PERMISSION_DENIED", "Permission monitoring.timeSeries.list denied.")
        return self._series(request)

    def _exchanged(self, form: Mapping[str, str]) -> Answer:
        """The claims are read; that the signature is right is not checked here."""
        claims = json.loads(base64.urlsafe_b64decode(form["assertion"].split(".")[1] + "=="))
        if claims["iss"] != ACCOUNT or claims["aud"] != f"{self.url}/token" or "monitoring.read" not in claims["scope"]:
            return Answer.of({"error": "invalid_grant", "error_description": "Invalid JWT"}, status=400)
        return Answer.of({"access_token": _TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    def _series(self, request: Request) -> Answer:
        first, end = (date.fromisoformat(request.query[f"interval.{name}Time"][:10]) for name in ("start", "end"))
        metric = request.query["filter"].rpartition("/")[2].rstrip('"')
        days = [first + number * timedelta(days=1) for number in range((end - first).days)]
        known = {day: [use for use in self._uses if use.day == day and use.known_at <= self.at] for day in days}
        languages = ("go", "python") if metric in _DELTAS else ("",)
        begin = int(request.query.get("pageToken", "page_0").removeprefix("page_"))
        end_of_page = begin + self._page_size
        shown = [_one_series(metric, language, known) for language in languages[begin:end_of_page]]
        more = {"nextPageToken": f"page_{end_of_page}"} if end_of_page < len(languages) else {}
        return Answer.of({"timeSeries": shown, **more} if any(known.values()) else {})


def _one_series(metric: str, language: str, known: Mapping[date, Sequence[VendorUse]]) -> Mapping[str, Any]:
    points = [_point(day, _value(metric, uses, language)) for day, uses in known.items() if uses]
    return {
        "metric": {"type": f"cloudaicompanion.googleapis.com/code_assist/{metric}", "labels": {}},
        "resource": {"type": "cloudaicompanion.googleapis.com/Instance", "labels": {"project_id": PROJECT}},
        "metricKind": "DELTA" if metric in _DELTAS else "GAUGE",
        "valueType": "INT64",
        "points": points[::-1],  # newest first
    }


def _value(metric: str, uses: Sequence[VendorUse], language: str) -> int:
    if metric == "daily_active_users":
        return len({use.account for use in uses})
    whole: int = sum(getattr(use, _DELTAS[metric]) for use in uses)
    return whole // 2 if language == "go" else whole - whole // 2


def _point(day: date, value: int) -> Mapping[str, Any]:
    """A day's point, in an interval that ends at midnight."""
    end = f"{day + timedelta(days=1)}T00:00:00Z"
    return {"interval": {"startTime": f"{day}T00:00:00Z", "endTime": end}, "value": {"int64Value": str(value)}}


def _refusal(code: int, status: str, message: str) -> Answer:
    return Answer.of({"error": {"code": code, "message": message, "status": status}}, status=code)
