"""A simulated Jira, Cloud or Data Center: a real HTTP server on loopback that shows the issues of a delivery history.

    with JiraServer(history, email="reader@example.com", token="x") as jira:
        connect to jira.url with that address and token
        jira.advance(to)      # what happened until then is there now

It answers what Headway's connector asks: searches with page tokens, changelogs of at most forty entries and their rest,
fields, statuses, boards and sprints, and takes issues that are written (`written`).  `faults` spoil chosen requests;
`requests` are the latest that were made.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.plan.delivery import DeliveryHistory, Repository
from demo.plan.repositories import project_key
from demo.providers.faults import Answer, Fault, Request
from demo.providers.jira_issues import FIELDS, STATUSES, JiraIssues
from demo.providers.jira_written import WrittenIssues
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

CHANGES_IN_SEARCH = 40
_PROJECT = re.compile(r"project = (\d+)")
_CHANGED = re.compile(r"updated >= (\d+)")
_LABELLED = re.compile(r'labels = "([^"]+)"')
_AS_CLOUD = {"/rest/api/2/search": "/rest/api/3/search/jql", "/rest/api/2/project": "/rest/api/3/project/search"}
_FILLED_IN = re.compile(r"cf\[(\d+)\] is not EMPTY")


class JiraServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given; `page` the most issues of a search.

    `hidden` are ids of projects that the account may not browse, `deleted_sprints` those of sprints that somebody
    deleted.  Without an e-mail address it is a Data Center.  `web` is the address of its pages, where that is not the
    API's; `written_file` keeps what is written.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        email: str = "",
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 100,
        web: str = "",
        written_file: Path | None = None,
        port: int = 0,
    ) -> None:
        super().__init__("Jira", faults=faults, port=port)
        self.hidden: set[int] = set()
        self.deleted_sprints: set[int] = set()
        self.written = WrittenIssues(self._project, written_file)
        self._page, self._web = page, web or self.url
        self._is_cloud = bool(email)
        self.give(email, token)
        self.show(history, at or history.ends_at)

    @property
    def at(self) -> datetime:
        return self._shown.at

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self.show(self._shown.history, to)

    def show(self, history: DeliveryHistory, at: datetime) -> None:
        """Show another history from the next request on."""
        self._shown = HistoryAt(history, at)
        self.issues = JiraIssues(self._shown, self.url)
        self.clock_ahead = at - datetime.now(UTC)

    def give(self, email: str, token: str) -> None:
        """The one token from now on."""
        pair = base64.b64encode(f"{email}:{token}".encode()).decode()
        self._authorization = f"Basic {pair}" if email else f"Bearer {token}"

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return _refusal(401, "Client must be authenticated to access this resource.")
        path = (
            request.path if self._is_cloud else _AS_CLOUD.get(request.path, request.path.replace("/api/2/", "/api/3/"))
        )
        for pattern, answer in self._routes():
            if (named := pattern.fullmatch(path)) is not None:
                return answer(request, *named.groups())
        return self.written.answer(path, request) or _refusal(404, "No such resource.")

    def _routes(self) -> Sequence[tuple[re.Pattern[str], Callable[..., Answer]]]:
        return (
            (re.compile("/rest/api/3/myself"), lambda request: Answer.of({"timeZone": "Europe/Berlin"})),
            (re.compile("/rest/api/3/serverInfo"), lambda request: Answer.of({"baseUrl": self._web})),
            (re.compile("/rest/api/3/field"), lambda request: Answer.of(list(FIELDS))),
            (re.compile("/rest/api/3/status"), self._statuses),
            (re.compile("/rest/api/3/project/search"), self._projects),
            (re.compile("/rest/api/3/search/jql"), self._search),
            (re.compile("/rest/api/3/search/approximate-count"), self._count),
            (re.compile(r"/rest/api/3/issue/(\d+)/changelog"), self._changelog),
            (re.compile(r"/rest/agile/1\.0/board"), self._boards),
            (re.compile(r"/rest/agile/1\.0/board/(\d+)/sprint"), self._sprints),
            (re.compile(r"/rest/agile/1\.0/sprint/(\d+)"), self._sprint),
            (re.compile(r"/rest/greenhopper/1\.0/rapid/charts/sprintreport"), self._sprint_report),
        )

    @property
    def _most_changes(self) -> int:
        """The most changes of an issue in a search result; Data Center has no other list, and returns all."""
        return CHANGES_IN_SEARCH if self._is_cloud else 10_000

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

    def _project(self, id_: str) -> dict[str, Any] | None:
        return next((self.issues.project(one) for one in self._repositories if str(one.id) == id_), None)

    def _projects(self, request: Request) -> Answer:
        if not self._is_cloud:
            return Answer.of([self.issues.project(repository) for repository in self._repositories])
        return Answer.of(_page(request, [self.issues.project(repository) for repository in self._repositories]))

    def _boards(self, request: Request) -> Answer:
        boards = [
            {
                "id": repository.id,
                "name": f"{repository.name} board",
                "type": "scrum",
                **({"location": {"projectKey": project_key(repository.name)}} if self._is_cloud else {}),
            }
            for repository in self._repositories
            if request.query.get("projectKeyOrId") in (None, project_key(repository.name))
        ]
        return Answer.of(_page(request, boards))

    def _sprints(self, request: Request, board: str) -> Answer:
        wanted = set(request.query.get("state", "active,future,closed").split(","))
        return Answer.of(_page(request, [one for one in self._sprints_of(int(board)) if one["state"] in wanted]))

    def _sprint(self, request: Request, sprint: str) -> Answer:
        found = [one for one in self._sprints_of(int(sprint) // 1000) if one["id"] == int(sprint)]
        return Answer.of(found[0]) if found else _refusal(404, "Sprint does not exist or you do not have permission.")

    def _sprint_report(self, request: Request) -> Answer:
        board, sprint = int(request.query["rapidViewId"]), int(request.query["sprintId"])
        if sprint not in {one["id"] for one in self._sprints_of(board) if one["state"] == "closed"}:
            return _refusal(404, "No such sprint.")
        return Answer.of(self.issues.sprint_report(board, sprint))

    def _sprints_of(self, board: int) -> list[dict[str, Any]]:
        return [sprint for sprint in self.issues.sprints(board) if sprint["id"] not in self.deleted_sprints]

    def _count(self, request: Request) -> Answer:
        return Answer.of({"count": len(self._matching(str(request.json().get("jql", ""))))})

    def _search(self, request: Request) -> Answer:
        jql = request.query.get("jql", "")
        project = _PROJECT.search(jql)
        if project is not None and int(project[1]) in self.hidden:
            return _refusal(400, f"The value '{project[1]}' does not exist for the field 'project'.")
        found = self._matching(jql)
        token = request.query.get("nextPageToken", "")
        start = int(base64.b64decode(token)) if token else int(request.query.get("startAt", "0"))
        page = found[start : start + min(int(request.query.get("maxResults", "50")), self._page)]
        named = {*request.query.get("fields", "").split(",")}
        with_changes = "changelog" in request.query.get("expand", "")
        document: dict[str, Any] = {
            "issues": [_shown(issue, named, self._most_changes if with_changes else None) for issue in page]
        }
        if not self._is_cloud:
            return Answer.of({**document, "startAt": start, "maxResults": len(page), "total": len(found)})
        until = start + len(page)
        if until < len(found):
            document |= {"nextPageToken": base64.b64encode(str(until).encode()).decode(), "isLast": False}
        else:
            document["isLast"] = True
        return Answer.of(document)

    def _of_project(self, project: int) -> list[dict[str, Any]]:
        written = [
            {name: value for name, value in one.items() if name != "keys"} for one in self.written.of_project(project)
        ]
        return [*written[::-1], *self.issues.of_project(project)]

    def _matching(self, jql: str) -> list[dict[str, Any]]:
        project, changed = _PROJECT.search(jql), _CHANGED.search(jql)
        projects = [int(project[1])] if project else [one.id for one in self.issues.repositories]
        found = [issue for one in projects for issue in self._of_project(one)]
        if (labelled := _LABELLED.search(jql)) is not None:
            found = [issue for issue in found if labelled[1] in issue["fields"]["labels"]]
        if (filled_in := _FILLED_IN.search(jql)) is not None:
            found = [issue for issue in found if issue["fields"].get(f"customfield_{filled_in[1]}") is not None]
        if changed is None:
            return found
        since = datetime.fromtimestamp(int(changed[1]) / 1000, UTC)
        return [issue for issue in found if datetime.fromisoformat(issue["fields"]["updated"]) >= since]

    def _changelog(self, request: Request, issue: str) -> Answer:
        known = self._shown.issues_by_id.get(issue)
        if known is None:
            return _refusal(404, "Issue does not exist or you do not have permission to see it.")
        return Answer.of(_page(request, self.issues.document(known.issue)["changelog"]))


def _shown(issue: dict[str, Any], named: set[str], changes_shown: int | None) -> dict[str, Any]:
    """The fields that are asked for; of its changes the latest, the last one first."""
    shown = {**issue, "fields": {name: value for name, value in issue["fields"].items() if name in named}}
    changes = shown.pop("changelog")
    if changes_shown is not None:
        latest = changes[::-1][:changes_shown]
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
