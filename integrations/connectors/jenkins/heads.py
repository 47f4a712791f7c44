"""The jobs of a pipeline with the newest build of each, in one request for two hundred of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import FetchedResource, Http
from integrations.connectors.jenkins.jobs import full_name_of, listed, path_of
from integrations.connectors.unchecked import text_of

_HEAD = "_class,name,fullName,lastBuild[number,timestamp],firstBuild[number],actions[_class,objectUrl]"


@dataclass(frozen=True, slots=True)
class Head:
    """A job; `newest` is the number of its newest build and when that began, None where it has no builds.

    `branch` is its name in a multibranch project, `page` what the branch source calls the page of the branch.
    """

    name: str
    branch: str
    page: str
    newest: tuple[int, int] | None
    oldest: int

    @property
    def began(self) -> int:
        """When the newest build did, in milliseconds since 1970."""
        return self.newest[1] if self.newest else 0


def heads_of(http: Http, resource: FetchedResource) -> Iterator[Head]:
    """Of one job, or of the branches of a multibranch project."""
    if resource.details.get("multibranch"):
        for job in listed(http, resource.external_id, _HEAD):
            if full_name_of(job):
                yield _head(job, full_name_of(job), text_of(job, "name"))
        return
    job = http.get(path_of(resource.external_id, "api", "json"), params={"tree": _HEAD}).json()
    yield _head(job, resource.external_id, "")


def number_of(build: Any) -> int:
    """0 where it has none that can be."""
    number = text_of(build, "number")
    return int(number) if number.isdecimal() else 0


def place_of(build: Any) -> tuple[int, int]:
    """Its number and when it began."""
    began = text_of(build, "timestamp")
    return number_of(build), int(began) if began.isdecimal() else 0


def _head(job: Any, name: str, branch: str) -> Head:
    last, first = (job.get(which) if isinstance(job, dict) else None for which in ("lastBuild", "firstBuild"))
    actions = job.get("actions") if isinstance(job, dict) else None
    pages = [text_of(action, "objectUrl") for action in actions] if isinstance(actions, list) else []
    newest = place_of(last)
    return Head(name, branch, next(filter(None, pages), ""), newest if newest[0] else None, number_of(first))
