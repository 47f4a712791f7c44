"""A simulated GitHub API that shows the use, the teams and the seats of Copilot in one organisation.

Shapes as documented at docs.github.com/en/rest/copilot/{copilot-usage-metrics, copilot-user-management} and
docs.github.com/en/copilot/reference/copilot-usage-metrics/{example-schema, team-level-metrics}.  Files of reports are
at another host, which refuses a request that has a token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Any

from demo.plan.vendor_usage import VendorUse
from demo.providers.faults import Answer, Fault, Request
from demo.providers.simulated_server import SimulatedServer

_FILES, _TEAMS = "/files/", "/files/teams/"
_FOLDERS = {
    "/copilot/metrics/reports/users-1-day": _FILES,
    "/copilot/metrics/reports/user-teams-1-day": _TEAMS,
}
SMALLEST_TEAM = 5


class CopilotServer(SimulatedServer):
    """Shows the instant `at`; `page` is the most rows of a file or of an answer.

    A day's report is there once all of its use is counted.  The account of a use is a login.  `teams` are logins by
    slug; as at GitHub, those with fewer than five are in no report.
    """

    def __init__(
        self,
        uses: Sequence[VendorUse],
        *,
        token: str,
        at: datetime,
        owner: str = "orgs/acme",
        teams: Mapping[str, Sequence[str]] | None = None,
        faults: Iterable[Fault] = (),
        page: int = 100,
        port: int = 0,
    ) -> None:
        super().__init__("Copilot", faults=faults, port=port)
        self._uses, self._page_size, self.at = uses, page, at
        self._teams = {slug: logins for slug, logins in (teams or {}).items() if len(logins) >= SMALLEST_TEAM}
        self._authorization, self._owner = f"Bearer {token}", f"/{owner}"
        self.files = self.url.replace("127.0.0.1", "localhost")

    def advance(self, to: datetime) -> None:
        self.at = to

    def answer_of(self, request: Request) -> Answer:
        for folder, rows_of in self._reports.items():
            if request.path.startswith(folder):
                return self._file(request, folder, rows_of)
        if request.headers.get("authorization") != self._authorization:
            return Answer.of({"message": "Bad credentials", "status": "401"}, status=401)
        route = request.path.removeprefix(self._owner)
        if route == "/copilot/billing/seats":
            return self._seats(request)
        if route == "/copilot/metrics/reports/users-28-day/latest":
            return Answer.of({"download_links": [], "report_start_day": "", "report_end_day": ""})
        if files := _FOLDERS.get(route):
            return self._links(files, date.fromisoformat(request.query["day"]))
        return Answer.of({"message": "Not Found", "status": "404"}, status=404)

    @property
    def _reports(self) -> Mapping[str, Callable[[date], Sequence[Mapping[str, Any]]]]:
        return {_TEAMS: self._members, _FILES: self._rows}

    def _links(self, folder: str, day: date) -> Answer:
        rows = self._reports[folder](day)
        if not rows:
            return Answer(204)
        links = [f"{self.files}{folder}{day}/{begin}?sig=secret" for begin in range(0, len(rows), self._page_size)]
        return Answer.of({"download_links": links, "report_day": day.isoformat()})

    def _file(self, request: Request, folder: str, rows_of: Callable[[date], Sequence[Mapping[str, Any]]]) -> Answer:
        if "authorization" in request.headers or request.query.get("sig") != "secret":
            return Answer(403, b"<Error>AuthenticationFailed</Error>", {"Content-Type": "application/xml"})
        day, begin = request.path.removeprefix(folder).split("/")
        rows = rows_of(date.fromisoformat(day))[int(begin) : int(begin) + self._page_size]
        lines = "\n".join(json.dumps(row) for row in rows)
        return Answer(200, lines.encode(), {"Content-Type": "application/octet-stream"})

    def _rows(self, day: date) -> list[Mapping[str, Any]]:
        uses = sorted((use for use in self._uses if use.day == day), key=lambda use: use.account)
        if any(use.known_at > self.at for use in uses):
            return []
        return [_row(list(of_account)) for _, of_account in groupby(uses, key=lambda use: use.account)]

    def _members(self, day: date) -> list[Mapping[str, Any]]:
        """One for each person and team, of days that have a report of use."""
        if not self._rows(day):
            return []
        return [
            {
                **{"user_id": 1, "user_login": login, "day": day.isoformat()},
                **{"organization_id": "22", "team_id": number, "slug": slug},
            }
            for number, (slug, logins) in enumerate(self._teams.items(), start=1)
            for login in logins
        ]

    def _seats(self, request: Request) -> Answer:
        last = {use.account: use.day for use in sorted(self._uses, key=lambda use: use.day) if use.known_at <= self.at}
        seats = [_seat(login, day) for login, day in sorted(last.items())]
        number = int(request.query.get("page", "1"))
        size = min(self._page_size, int(request.query.get("per_page", "50")))
        shown = seats[(number - 1) * size : number * size]
        following = f"{self.url}{request.path}?per_page={size}&page={number + 1}"
        more = {"Link": f'<{following}>; rel="next"'} if number * size < len(seats) else {}
        return Answer.of({"total_seats": len(seats), "seats": shown}, headers=more)


def _row(uses: Sequence[VendorUse]) -> Mapping[str, Any]:
    """Use of the CLI is in `totals_by_cli` alone."""
    requests, tokens = sum(use.requests for use in uses), sum(use.output for use in uses)
    added = sum(use.lines_added for use in uses)
    return {
        "day": uses[0].day.isoformat(),
        "user_id": 1,
        "user_login": uses[0].account,
        "organization_id": "22",
        "user_initiated_interaction_count": requests,
        "code_generation_activity_count": sum(use.accepted + use.rejected for use in uses),
        "code_acceptance_activity_count": sum(use.accepted for use in uses),
        "loc_suggested_to_add_sum": added * 2,
        "loc_suggested_to_delete_sum": 0,
        "loc_added_sum": added,
        "loc_deleted_sum": sum(use.lines_removed for use in uses),
        "used_agent": requests > 0,
        "used_chat": False,
        "used_cli": any(use.sessions for use in uses),
        "ai_credits_used": float(sum(use.cost for use in uses) * 100),
        "ai_adoption_phase": {"phase": "Phase 2", "phase_number": 2, "version": "v1"},
        "totals_by_cli": {
            "session_count": sum(use.sessions for use in uses),
            "request_count": requests,
            "prompt_count": requests,
            "token_usage": {
                "prompt_tokens_sum": sum(use.uncached_input + use.cache_read for use in uses),
                "output_tokens_sum": tokens,
                "avg_tokens_per_request": 4400.0,
            },
        },
        "totals_by_ide": [],
        "totals_by_feature": [],
    }


def _seat(login: str, last: date) -> Mapping[str, Any]:
    return {
        "created_at": "2025-08-03T18:00:00-06:00",
        "updated_at": "2025-09-23T15:00:00-06:00",
        "pending_cancellation_date": None,
        "last_activity_at": datetime.combine(last, time(10), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "last_activity_editor": "vscode/1.77.3/copilot/1.86.82",
        "plan_type": "business",
        "assignee": {"login": login, "id": 1, "type": "User"},
    }
