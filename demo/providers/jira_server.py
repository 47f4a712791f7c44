"""A simulated Jira Cloud: a real HTTP server on loopback that shows the issues of a delivery history.

    with JiraServer(history, email="reader@example.com", token="x") as jira:
        connect to jira.url with that address and token
        jira.advance(to)      # what happened until then is there now

It answers what Headway's connector asks: searches with page tokens, changelogs of at most forty entries and their rest,
fields, statuses, boards and sprints.  `faults` spoil chosen requests; `requests` are the latest that were made.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

from demo.plan.delivery import DeliveryHistory, Repository
from demo.providers.faults import Answer, Fault, Request, with_faults
from demo.providers.jira_issues import FIELDS, STATUSES, JiraIssues
from demo.providers.record_states import HistoryAt

CHANGES_IN_SEARCH = 40
_PROJECT = re.compile(r"project = (\d+)")
_CHANGED = re.compile(r'updated >= "-(\d+)m"')
_LARGEST_BODY = 1_000_000
_SECONDS_BETWEEN_CHECKS = 0.05
_REMEMBERED = 20_000


class JiraServer:
    """`at` is the instant that is shown, the history's end where none is given; `page` the most issues of a search.

    `hidden` are ids of projects that the account may not browse.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        email: str,
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 100,
        port: int = 0,
    ) -> None:
        self.faults = list(faults)
        self.requests: list[str] = []
        self.hidden: set[int] = set()
        self._page = page
        self._authorization = "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()
        self._shown = HistoryAt(history, at or history.ends_at)
        self._http = _Listener(("127.0.0.1", port), _Handler)
        self._http.jira = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._listen, name="simulated Jira", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _listen(self) -> None:
        self._http.serve_forever(_SECONDS_BETWEEN_CHECKS)

    @property
    def at(self) -> datetime:
        return self._shown.at

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self._shown = HistoryAt(self._shown.history, to)

    @property
    def issues(self) -> JiraIssues:
        return JiraIssues(self._shown, self.url)

    def answer(self, request: Request) -> Answer:
        """What the client gets; notes the request."""
        self.requests.append(request.path)
        del self.requests[:-_REMEMBERED]
        return with_faults(self.faults, request, lambda: self._answer(request))

    def _answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return _refusal(401, "Client must be authenticated to access this resource.")
        for pattern, answer in self._routes():
            if (named := pattern.fullmatch(request.path)) is not None:
                return answer(request, *named.groups())
        return _refusal(404, "No such resource.")

    def _routes(self) -> Sequence[tuple[re.Pattern[str], Callable[..., Answer]]]:
        return (
            (re.compile("/rest/api/3/myself"), lambda request: Answer.of({"timeZone": "Europe/Berlin"})),
            (re.compile("/rest/api/3/serverInfo"), lambda request: Answer.of({"baseUrl": self.url})),
            (re.compile("/rest/api/3/field"), lambda request: Answer.of(list(FIELDS))),
            (re.compile("/rest/api/3/status"), self._statuses),
            (re.compile("/rest/api/3/project/search"), self._projects),
            (re.compile("/rest/api/3/search/jql"), self._search),
            (re.compile("/rest/api/3/search/approximate-count"), self._count),
            (re.compile(r"/rest/api/3/issue/(\d+)/changelog"), self._changelog),
            (re.compile(r"/rest/agile/1\.0/board"), self._boards),
            (re.compile(r"/rest/agile/1\.0/board/(\d+)/sprint"), self._sprints),
            (re.compile(r"/rest/agile/1\.0/sprint/(\d+)"), self._sprint),
        )

    @property
    def _repositories(self) -> list[Repository]:
        return [repository for repository in self.issues.repositories if repository.id not in self.hidden]

    def _statuses(self, request: Request) -> Answer:
        return Answer.of(
            [
                {"id": id_, "name": name, "statusCategory": {"key": category}}
                for id_, (name, category) in STATUSES.items()
            ]
        )

    def _projects(self, request: Request) -> Answer:
        return Answer.of(_page(request, [self.issues.project(repository) for repository in self._repositories]))

    def _boards(self, request: Request) -> Answer:
        boards = [
            {
                "id": repository.id,
                "name": f"{repository.name} board",
                "type": "scrum",
                "location": {"projectKey": self.issues.project_key(repository)},
            }
            for repository in self._repositories
        ]
        return Answer.of(_page(request, boards))

    def _sprints(self, request: Request, board: str) -> Answer:
        wanted = set(request.query.get("state", "active,future,closed").split(","))
        sprints = self.issues.sprints(int(board))
        return Answer.of(_page(request, [sprint for sprint in sprints if sprint["state"] in wanted]))

    def _sprint(self, request: Request, sprint: str) -> Answer:
        found = [one for one in self.issues.sprints(int(sprint) // 1000) if one["id"] == int(sprint)]
        return Answer.of(found[0]) if found else _refusal(404, "Sprint does not exist or you do not have permission.")

    def _count(self, request: Request) -> Answer:
        return Answer.of({"count": len(self._matching(str(request.json().get("jql", ""))))})

    def _search(self, request: Request) -> Answer:
        jql = request.query.get("jql", "")
        project = _PROJECT.search(jql)
        if project is not None and int(project[1]) in self.hidden:
            return _refusal(400, f"The value '{project[1]}' does not exist for the field 'project'.")
        found = self._matching(jql)
        token = request.query.get("nextPageToken", "")
        start = int(base64.b64decode(token)) if token else 0
        page = found[start : start + min(int(request.query.get("maxResults", "50")), self._page)]
        named = {*request.query.get("fields", "").split(",")}
        with_changes = "changelog" in request.query.get("expand", "")
        document: dict[str, Any] = {"issues": [_shown(issue, named, with_changes=with_changes) for issue in page]}
        until = start + len(page)
        if until < len(found):
            document |= {"nextPageToken": base64.b64encode(str(until).encode()).decode(), "isLast": False}
        else:
            document["isLast"] = True
        return Answer.of(document)

    def _matching(self, jql: str) -> list[dict[str, Any]]:
        project, changed = _PROJECT.search(jql), _CHANGED.search(jql)
        projects = [int(project[1])] if project else [one.id for one in self.issues.repositories]
        found = [issue for one in projects for issue in self.issues.of_project(one)]
        if changed is None:
            return found
        since = self.at - timedelta(minutes=int(changed[1]))
        return [issue for issue in found if datetime.fromisoformat(issue["fields"]["updated"]) >= since]

    def _changelog(self, request: Request, issue: str) -> Answer:
        known = self._shown.issues_by_id.get(issue)
        if known is None:
            return _refusal(404, "Issue does not exist or you do not have permission to see it.")
        return Answer.of(_page(request, self.issues.document(known.issue)["changelog"]))


def _shown(issue: dict[str, Any], named: set[str], *, with_changes: bool) -> dict[str, Any]:
    """The fields that are asked for; of its changes the latest forty, the last one first."""
    shown = {**issue, "fields": {name: value for name, value in issue["fields"].items() if name in named}}
    changes = shown.pop("changelog")
    if with_changes:
        latest = changes[::-1][:CHANGES_IN_SEARCH]
        shown["changelog"] = {"startAt": 0, "maxResults": len(latest), "total": len(changes), "histories": latest}
    return shown


def _page(request: Request, values: Sequence[Any]) -> dict[str, Any]:
    start, most = int(request.query.get("startAt", "0")), int(request.query.get("maxResults", "50"))
    page = list(values[start : start + most])
    return {
        "startAt": start,
        "maxResults": most,
        "total": len(values),
        "isLast": start + len(page) >= len(values),
        "values": page,
    }


def _refusal(status: int, message: str) -> Answer:
    return Answer.of({"errorMessages": [message], "errors": {}}, status=status)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    jira: JiraServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is a fault that is tested, not one to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY)
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        try:
            answer = cast("_Listener", self.server).jira.answer(request)
        except (ValueError, json.JSONDecodeError):
            answer = _refusal(400, "The request cannot be read.")
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.cut_after is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in JiraServer.requests."""
