"""A simulated organisation of Azure DevOps that shows a delivery history, with its lists and continuation tokens.

with AzureServer(history, token="x") as azure:
    connect to azure.url with that token
    azure.advance(to)      # what happened until then is there now
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from demo.plan.delivery import DeliveryHistory, Repository
from demo.providers import azure_written as write
from demo.providers.azure_plans import AzurePlans
from demo.providers.faults import Answer, Fault, Request
from demo.providers.record_states import HistoryAt, PullRequestState, history_of
from demo.providers.simulated_server import SimulatedServer

_OF_PROJECT = re.compile(r"/([^/]+)/_apis/(.+)")
_OF_REPOSITORY = re.compile(r"git/repositories/([^/]+)/pullrequests(?:/(\d+)(?:/(threads|commits|iterations))?)?")
_TIMELINE = re.compile(r"build/builds/(\d+)/timeline(?:/([0-9a-f-]{36}))?")
_ENVIRONMENTS = "distributedtask/environments"
_AFTER = re.compile(r"\[System\.ChangedDate\] >= '([^']+)'")
_BEFORE = re.compile(r"\[System\.ChangedDate\] < '([^']+)'")
_GROUP = re.compile(r"\(\((.+?)\)\)")
_CLAUSE = re.compile(r"\[([\w.]+)\] (=|CONTAINS) '((?:[^']|'')*)'")
Documents = Sequence[Mapping[str, Any]]
_Items = dict[int, tuple[dict[str, Any], list[dict[str, Any]]]]  # work items with their updates, by id


class AzureServer(SimulatedServer):
    """One organisation with one project.  `at` is the instant that is shown, by default the history's end;
    `page` the most entries of a list with continuation tokens.

    `teams` are those of repositories by name: each has a project of its own, which plans in iterations with points.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 100,
        port: int = 0,
        web: str = "",
        teams: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__("Azure DevOps", faults=faults, port=port)
        self._history, self._page_size, self._teams = history, page, teams
        self.accepts = f"Basic {base64.b64encode(f':{token}'.encode()).decode()}"
        self._web = web or self.url
        self.project = write.project(history.organisation.login, history.organisation.id)
        self._numbered: dict[str, dict[int, int]] = {}
        for issue in history.issues:
            self._numbered.setdefault(issue.repository.name, {})[issue.number] = issue.id
        self.releases: list[dict[str, Any]] = []
        self.iterations: list[dict[str, Any]] = []  # nodes with attributes
        self.iteration_changes: dict[int, list[tuple[datetime, int, int]]] = {}  # by work item: when, from, to
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self._shown = HistoryAt(self._history, to)
        self._of_teams: dict[str, HistoryAt] = {}
        self._items_of_teams: dict[str, _Items] = {}
        self.clock_ahead = to - datetime.now(UTC)

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self.accepts:
            return Answer(203, b"<!DOCTYPE html><title>Sign In</title>", {"Content-Type": "text/html"})
        if not request.query.get("api-version"):
            return _refusal(400, "No api-version was supplied for the request.")
        shown = self._shown
        projects = {one.name: self.project_of(one) for one in shown.repositories.values()}
        if request.path == "/_apis/projects":
            once = {str(one["id"]): one for one in projects.values()}
            return self._tokened(request, list(once.values()))
        if request.path == "/_apis/git/repositories":
            of_all = shown.repositories.values()
            return _listed([write.repository(one, projects[one.name], self._web) for one in of_all])
        route = _OF_PROJECT.fullmatch(request.path)
        names = [name for name, one in projects.items() if route and route[1] in (one["id"], one["name"])]
        if route is None or not names:
            return _refusal(404, "TF200016: The following project does not exist.")
        if self._teams:
            shown = self._of_teams.setdefault(route[1], HistoryAt(history_of(self._history, names), self.at))
        return self._of_project(request, shown, route[2])

    def project_of(self, repository: Repository) -> Mapping[str, Any]:
        """The project that a repository is in."""
        team = self._teams.get(repository.name)
        return write.project(team, repository.id) if team else self.project

    def _of_project(self, request: Request, shown: HistoryAt, path: str) -> Answer:
        if route := _OF_REPOSITORY.fullmatch(path):
            names = [one.name for one in shown.repositories.values() if write.guid(one.id) == route[1]]
            if not names:
                return _refusal(404, "TF401019: The Git repository does not exist.")
            return self._pull_requests(request, shown, names[0], route[2] or "", route[3] or "")
        if path.startswith("wit/"):
            return self._boards(request, shown, path.removeprefix("wit/"))
        return self._pipelines(request, shown, path)

    # Pipelines ----------------------------------------------------------------------------------------------------

    def _pipelines(self, request: Request, shown: HistoryAt, path: str) -> Answer:
        if path.startswith("build/builds"):
            return self._builds(request, shown, path)
        if path == "release/deployments":
            return self._released(request)
        if path.startswith(_ENVIRONMENTS):
            return self._environments(request, shown, path)
        return _refusal(404, "The page was not found.")

    def _builds(self, request: Request, shown: HistoryAt, path: str) -> Answer:
        runs = {run.id: run for of in shown.runs.values() for run in of}
        if route := _TIMELINE.fullmatch(path):
            run = runs.get(int(route[1]))
            attempts = len(write.finished_attempts(run, self.at)) if run else 0
            number = int(route[2][-12:], 16) if route[2] else attempts
            return Answer.of(write.timeline(run, number, self.at)) if run and 0 < number <= attempts else _refusal(404)
        found = [write.build(run, self.at, self.project_of(run.repository), self._web) for run in runs.values()]
        deployed = [record for of in shown.deployments.values() for record in of]
        found += [
            write.build_of_deployment(record, self.at, self.project_of(record.repository), self._web)
            for record in deployed
        ]
        query = request.query
        if ids := query.get("buildIds"):
            return _listed([entry for entry in found if str(entry["id"]) in ids.split(",")])
        found = [entry for entry in found if query.get("statusFilter", "all") in ("all", entry["status"])]
        if query.get("queryOrder") == "finishTimeDescending":
            found = [entry for entry in found if _is_between(entry["finishTime"], query)]
            found.sort(key=lambda entry: (entry["finishTime"], entry["id"]), reverse=True)
        return _listed(found[: int(query.get("$top", "1000"))])

    def _released(self, request: Request) -> Answer:
        """Deployments of classic releases, of which the history has none: `releases` are as the API writes them."""
        after, before = request.query.get("minModifiedTime"), request.query.get("maxModifiedTime")
        limits = {name: value for name, value in (("minTime", after), ("maxTime", before)) if value}
        found = [one for one in self.releases if _is_between(one["lastModifiedOn"], limits)]
        found.sort(key=lambda one: str(one["lastModifiedOn"]), reverse=True)
        return _listed(found[: int(request.query.get("$top", "50"))])

    def _environments(self, request: Request, shown: HistoryAt, path: str) -> Answer:
        deployed = [record for of in shown.deployments.values() for record in of]
        if path == _ENVIRONMENTS:
            names = sorted({record.environment for record in deployed})
            return self._tokened(request, [write.environment(name) for name in names])
        number = path.removeprefix(f"{_ENVIRONMENTS}/").partition("/")[0]
        records = [
            write.deployment_record(record, self.at)
            for record in deployed
            if str(write.environment_id(record.environment)) == number
        ]
        records.sort(key=lambda record: (record["queueTime"], record["id"]), reverse=True)
        return self._tokened(request, records)

    # Boards -------------------------------------------------------------------------------------------------------

    def _boards(self, request: Request, shown: HistoryAt, path: str) -> Answer:
        if path == "workitemtypes":
            return _listed(write.work_item_types())
        if path == "classificationnodes/Iterations":
            plans = self.iterations
            if self._teams:
                plans = [node for one in shown.repositories.values() for node in AzurePlans(shown).iterations(one)]
            return Answer.of({"id": 1, "name": self.project["name"], "children": plans})
        items = self._items_of(shown)
        if path == "wiql":
            return self._query(request, [item for item, _ in items.values()])
        if path == "workitemsbatch":
            found = [items[id_][0] if id_ in items else None for id_ in request.json()["ids"]]
            return _listed(found)
        number, _, part = path.removeprefix("workItems/").partition("/")
        if part != "updates" or int(number) not in items:
            return _refusal(404, f"TF401232: Work item {number} does not exist.")
        begin, size = int(request.query.get("$skip", "0")), int(request.query.get("$top", "200"))
        return _listed(items[int(number)][1][begin : begin + size])

    def _items_of(self, shown: HistoryAt) -> _Items:
        """The work items, which are written once for a project with plans."""
        if not self._teams:
            return self._work_items(shown)
        team = next(iter(shown.repositories))
        if team not in self._items_of_teams:
            self._items_of_teams[team] = self._work_items(shown)
        return self._items_of_teams[team]

    def _work_items(self, shown: HistoryAt) -> _Items:
        """Id → work item and updates."""
        found: _Items = {}
        plans = AzurePlans(shown)
        for states in shown.issues.values():
            ids = {number: state.issue.id for number, state in states.items()}
            for state in states.values():
                name = str(self.project_of(state.issue.repository)["name"])
                updates = write.updates(state, name)
                item = write.work_item(state, name, ids)
                found[state.issue.id] = plans.planned(state.issue, item, updates) if self._teams else (item, updates)
        for record in shown.history.incidents:
            if record.started_at <= self.at:
                name = str(self.project_of(record.repository)["name"])
                found[write.incident_id(record)] = write.incident(record, name, self.at)
        for id_, moved in self.iteration_changes.items():
            if id_ in found:
                found[id_] = _with_iterations(*found[id_], moved)
        return found

    @staticmethod
    def _query(request: Request, items: Documents) -> Answer:
        """The ids of the work items that a query asks for, the newest first."""
        query, most = str(request.json()["query"]), int(request.query.get("$top", "20000"))
        after, before = _AFTER.search(query), _BEFORE.search(query)
        found = [
            item
            for item in items
            if (not after or _changed_at(item) >= datetime.fromisoformat(after[1]))
            and (not before or _changed_at(item) < datetime.fromisoformat(before[1]))
            and _meets(item["fields"], query)
        ]
        found.sort(key=lambda item: (_changed_at(item), item["id"]), reverse=True)
        named = [{"id": item["id"], "url": f"https://dev.azure.com/_apis/wit/workItems/{item['id']}"} for item in found]
        return Answer.of({"queryType": "flat", "workItems": named[:most]})

    # Pull requests ------------------------------------------------------------------------------------------------

    def _pull_requests(self, request: Request, shown: HistoryAt, name: str, number: str, part: str) -> Answer:
        states = {str(state.pull_request.id): state for state in shown.pull_requests.get(name, {}).values()}
        if not number:
            return self._search(request, [self.pull_request(state, is_listed=True) for state in states.values()])
        state = states.get(number)
        if state is None:
            return _refusal(404, "TF401180: The requested pull request was not found.")
        if part == "threads":
            return _listed(write.threads(state))
        if part == "iterations":
            return _listed(write.iterations(state))
        if part == "commits":
            ids = self._ids(state)
            return self._tokened(request, [write.commit(commit, ids) for commit in reversed(state.commits)])
        return Answer.of(self.pull_request(state, is_listed=False))

    def pull_request(self, state: PullRequestState, *, is_listed: bool) -> dict[str, Any]:
        project = self.project_of(state.pull_request.repository)
        return write.pull_request(state, project, self._web, self._ids(state), is_listed=is_listed)

    def _ids(self, state: PullRequestState) -> Mapping[int, int]:
        """The ids of the repository's work items by their numbers in the history."""
        return self._numbered.get(state.pull_request.repository.name, {})

    @staticmethod
    def _search(request: Request, entries: Documents) -> Answer:
        """The entries with a status and a time of creation or end, the newest first."""
        criteria = {name.removeprefix("searchCriteria."): value for name, value in request.query.items()}
        status = criteria.get("status", "active")
        field = "closedDate" if criteria.get("queryTimeRangeType") == "closed" else "creationDate"
        found = [
            entry for entry in entries if status in ("all", entry["status"]) and _is_between(entry.get(field), criteria)
        ]
        found.sort(key=lambda entry: (entry["creationDate"], entry["pullRequestId"]), reverse=True)
        begin, size = int(request.query.get("$skip", "0")), min(int(request.query.get("$top", "101")), 1000)
        return _listed(found[begin : begin + size])

    # Lists --------------------------------------------------------------------------------------------------------

    def _tokened(self, request: Request, entries: Documents) -> Answer:
        begin = int(request.query.get("continuationToken") or 0)
        end = begin + min(int(request.query.get("$top") or 100), self._page_size)
        headers = {"x-ms-continuationtoken": str(end)} if end < len(entries) else {}
        return _listed(entries[begin:end], headers)


def _is_between(at: Any, criteria: Mapping[str, str]) -> bool:
    after, before = criteria.get("minTime"), criteria.get("maxTime")
    if at is None:
        return after is None and before is None
    moment = datetime.fromisoformat(at)
    is_after = after is None or moment >= datetime.fromisoformat(after)
    return is_after and (before is None or moment <= datetime.fromisoformat(before))


def _changed_at(item: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(item["fields"]["System.ChangedDate"])


def _meets(fields: Mapping[str, Any], query: str) -> bool:
    """Whether one of the query's alternatives holds: ((…) OR (…))."""
    group = _GROUP.search(query)
    if group is None:
        return True
    return any(
        all(
            value.replace("''", "'") == fields.get(name)
            if operator == "="
            else value.replace("''", "'").casefold() in str(fields.get(name, "")).casefold()
            for name, operator, value in _CLAUSE.findall(alternative)
        )
        for alternative in group[1].split(") OR (")
    )


def _with_iterations(
    item: dict[str, Any], updates: list[dict[str, Any]], moved: Sequence[tuple[datetime, int, int]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    fields = {**item["fields"], "System.IterationId": moved[-1][2]}
    changes = [
        {
            "revisedDate": write.written(at),
            "fields": {
                "System.IterationId": {"oldValue": old, "newValue": new},
                "System.ChangedDate": {"newValue": write.written(at)},
            },
        }
        for at, old, new in moved
    ]
    return {**item, "fields": fields}, [*updates, *changes]


def _listed(entries: Sequence[Mapping[str, Any] | None], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer.of({"count": len(entries), "value": list(entries)}, headers=headers)


def _refusal(status: int, message: str = "It does not exist.") -> Answer:
    return Answer.of({"$id": "1", "message": message, "typeKey": "Refused"}, status=status)
