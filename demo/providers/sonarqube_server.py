"""A simulated SonarQube: an analysis of each commit of the default branch, and the alerts of the history as issues.

with SonarQubeServer(history, token="x") as sonarqube:
    connect to sonarqube.url with that token
    sonarqube.advance(to)      # what happened until then is there now

It answers what Headway's connector asks: lists with their paging, and measures by time, as the Web API documents them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demo.plan.delivery import CodeScanningAlert, Commit, DeliveryHistory
from demo.providers.faults import Answer, Fault, Request
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

_LARGEST_PAGE = 500
_LINES = 1000
_SEVERITIES = {"critical": "BLOCKER", "high": "CRITICAL", "medium": "MAJOR", "low": "MINOR", "": "INFO"}
Json = dict[str, Any]


class SonarQubeServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given.  `organization` as on Cloud."""

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        at: datetime | None = None,
        organization: str = "",
        faults: Iterable[Fault] = (),
        port: int = 0,
    ) -> None:
        super().__init__("SonarQube", faults=faults, port=port)
        self._token, self._organization = token, organization
        self.hidden: set[str] = set()  # paths that the token's user may not read
        self._shown = HistoryAt(history, at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self._shown = HistoryAt(self._shown.history, to)

    def show(self, history: DeliveryHistory) -> None:
        self._shown = HistoryAt(history, self._shown.at)

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return Answer(401, b"", {})
        routes: Mapping[str, Callable[[Request], Answer]] = {
            "/api/components/search": self._projects,
            "/api/project_analyses/search": self._analyses,
            "/api/measures/search_history": self._measures,
            "/api/issues/search": self._issues,
            "/api/project_branches/list": self._branches,
            "/api/project_links/search": self._links,
        }
        answer = routes.get(request.path)
        if answer is None:
            return _error(404, f"Unknown url : {request.path}")
        if request.path in self.hidden:
            return _error(403, "Insufficient privileges")
        return answer(request)

    def _projects(self, request: Request) -> Answer:
        if request.query.get("organization", "") != self._organization:
            return _error(400, "The 'organization' parameter is missing")
        projects = [{"key": f"acme_{name}", "name": name, "qualifier": "TRK"} for name in self._shown.repositories]
        return _paged(request, "components", projects)

    def _name(self, request: Request, parameter: str) -> str | None:
        name = request.query.get(parameter, "").removeprefix("acme_")
        return name if name in self._shown.repositories else None

    def _commits(self, name: str) -> Sequence[Commit]:
        """Newest first."""
        return list(reversed(self._shown.commits.get(name, [])))

    def _analyses(self, request: Request) -> Answer:
        name = self._name(request, "project")
        if name is None:
            return _error(404, "Component not found")
        since = _read(request.query.get("from"))
        analyses = [
            {"key": f"AX{commit.sha[:18]}", "date": _date(commit.committed_at), "revision": commit.sha, "events": []}
            for commit in self._commits(name)
            if since is None or commit.committed_at >= since
        ]
        return _paged(request, "analyses", analyses)

    def _measures(self, request: Request) -> Answer:
        name = self._name(request, "component")
        if name is None:
            return _error(404, "Component not found")
        since, until = (_read(request.query.get(bound)) for bound in ("from", "to"))
        commits = [
            commit
            for commit in reversed(self._commits(name))
            if (since is None or commit.committed_at >= since) and (until is None or commit.committed_at <= until)
        ]
        measures = [
            {
                "metric": metric,
                "history": [
                    {"date": _date(commit.committed_at), "value": str(value(commit))}
                    if not commit.subject.startswith("Docs")
                    else {"date": _date(commit.committed_at)}  # nothing was measured
                    for commit in commits
                ],
            }
            for metric in request.query.get("metrics", "").split(",")
            for value in [_MEASURES[metric]]
        ]
        paging = {"pageIndex": 1, "pageSize": int(request.query.get("ps", 100)), "total": len(commits)}
        return Answer.of({"paging": paging, "measures": measures})

    def _issues(self, request: Request) -> Answer:
        name = self._name(request, "componentKeys")
        if name is None:
            return _error(404, "Component not found")
        issues = [_issue(name, alert, self._shown.at) for alert in self._shown.alerts.get(name, [])]
        issues.sort(key=lambda issue: (issue["updateDate"], issue["key"]), reverse=True)
        return _paged(request, "issues", issues)

    def _branches(self, request: Request) -> Answer:
        name = self._name(request, "project")
        if name is None:
            return _error(404, "Project not found")
        branch = self._shown.repositories[name].default_branch
        return Answer.of({"branches": [{"name": branch, "isMain": True, "type": "BRANCH"}]})

    def _links(self, request: Request) -> Answer:
        name = self._name(request, "projectKey")
        if name is None:
            return _error(404, "Project not found")
        url = f"scm:git:https://github.com/{self._shown.history.organisation.login}/{name}.git"
        home = {"id": "1", "type": "homepage", "url": "https://shop.example.com"}
        return Answer.of({"links": [home, {"id": "2", "type": "scm", "url": url}]})


def _issue(project: str, alert: CodeScanningAlert, at: datetime) -> Json:
    ends = [ended for ended in (alert.fixed_at, alert.dismissed_at) if ended is not None and ended <= at]
    is_fixed = alert.fixed_at is not None and alert.fixed_at <= at
    is_dismissed = not is_fixed and bool(ends)
    issue = {
        "key": f"AY-{alert.number}",
        "rule": alert.rule,
        "severity": _SEVERITIES[alert.severity],
        "component": f"acme_{project}:{alert.path}",
        "project": f"acme_{project}",
        "message": "Remove this hard-coded password: hunter2",
        "type": "VULNERABILITY" if alert.severity else "BUG",
        "status": "CLOSED" if is_fixed else "RESOLVED" if is_dismissed else "OPEN",
        "creationDate": _date(alert.created_at),
        "updateDate": _date(max([alert.created_at, *ends])),
        "author": "max@example.com",
    }
    if is_fixed:
        issue |= {"resolution": "FIXED", "closeDate": _date(ends[0])}
    elif is_dismissed:
        issue |= {"resolution": "WONTFIX"}
    return issue


def _uncovered(commit: Commit) -> int:
    return int(commit.sha[:2], 16)


_MEASURES: Mapping[str, Callable[[Commit], Any]] = {
    "lines_to_cover": lambda commit: _LINES,
    "uncovered_lines": _uncovered,
    "lines": lambda commit: 2 * _LINES,
    "duplicated_lines": lambda commit: 2 * _uncovered(commit),
    "alert_status": lambda commit: "OK" if _uncovered(commit) < 200 else "ERROR",
    "reliability_rating": lambda commit: "1.0",
    "security_rating": lambda commit: "2.0",
    "sqale_rating": lambda commit: f"{1 + _uncovered(commit) % 5}.0",
}


def _paged(request: Request, within: str, entries: Sequence[Json]) -> Answer:
    number, size = int(request.query.get("p", 1)), min(int(request.query.get("ps", 100)), _LARGEST_PAGE)
    shown = entries[(number - 1) * size : number * size]
    return Answer.of({"paging": {"pageIndex": number, "pageSize": size, "total": len(entries)}, within: shown})


def _error(status: int, message: str) -> Answer:
    return Answer.of({"errors": [{"msg": message}]}, status=status)


def _date(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
