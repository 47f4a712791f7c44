"""The content of a controller: folders, organisation folders, multibranch projects and jobs, with their newest builds.

A multibranch project is one pipeline, whose branches come and go.  Everything is requested by `tree`, with ranges:
`depth` would make the controller load every build from its disk.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from integrations.connectors.base import FetchedResource, Http, ResourceDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.json_text import list_in
from integrations.connectors.unchecked import text_of
from integrations.enums import ResourceKind

PER_PAGE = 200
_NAMED = re.compile(r"(?:^|/)job/([^/]+)")
_LISTED = "_class,name,fullName,url,buildable,jobs[name]{0,1},builds[number]{0,1}"
_HEAD = "_class,name,fullName,lastBuild[number,timestamp],firstBuild[number],actions[_class,objectUrl]"


def path_of(full_name: str, *rest: object) -> str:
    """The path of a job by its full name; Jenkins expects each part of it after a `job/` of its own.

    The full name of a branch's job has its slashes as %2F, which are quoted once more.
    """
    parts = [f"job/{quote(part, safe='')}" for part in full_name.split("/") if part]
    return "/".join([*parts, *map(str, rest)])


def shown(full_name: str) -> str:
    """The name as it is shown: acme/shop/feature%2Fcart → acme/shop/feature/cart."""
    return unquote(full_name)


def name_in(path: str) -> str:
    """The name of the job that a path leads to, as people write it; empty: none."""
    return "/".join(unquote(unquote(name)) for name in _NAMED.findall(path.partition("?")[0]))


def is_multibranch(job: Any) -> bool:
    return text_of(job, "_class").endswith("MultiBranchProject")


def resources_of(http: Http) -> Iterator[ResourceDraft]:
    """All pipelines, folder by folder; folders without read permission are left out."""
    for job in jobs_below(http, refused=[]):
        full_name = full_name_of(job)
        yield ResourceDraft(
            ResourceKind.PIPELINE,
            external_id=full_name,
            name=shown(full_name),
            url=text_of(job, "url"),
            archived=job.get("buildable") is False,
            details={"multibranch": is_multibranch(job)},
        )


def jobs_below(http: Http, *, refused: list[str]) -> Iterator[Any]:
    """Jobs and multibranch projects of all folders; names of folders without read permission are added to `refused`."""
    folders = deque([""])
    while folders:
        folder = folders.popleft()
        try:
            for job in listed(http, folder, _LISTED):
                if not full_name_of(job):
                    continue
                if is_multibranch(job) or "jobs" not in job:
                    yield job
                else:
                    folders.append(full_name_of(job))
        except PermanentError:
            if not folder:
                raise
            refused.append(shown(folder))


def listed(http: Http, folder: str, fields: str) -> Iterator[Any]:
    """The jobs directly within a folder; the controller's own if the name is empty."""
    path = path_of(folder, "api", "json")
    start = 0
    while True:
        document = http.get(path, params={"tree": f"jobs[{fields}]{{{start},{start + PER_PAGE}}}"}).json()
        jobs = list_in(document, "jobs", f"Jenkins answered {path}")
        yield from (job for job in jobs if isinstance(job, dict))
        start += len(jobs)
        if len(jobs) < PER_PAGE:
            return


def full_name_of(job: Any) -> str:
    return text_of(job, "fullName")


@dataclass(frozen=True, slots=True)
class Head:
    """A job; `newest` is the number of its newest build and its start, None if it has no builds.

    `branch` is its name in a multibranch project, `page` the branch source's page of the branch.
    """

    name: str
    branch: str
    page: str
    newest: tuple[int, int] | None
    oldest: int

    @property
    def began(self) -> int:
        """The start of the newest build, in milliseconds since 1970."""
        return self.newest[1] if self.newest else 0


def heads_of(http: Http, resource: FetchedResource) -> Iterator[Head]:
    """The job, or the jobs of a multibranch project's branches, of which one request lists two hundred."""
    if resource.details.get("multibranch"):
        for job in listed(http, resource.external_id, _HEAD):
            if full_name_of(job):
                yield _head(job, full_name_of(job), text_of(job, "name"))
        return
    job = http.get(path_of(resource.external_id, "api", "json"), params={"tree": _HEAD}).json()
    yield _head(job, resource.external_id, "")


def number_of(build: Any) -> int:
    """The build's number; 0 if it has no valid one."""
    number = text_of(build, "number")
    return int(number) if number.isdecimal() else 0


def place_of(build: Any) -> tuple[int, int]:
    """The build's number and start."""
    began = text_of(build, "timestamp")
    return number_of(build), int(began) if began.isdecimal() else 0


def _head(job: Any, name: str, branch: str) -> Head:
    last, first = (job.get(which) if isinstance(job, dict) else None for which in ("lastBuild", "firstBuild"))
    actions = job.get("actions") if isinstance(job, dict) else None
    pages = [text_of(action, "objectUrl") for action in actions] if isinstance(actions, list) else []
    newest = place_of(last)
    return Head(name, branch, next(filter(None, pages), ""), newest if newest[0] else None, number_of(first))
