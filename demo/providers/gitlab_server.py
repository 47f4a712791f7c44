"""A simulated GitLab that shows a delivery history: REST with its pages and limits, and what is asked of GraphQL.

with GitLabServer(history, token="x") as gitlab:
    connect to gitlab.url with that token
    gitlab.advance(to)      # what happened until then is there now
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlencode

from demo.plan.delivery import DeliveryHistory, PipelineRun
from demo.plan.tools import group_of
from demo.providers import gitlab_written as write
from demo.providers.faults import Answer, Fault, Request
from demo.providers.gitlab_plans import GitLabPlans
from demo.providers.record_states import HistoryAt, IssueState, PullRequestState
from demo.providers.simulated_server import SimulatedServer

API, GRAPHQL = "/api/v4", "/api/graphql"
MOST_COUNTED = 10_000
_OF_PROJECT = re.compile(r"/projects/(\d+)(?:/(.*))?")
_OF_GROUP = re.compile(r"/groups/([^/]+)(?:/(.*))?")
_REQUESTED = re.compile(r'(m\d+): mergeRequest\(id: "gid://gitlab/MergeRequest/(\d+)"\)')
Documents = Sequence[Mapping[str, Any]]


class GitLabServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given; `page` the most entries of a list;
    `tiers` those of environments whose names do not say them.

    `teams` are those of repositories by name: each has a group of its own below the organisation's, which plans in
    iterations with weights, and has a milestone for each epic.
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
        tiers: Mapping[str, str] = MappingProxyType({}),
        teams: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__("GitLab", faults=faults, port=port)
        self._history, self._token, self._page_size = history, token, page
        self._web, self._tiers, self._teams = web or self.url, tiers, teams
        self.iterations: list[dict[str, Any]] = []  # of the group; without any, they are not on its tier
        self.hooks: dict[int, dict[str, Any]] = {}
        self.iteration_events: dict[int, list[dict[str, Any]]] = {}  # by the number of the issue
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self._shown = HistoryAt(self._history, to)
        self._plans = GitLabPlans(self._shown)
        self.clock_ahead = to - datetime.now(UTC)

    def split(self, path: str) -> tuple[str, str]:
        return path.removeprefix(API), API if path.startswith(API) else ""

    @property
    def _group(self) -> str:
        return self._history.organisation.login

    def answer_of(self, request: Request) -> Answer:
        if request.path != GRAPHQL and not request.prefix:
            return Answer(404, b"<!DOCTYPE html><title>Not Found</title>", {"Content-Type": "text/html"})
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return _refusal(401, "401 Unauthorized")
        answer = self._graphql if request.path == GRAPHQL else self._rest
        return answer(request, self._shown)

    def _rest(self, request: Request, shown: HistoryAt) -> Answer:
        if request.path == "/user":
            return Answer.of({"id": 1, "username": "reader"})
        if request.path in ("/projects", "/groups"):
            of_all = self._projects(shown, shown.repositories)
            return self._page(request, of_all if request.path == "/projects" else self._groups)
        if route := _OF_GROUP.fullmatch(request.path):
            known = (one for one in self._groups if unquote(route[1]) in (one["full_path"], str(one["id"])))
            group = next(known, None)
            return self._of_group(request, shown, route[2] or "", group) if group else _refusal(404)
        route = _OF_PROJECT.fullmatch(request.path)
        name = next((one.name for one in shown.repositories.values() if route and str(one.id) == route[1]), "")
        return self._of_project(request, shown, name, route[2] or "") if route and name else _refusal(404)

    def _group_of(self, name: str) -> str:
        """The path of the group that a repository is in."""
        return f"{self._group}/{group_of(self._teams[name])}" if name in self._teams else self._group

    def _projects(self, shown: HistoryAt, names: Iterable[str]) -> list[dict[str, Any]]:
        return [write.project(shown.repositories[name], self._group_of(name), self._web) for name in names]

    @property
    def _groups(self) -> list[dict[str, Any]]:
        """The organisation's, and those of teams."""
        paths = [self._group, *sorted({self._group_of(name) for name in self._teams})]
        return [
            {"id": number, "full_path": path, "web_url": f"{self._web}/groups/{path}"}
            for number, path in enumerate(paths, start=self._history.organisation.id)
        ]

    def _of_group(self, request: Request, shown: HistoryAt, path: str, group: Mapping[str, Any]) -> Answer:
        if not path:
            return Answer.of(group)
        names = [one for one in shown.repositories if f"{self._group_of(one)}/".startswith(f"{group['full_path']}/")]
        if path in ("merge_requests", "issues"):
            of_projects = (self._found(shown, name, path, "", "") for name in names)
            return self._page(request, [entry for found in of_projects if isinstance(found, list) for entry in found])
        if path == "projects":
            return self._page(request, self._projects(shown, names))
        planned = [one for name in names for one in self._plans.iterations(name)] if self._teams else []
        iterations = self.iterations or planned
        return self._page(request, iterations) if path == "iterations" and iterations else _refusal(404)

    def _of_project(self, request: Request, shown: HistoryAt, name: str, path: str) -> Answer:
        kind, _, rest = path.partition("/")
        number, _, part = rest.partition("/")
        if kind == "hooks":
            return self._hooks(request, number)
        if path == "repository/commits":
            return self._page(request, self._commits(shown, name, request.query.get("ref_name", "")))
        found = self._found(shown, name, kind, number, part)
        if found is None:
            return _refusal(404)
        if kind == "deployments" and ("updated_after" in request.query) != (
            request.query.get("order_by") == "updated_at"
        ):
            return _refusal(400, "`updated_at` filter and `updated_at` sorting must be paired")
        return self._page(request, found) if isinstance(found, list) else Answer.of(found)

    def _commits(self, shown: HistoryAt, name: str, ref: str) -> list[dict[str, Any]]:
        """Commits of the default branch from a revision down, or of a range, newest first."""
        commits = shown.commits.get(name, [])
        position = {commit.sha: number for number, commit in enumerate(commits)}
        old, _, new = ref.rpartition("..")
        begin, end = position.get(old, -1) + 1, position.get(new, len(commits) - 1) + 1
        if old and old not in position:
            return []
        return [write.commit(commit, with_parents=True) for commit in reversed(commits[begin:end])]

    def _hooks(self, request: Request, number: str) -> Answer:
        """Webhooks, which need a token that may write."""
        if request.method == "POST":
            hook = {"id": max(self.hooks, default=0) + 1, **request.json()}
            self.hooks[hook["id"]] = hook
            return Answer.of(hook, status=201)
        if request.method == "DELETE":
            return Answer(204) if self.hooks.pop(int(number), None) else _refusal(404)
        return self._page(request, [{**hook, "token": None} for hook in self.hooks.values()])

    def _found(
        self, shown: HistoryAt, name: str, kind: str, number: str, part: str
    ) -> list[dict[str, Any]] | dict[str, Any] | None:
        """The list, or the one record, that a path names."""
        path = f"{self._group_of(name)}/{name}"
        if kind == "merge_requests":
            return self._of_merge_requests(shown.pull_requests.get(name, {}), number, part)
        if kind == "issues":
            return self._of_issues(shown, name, number, part)
        if kind == "pipelines":
            return self._of_pipelines(shown.runs.get(name, []), path, number, part)
        deployments = shown.deployments.get(name, [])
        lists: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
            "deployments": lambda: [write.deployment(record, self.at, path, self._web) for record in deployments],
            "environments": lambda: [
                write.environment(one, self._tiers.get(one, ""))
                for one in sorted({record.environment for record in deployments})
            ],
        }
        return lists[kind]() if kind in lists and not number else None

    def _of_issues(self, shown: HistoryAt, name: str, number: str, part: str) -> list[dict[str, Any]] | None:
        states = shown.issues.get(name, {})
        incidents = {
            write.incident_number(record): record
            for record in self._history.incidents
            if record.repository.name == name and record.started_at <= self.at
        }
        if not number:
            issues = [self.issue(state) for state in states.values()]
            group = self._group_of(name)
            return issues + [write.incident(one, self.at, group, self._web) for one in incidents.values()]
        if part == "notes" and int(number) in incidents:
            return write.notes_of_incident(incidents[int(number)], self.at)
        if (state := states.get(int(number))) is None:
            return None
        parts: Mapping[str, Callable[[IssueState], list[dict[str, Any]]]] = {
            "notes": write.notes,
            "resource_state_events": write.state_events,
            "resource_label_events": write.label_events,
            "resource_iteration_events": lambda state: (
                self._plans.iteration_events(state.issue)
                if self._teams
                else self.iteration_events.get(state.issue.number, [])
            ),
            "resource_weight_events": lambda state: self._plans.weight_events(state.issue) if self._teams else [],
        }
        return parts[part](state) if part in parts else None

    def issue(self, state: IssueState) -> dict[str, Any]:
        document = write.issue(state, self._group_of(state.issue.repository.name), self._web)
        if self._teams:
            return {**document, **self._plans.planned(state)}
        return {**document, "iteration": None, "weight": None} if self.iterations else document

    def _of_pipelines(
        self, runs: Sequence[PipelineRun], path: str, number: str, part: str
    ) -> list[dict[str, Any]] | dict[str, Any] | None:
        if not number:
            return [write.pipeline(run, self.at, path, self._web, is_listed=True) for run in runs]
        run = next((run for run in runs if str(run.id) == number), None)
        if run is None:
            return None
        return write.jobs(run, self.at) if part else write.pipeline(run, self.at, path, self._web, is_listed=False)

    def _of_merge_requests(
        self, states: Mapping[int, PullRequestState], number: str, part: str
    ) -> list[dict[str, Any]] | None:
        if not number:
            return [self.merge_request(state) for state in states.values()]
        state = states.get(int(number))
        parts: Mapping[str, Callable[[PullRequestState], list[dict[str, Any]]]] = {
            "commits": lambda state: [write.commit(commit) for commit in reversed(state.commits)],
            "notes": write.notes,
            "resource_state_events": write.state_events,
        }
        return parts[part](state) if state and part in parts else None

    def _graphql(self, request: Request, shown: HistoryAt) -> Answer:
        query = str(request.json().get("query", ""))
        states = shown.pull_requests_by_id
        found = {alias: states.get(id_) for alias, id_ in _REQUESTED.findall(query)}
        data: dict[str, Any] = {
            alias: write.lines_and_approvers(state) if state else None for alias, state in found.items()
        }
        return Answer.of({"data": {"currentUser": {"id": "gid://gitlab/User/1"}} if "currentUser" in query else data})

    def merge_request(self, state: PullRequestState) -> dict[str, Any]:
        return write.merge_request(state, self._group_of(state.pull_request.repository.name), self._web)

    # Lists ------------------------------------------------------------------------------------------------------

    def _page(self, request: Request, entries: Documents) -> Answer:
        query = request.query
        after, before = query.get("updated_after"), query.get("updated_before")
        found = [entry for entry in entries if _is_between(entry.get("updated_at"), after, before)]
        if type_ := query.get("issue_type"):
            found = [entry for entry in found if entry["issue_type"] == type_]
        if sorted_by := query.get("order_by"):
            descending = query.get("sort", "desc") == "desc"
            found.sort(key=lambda entry: (entry.get(sorted_by) or "", entry["id"]), reverse=descending)
        size = min(int(query.get("per_page", "20")), self._page_size)
        if query.get("pagination") == "keyset":
            return self._keyset_page(request, found, size)
        number = int(query.get("page", "1"))
        headers = {"X-Page": str(number), "X-Per-Page": str(size), "X-Next-Page": ""}
        if len(found) <= MOST_COUNTED:
            headers["X-Total"] = str(len(found))
        if number * size < len(found):
            headers["X-Next-Page"] = str(number + 1)
            headers["Link"] = self._next(request, {"page": str(number + 1)})
        return Answer.of(found[(number - 1) * size : number * size], headers=headers)

    def _keyset_page(self, request: Request, found: Documents, size: int) -> Answer:
        below = request.query.get("id_before")
        rest = [entry for entry in found if below is None or entry["id"] < int(below)]
        headers = {"Link": self._next(request, {"id_before": str(rest[size - 1]["id"])})} if len(rest) > size else {}
        return Answer.of(rest[:size], headers=headers)

    def _next(self, request: Request, changed: Mapping[str, str]) -> str:
        """The link to the next page, by the address that the server believes to have."""
        return f'<https://gitlab.internal{API}{request.path}?{urlencode({**request.query, **changed})}>; rel="next"'


def _is_between(at: Any, after: str | None, before: str | None) -> bool:
    if after is None and before is None:
        return True
    moment = datetime.fromisoformat(at)
    is_after = after is None or moment >= datetime.fromisoformat(after)
    return is_after and (before is None or moment <= datetime.fromisoformat(before))


def _refusal(status: int, message: str = "404 Not found") -> Answer:
    return Answer.of({"message": message}, status=status)
