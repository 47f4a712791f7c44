"""A simulated Bitbucket Cloud that shows a delivery history, with its pages, filters and ids in braces.

with BitbucketServer(history, token="x") as bitbucket:
    connect to bitbucket.url with that token, and the workspace acme
    bitbucket.advance(to)      # what happened until then is there now
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlencode

from demo.plan.delivery import Commit, DeliveryHistory
from demo.providers import bitbucket_written as write
from demo.providers.faults import Answer, Fault, Request
from demo.providers.record_states import HistoryAt, PullRequestState
from demo.providers.simulated_server import SimulatedServer

API = "/2.0"
_OF_WORKSPACE = re.compile(r"/repositories/([^/]+)(?:/([^/]+)(?:/(.*))?)?")
_LIMIT = re.compile(r"updated_on (>=|<=) (\S+)")
_SORTS = ("-state.started_on", "-state.completed_on")  # any other is refused
Documents = Sequence[Mapping[str, Any]]


class BitbucketServer(SimulatedServer):
    """Serves one workspace.  `at` is the instant that is shown, by default the history's end; `page` the maximum number
    of entries in a list; `types` those of environments whose names do not reveal them.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        email: str = "",
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 100,
        port: int = 0,
        web: str = "",
        types: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__("Bitbucket", faults=faults, port=port)
        self._history, self._page_size, self._web, self._types = history, page, web or self.url, types
        basic = base64.b64encode(f"{email}:{token}".encode()).decode()
        self._authorization = f"Basic {basic}" if email else f"Bearer {token}"
        self.hooks: list[dict[str, Any]] = []
        self.silent: set[int] = set()  # numbers of pull requests whose reviews leave the time of change as it is
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self._shown = HistoryAt(self._history, to)
        self.clock_ahead = to - datetime.now(UTC)

    def split(self, path: str) -> tuple[str, str]:
        return unquote(path).removeprefix(API), API if path.startswith(API) else ""

    @property
    def _workspace(self) -> str:
        return self._history.organisation.login

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return _refusal(401, "Token is invalid, expired, or not supported for this endpoint.")
        route = _OF_WORKSPACE.fullmatch(request.path)
        if route is None or not request.prefix or route[1] not in (self._workspace, write.uuid(3, write.WORKSPACE)):
            return _refusal(404, f"No workspace with identifier '{route[1] if route else ''}'.")
        shown = self._shown
        if route[2] is None:
            listed = [write.repository(one, self._workspace, self._web) for one in shown.repositories.values()]
            return self._page(request, listed[::-1])
        name = next(
            (one.name for one in shown.repositories.values() if route[2] in (one.name, write.uuid(2, one.id))), ""
        )
        return self._of_repository(request, shown, name, route[3] or "") if name else _refusal(404)

    def _of_repository(self, request: Request, shown: HistoryAt, name: str, path: str) -> Answer:
        kind, _, rest = path.partition("/")
        if kind == "hooks":
            return self._hooks(request, rest)
        if kind == "deployments" and request.query.get("sort", _SORTS[0]) not in _SORTS:
            return _refusal(400, "Invalid sort attribute provided")
        found = self._found(request, shown, name, kind, rest)
        if found is None:
            return _refusal(404)
        return Answer.of(found) if isinstance(found, dict) else self._page(request, found)

    def _hooks(self, request: Request, uuid: str) -> Answer:
        """Webhooks, which need a token that may write; their secrets are not shown."""
        if request.method == "POST":
            hook = {"uuid": write.uuid(8, len(self.hooks) + 1), **request.json()}
            self.hooks.append(hook)
            return Answer.of({**hook, "secret": None}, status=201)
        if request.method == "DELETE":
            kept = [hook for hook in self.hooks if hook["uuid"] != uuid]
            is_known, self.hooks = len(kept) < len(self.hooks), kept
            return Answer(204) if is_known else _refusal(404)
        return self._page(request, [{**hook, "secret": None, "secret_set": True} for hook in self.hooks])

    def _found(
        self, request: Request, shown: HistoryAt, name: str, kind: str, rest: str
    ) -> list[dict[str, Any]] | dict[str, Any] | None:
        """The list, or the one record, that a path names."""
        path = f"{self._workspace}/{name}"
        if kind == "pullrequests":
            return self._of_pull_requests(request, shown.pull_requests.get(name, {}), rest)
        if kind == "diffstat":
            state = shown.pull_requests.get(name, {}).get(int(request.query.get("from_pullrequest_id", "0")))
            return write.diffstat(state) if state else None
        if kind == "commit":
            found = next((one for one in self._all_commits(shown, name) if one.sha.startswith(rest)), None)
            return write.commit(found) if found else None
        if kind == "commits":
            return self._commits(shown, name, request.query.get("include", ""), request.query.get("exclude", ""))
        if kind == "pipelines":
            return self._of_pipelines(shown, name, rest)
        deployments = [write.deployment(one, self.at, path, self._web) for one in shown.deployments.get(name, [])]
        environments = sorted({one.environment for one in shown.deployments.get(name, [])})
        lists: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
            "deployments": lambda: _by_start(deployments, request.query.get("state.name", "")),
            "environments": lambda: [write.environment(one, self._types.get(one, "")) for one in environments],
        }
        return lists[kind]() if kind in lists and not rest else None

    def _of_pull_requests(
        self, request: Request, states: Mapping[int, PullRequestState], rest: str
    ) -> list[dict[str, Any]] | dict[str, Any] | None:
        number, _, part = rest.partition("/")
        if not rest:
            listed = [self.pull_request(state) for state in states.values()]
            return _queried(listed, request.query)
        if number == "activity":
            entries = [entry for state in states.values() for entry in write.activity(state)]
            return sorted(entries, key=_date_of, reverse=True)
        state = states.get(int(number))
        if state is None:
            return None
        if not part:
            return self.pull_request(state)
        parts: Mapping[str, Callable[[PullRequestState], list[dict[str, Any]]]] = {
            "activity": write.activity,
            "commits": lambda state: [write.commit(commit) for commit in reversed(state.commits)],
        }
        return parts[part](state) if part in parts else None

    def pull_request(self, state: PullRequestState) -> dict[str, Any]:
        document = write.pull_request(state, self._workspace, self._web, f"https://bitbucket.internal{API}")
        if state.pull_request.number in self.silent:
            document["updated_on"] = document["created_on"]
        return document

    def _of_pipelines(self, shown: HistoryAt, name: str, rest: str) -> list[dict[str, Any]] | dict[str, Any] | None:
        runs = shown.runs.get(name, [])
        uuid, _, part = rest.partition("/")
        if not uuid:
            newest_first = sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True)
            return [write.pipeline(run, self.at) for run in newest_first]
        run = next((run for run in runs if write.uuid(4, run.id) == uuid), None)
        if run is None:
            return None
        return write.steps(run, self.at) if part else write.pipeline(run, self.at)

    def _all_commits(self, shown: HistoryAt, name: str) -> list[Commit]:
        of_requests = (commit for state in shown.pull_requests.get(name, {}).values() for commit in state.commits)
        return [*shown.commits.get(name, []), *of_requests]

    def _commits(self, shown: HistoryAt, name: str, include: str, exclude: str) -> list[dict[str, Any]] | None:
        """Commits of the default branch from a revision down to another one, the newest first."""
        commits = shown.commits.get(name, [])
        position = {commit.sha: number for number, commit in enumerate(commits)}
        if exclude and exclude not in position:
            return None
        begin, end = position.get(exclude, -1) + 1, position.get(include, len(commits) - 1) + 1
        return [write.commit(commit) for commit in reversed(commits[begin:end])]

    def _page(self, request: Request, entries: Documents) -> Answer:
        """A page, linked by the address that the server believes to have."""
        size, number = (
            min(int(request.query.get("pagelen", "10")), self._page_size),
            int(request.query.get("page", "1")),
        )
        if number > 1 and (number - 1) * size >= len(entries):
            return _refusal(400, "Invalid page")
        document: dict[str, Any] = {"pagelen": size, "page": number, "size": len(entries)}
        document["values"] = list(entries[(number - 1) * size : number * size])
        if number * size < len(entries):
            query = urlencode({**request.query, "page": str(number + 1)})
            document["next"] = f"https://bitbucket.internal{API}{request.path}?{query}"
        limits = {
            "X-RateLimit-Limit": "1000",
            "X-RateLimit-Resource": "api-repositories",
            "X-RateLimit-NearLimit": "false",
        }
        return Answer.of(document, headers=limits)


def _queried(entries: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The pull requests that a query asks for; without one, those that are open and no drafts.

    Lists leave the participants out, unless they are asked for.
    """
    conditions = query.get("q", "")
    found = [
        entry
        for entry in entries
        if f'state = "{entry["state"]}"' in conditions or (not conditions and entry["state"] == "OPEN")
        if "draft = true" in conditions or not entry["draft"]
    ]
    for sign, limit in _LIMIT.findall(conditions):
        moment = datetime.fromisoformat(limit)
        found = [
            entry
            for entry in found
            if (datetime.fromisoformat(entry["updated_on"]) - moment).total_seconds() * (1 if sign == ">=" else -1) >= 0
        ]
    found.sort(key=lambda entry: (entry["updated_on"], entry["id"]), reverse=True)
    with_people = "values.participants" in query.get("fields", "")
    return [{name: value for name, value in one.items() if with_people or name != "participants"} for one in found]


def _by_start(entries: list[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    """Deployments in a state, last started first; those that were not started stand before all others."""
    found = [entry for entry in entries if state in ("", entry["state"]["name"])]
    return sorted(found, key=lambda entry: (entry["state"].get("started_on") or "9", entry["uuid"]), reverse=True)


def _date_of(entry: Mapping[str, Any]) -> str:
    parts = (entry[kind] for kind in ("update", "comment", "approval", "changes_requested") if kind in entry)
    return next(str(part.get("date") or part.get("created_on")) for part in parts)


def _refusal(status: int, message: str = "Resource not found") -> Answer:
    return Answer.of({"type": "error", "error": {"message": message}}, status=status)
