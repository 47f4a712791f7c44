"""A simulated Jenkins that shows the runs and deployments of a delivery history in its own shape.

with JenkinsServer(history, user="reader", token="x") as jenkins:
    connect to jenkins.url with that user and token
    jenkins.advance(to)      # what happened until then is there now

It answers what Headway's connector asks: `tree` with ranges, stages, who signs in.  Builds can be rotated away, jobs be
renamed or made anew; `refused` are full names of jobs and folders that the user may not read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from demo.plan.delivery import DeliveryHistory
from demo.providers.faults import Answer, Fault, Request
from demo.providers.jenkins_builds import Build, builds_of, document, stages
from demo.providers.jenkins_tree import projected
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

VERSION = "2.528.3"
_FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
_MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
_JOB = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
_NEWEST_STAGES = 11


class JenkinsServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given; `path` that of the controller.

    `code_host` is the organisation's page at its code host.  `web` is the address of Jenkins' own pages, where that is
    not the API's.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        user: str,
        token: str,
        at: datetime | None = None,
        path: str = "",
        code_host: str = "https://github.com/acme",
        web: str = "",
        faults: Iterable[Fault] = (),
        port: int = 0,
    ) -> None:
        super().__init__("Jenkins", faults=faults, port=port)
        self.root, self._prefix, self._code_host = self.url, path, code_host
        self.url += path
        self._web = web or self.url
        self._user = user
        self._authorization = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
        self._names: dict[str, str] = {}
        self._discarded: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._show(HistoryAt(history, at or history.ends_at))
        self.refused: set[str] = set()
        self.has_stages = True

    @property
    def at(self) -> datetime:
        return self._shown.at

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self._show(HistoryAt(self._shown.history, to))

    def show(self, history: DeliveryHistory) -> None:
        self._show(HistoryAt(history, self.at))

    def _show(self, shown: HistoryAt) -> None:
        self._shown, self._builds = shown, builds_of(shown)
        self._made: dict[tuple[str, int, int], dict[str, Any]] = {}

    def rename(self, job: str, name: str) -> None:
        """A job of the history is called so from now on; its builds keep their numbers."""
        self._names[job] = name

    def discard(self, job: str, count: int) -> None:
        """Rotate away the oldest builds of a job."""
        self._discarded[job] = count

    def make_anew(self, job: str, after: int) -> None:
        """Delete a job with its oldest builds and make it once more: its numbers begin again."""
        self._discarded[job], self._first[job] = after, 1 - after

    def split(self, path: str) -> tuple[str, str]:
        return (path.removeprefix(self._prefix), self._prefix) if path.startswith(self._prefix) else (path, "")

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != self._authorization:
            return Answer(401, b"<html>Invalid password/token</html>", {"Content-Type": "text/html"})
        if request.path == "/whoAmI/api/json":
            return self._sent({"name": self._user, "anonymous": False, "authenticated": True}, request)
        names, rest = _split(request.path)
        if any("/".join(names[:depth]) in self.refused for depth in range(1, len(names) + 1)):
            return Answer(403, b"<html>Access Denied</html>", {"X-Required-Permission": "hudson.model.Item.Read"})
        return self._answer_for("/".join(names), rest, request)

    def _answer_for(self, name: str, rest: Sequence[str], request: Request) -> Answer:
        jobs = self._jobs()
        match rest:
            case ["api", "json"] if name in jobs or name in self._folders(jobs):
                return self._sent(self._item(name, jobs, with_children=True), request)
            case [number, "api", "json"] if (found := self._build(jobs, name, number)) is not None:
                return self._sent(found, request)
            case [number, "wfapi", "describe"] if self.has_stages and int(number) in dict(jobs.get(name, ())):
                return Answer.of(stages(dict(jobs[name])[int(number)], int(number), self.at))
            case ["wfapi", "runs"] if self.has_stages and name in jobs:
                newest = jobs[name][::-1][:_NEWEST_STAGES]
                return Answer.of([stages(build, number, self.at) for number, build in newest])
        return Answer(404, b"<html>Not found</html>", {"Content-Type": "text/html"})

    def _jobs(self) -> dict[str, list[tuple[int, Build]]]:
        """Map current full job names to numbered builds, oldest first."""
        jobs = {}
        for name, builds in self._builds.items():
            first = self._first.get(name, 1)
            numbered = [(number, build) for number, build in enumerate(builds, first)]
            jobs[self._names.get(name, name)] = numbered[self._discarded.get(name, 0) :]
        return jobs

    def _folders(self, jobs: Mapping[str, Any]) -> set[str]:
        return {""} | {
            "/".join(parts[:depth]) for name in jobs for parts in [name.split("/")] for depth in range(len(parts))
        }

    def _item(self, name: str, jobs: Mapping[str, list[tuple[int, Build]]], *, with_children: bool) -> dict[str, Any]:
        """A folder or a job, with what is in it."""
        item: dict[str, Any] = {
            "fullName": name,
            "name": name.rpartition("/")[2],
            "url": self._page(name),
            "actions": [],
        }
        if name in jobs:
            return item | self._job(name, jobs[name])
        below = {other[len(name) :].strip("/").partition("/")[0] for other in jobs if self._is_below(other, name)}
        children = [f"{name}/{child}".strip("/") for child in sorted(below)]
        item["_class"] = _MULTIBRANCH if name.count("/") == 1 else _FOLDER
        item["jobs"] = [
            self._item(child, jobs, with_children=False) if with_children else {"name": child}
            for child in children
            if with_children or child
        ]
        return item

    def _is_below(self, other: str, folder: str) -> bool:
        return not folder or other.startswith(f"{folder}/")

    def _job(self, name: str, builds: list[tuple[int, Build]]) -> dict[str, Any]:
        listed = self._documents(name, builds)
        job: dict[str, Any] = {
            "_class": _JOB,
            "buildable": True,
            "allBuilds": listed,
            "builds": listed[:100],
            "lastBuild": listed[0] if listed else None,
            "firstBuild": listed[-1] if listed else None,
        }
        if name.count("/") == 2 and builds:
            build = builds[-1][1]
            where = f"pull/{build.pull_request}" if build.pull_request is not None else f"tree/{build.branch}"
            page = f"{self._code_host}/{build.repository.name}/{where}"
            job["actions"] = [{}, {"_class": "jenkins.scm.api.metadata.ObjectMetadataAction", "objectUrl": page}]
        return job

    def _documents(self, name: str, builds: Sequence[tuple[int, Build]]) -> list[dict[str, Any]]:
        """The newest first; each is made once for an instant."""
        numbers = {build.queue_id: number for number, build in builds}
        page, documents = self._page(name), self._made
        for number, build in builds:
            if (page, number, build.queue_id) not in documents:
                documents[page, number, build.queue_id] = document(
                    build, number, page=page, code_host=self._code_host, numbers=numbers, at=self.at
                )
        return [documents[page, number, build.queue_id] for number, build in builds[::-1]]

    def _build(self, jobs: Mapping[str, list[tuple[int, Build]]], name: str, number: str) -> dict[str, Any] | None:
        if name not in jobs or not number.isdecimal():
            return None
        listed = self._job(name, jobs[name])["allBuilds"]
        return next((build for build in listed if build["number"] == int(number)), None)

    def _page(self, name: str) -> str:
        return "/".join([self._web, *(f"job/{part.replace('%', '%25')}" for part in name.split("/") if part)]) + "/"

    def _sent(self, found: dict[str, Any], request: Request) -> Answer:
        return Answer.of(projected(found, request.query["tree"]), headers={"X-Jenkins": VERSION})


def _split(path: str) -> tuple[list[str], list[str]]:
    """The names of the job, and what comes behind."""
    parts, names = path.strip("/").split("/"), []
    while len(parts) > 1 and parts[0] == "job":
        names.append(unquote(parts[1]))
        parts = parts[2:]
    return names, parts
