"""Routing and pagination of the simulated GitHub."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

from demo.plan.delivery import Repository
from demo.providers.faults import Answer, Request
from demo.providers.github_access import Token
from demo.providers.github_hooks import Hooks, WrittenLabels
from demo.providers.github_payloads import Json, Payloads
from demo.providers.github_projects import Project
from demo.providers.record_states import HistoryAt

Record = TypeVar("Record")
REPOSITORY = "/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
RouteAnswer = Callable[..., Answer]
_PER_PAGE, _LARGEST_PAGE = 30, 100


class RefusedError(Exception):
    """A request that is answered with an error; `status` says which."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(RefusedError):
    """There is no such thing, or the token cannot see it: GitHub answers both alike."""

    def __init__(self) -> None:
        super().__init__(404, "Not Found")


class UnprocessableError(RefusedError):
    """The request is understood, and asks for something that cannot be."""

    def __init__(self, message: str) -> None:
        super().__init__(422, message)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to its answer."""

    request: Request
    token: Token
    shown: HistoryAt
    payloads: Payloads
    hooks: Hooks
    labels: WrittenLabels
    projects: Sequence[Project] = ()

    def repository(self, owner: str, name: str) -> Repository:
        """NotFoundError where there is none of the name, or not for this token."""
        repository = self.shown.repositories.get(name)
        if repository is None or owner.lower() != self.payloads.owner.login.lower():
            raise NotFoundError
        if self.token.repositories is not None and name not in self.token.repositories:
            raise NotFoundError
        return repository

    def listed(self, records: Sequence[Record], show: Callable[[Record], Json]) -> Answer:
        """One page of a list."""
        chosen, links = self.page_of(len(records))
        return Answer.of([show(record) for record in records[chosen]], headers=links)

    def counted(self, name: str, records: Sequence[Record], show: Callable[[Record], Json]) -> Answer:
        """One page of a list that says how long it is."""
        chosen, links = self.page_of(len(records))
        document = {"total_count": len(records), name: [show(record) for record in records[chosen]]}
        return Answer.of(document, headers=links)

    def page_of(self, count: int) -> tuple[slice, dict[str, str]]:
        """The slice of records on the requested page, and its Link header."""
        page, per_page = self.page, self.per_page
        last = -(-count // per_page)
        numbers: dict[str, int] = {}
        if page > 1:
            numbers |= {"first": 1, "prev": page - 1}
        if page < last:
            numbers |= {"next": page + 1, "last": last}
        address = f"{self.payloads.api}{self._path_by_id()}"
        links = ", ".join(
            f'<{address}?{urlencode({**self.request.query, "page": number})}>; rel="{relation}"'
            for relation, number in numbers.items()
        )
        return slice((page - 1) * per_page, page * per_page), {"Link": links} if links else {}

    def _path_by_id(self) -> str:
        """GitHub's own links name repositories by id, so that they outlast a renaming."""
        matched = re.match(REPOSITORY, self.request.path)
        repository = self.shown.repositories.get(matched["name"]) if matched else None
        return (
            f"/repositories/{repository.id}{self.request.path[matched.end() :]}"
            if repository and matched
            else self.request.path
        )

    @property
    def page(self) -> int:
        return max(1, whole_number(self.request.query.get("page", "1")))

    @property
    def per_page(self) -> int:
        return min(_LARGEST_PAGE, max(1, whole_number(self.request.query.get("per_page", str(_PER_PAGE)))))

    def time(self, name: str) -> datetime | None:
        """A parameter in ISO 8601; None where it is not given."""
        return time_of(self.request.query[name]) if self.request.query.get(name) else None


@dataclass(frozen=True, slots=True)
class Route:
    """`permission` is what a token needs for it; empty: nothing but to be a token."""

    method: str
    pattern: re.Pattern[str]
    permission: str
    answer: RouteAnswer


ROUTES: list[Route] = []


def route(pattern: str, permission: str = "", *, method: str = "GET") -> Callable[[RouteAnswer], RouteAnswer]:
    def keep(answer: RouteAnswer) -> RouteAnswer:
        ROUTES.append(Route(method, re.compile(f"{pattern}/?"), permission, answer))
        return answer

    return keep


def time_of(text: str) -> datetime:
    try:
        # A space stands for the plus sign that a client forgot to encode.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise UnprocessableError(f"{text} is no time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def end_of(text: str) -> datetime:
    """A day as an end means all of it."""
    at = time_of(text)
    return at.replace(hour=23, minute=59, second=59) if len(text) == len("2026-11-20") else at


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UnprocessableError(f"{text} is no number") from None
