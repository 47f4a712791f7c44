"""Faults between a client and a provider's server, as data: on which requests, and what happens instead.

    Fault(too_many_requests(retry_after=1), path="/pulls$", nth=2)            the second request of that path
    Fault(bad_gateway(), times=3)                                             the first three requests at all
    Fault(unauthorised(), nth=5, times=None)                                  every request from the fifth on

Several faults may stand together; of those that answer in the server's place the first wins, and changes of the
answer are made one after another.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server got it; `path` has neither the API's prefix nor the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    prefix: str = ""  # /api/v3 on an Enterprise Server

    def json(self) -> Any:
        """The body as JSON.  Raises json.JSONDecodeError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # the connection ends after that many bytes of the body

    @staticmethod
    def of(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def document(self) -> Any:
        return json.loads(self.body)


class Effect(Protocol):
    """`answer` gives what the server would have answered; an effect that never calls it stands in its place."""

    def __call__(self, request: Request, answer: Callable[[], Answer]) -> Answer: ...


@dataclass(slots=True)
class Fault:
    """An effect on some requests: of those that match, the n-th and the following ones, `times` in all."""

    effect: Effect
    path: str = ""  # a regular expression, found anywhere in the path and its query
    method: str = ""
    nth: int = 1
    times: int | None = 1  # None: for ever
    body: str = ""  # a regular expression, found anywhere in the request's body
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def strikes(self, request: Request) -> bool:
        """Whether this request is one of those; counts it."""
        target = "?".join((request.path, "&".join(f"{name}={value}" for name, value in request.query.items())))
        if self.method not in ("", request.method) or not re.search(self.path, target):
            return False
        if self.body and not re.search(self.body, request.body.decode(errors="replace")):
            return False
        with self._lock:
            self.seen += 1
            return self.nth <= self.seen and (self.times is None or self.seen < self.nth + self.times)


def with_faults(faults: list[Fault], request: Request, answer: Callable[[], Answer]) -> Answer:
    """The server's answer, as the faults that strike this request leave it."""
    for fault in reversed([fault for fault in faults if fault.strikes(request)]):
        answer = _bound(fault.effect, request, answer)
    return answer()


def _bound(effect: Effect, request: Request, answer: Callable[[], Answer]) -> Callable[[], Answer]:
    return lambda: effect(request, answer)


# In the server's place ------------------------------------------------------------------------------------------


def instead(answer: Answer) -> Effect:
    return lambda args, usual: answer


def too_many_requests(*, retry_after: int | None = None) -> Effect:
    """429, with or without the header that says for how many seconds."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return instead(Answer.of({"message": "Too many requests"}, status=429, headers=headers))


def secondary_limit(*, retry_after: int | None = None) -> Effect:
    """GitHub's 403 for too much at once."""
    return instead(
        Answer.of(
            {
                "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
            },
            status=403,
            headers={} if retry_after is None else {"Retry-After": str(retry_after)},
        )
    )


def limit_used_up(*, seconds: float) -> Effect:
    """GitHub's 403 when the hour's requests are spent; the limit is said to be renewed after so many seconds."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        headers = {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-used": "5000",
            "x-ratelimit-reset": str(int(time.time() + seconds)),
            "x-ratelimit-resource": "core",
        }
        return Answer.of({"message": "API rate limit exceeded for user ID 1."}, status=403, headers=headers)

    return effect


def unauthorised() -> Effect:
    return instead(Answer.of({"message": "Bad credentials", "status": "401"}, status=401))


def forbidden(permission: str = "") -> Effect:
    """403 for one thing; GitHub names the permission that would do in a header."""
    headers = {"x-accepted-github-permissions": permission} if permission else {}
    message = "Resource not accessible by personal access token"
    return instead(Answer.of({"message": message, "status": "403"}, status=403, headers=headers))


def not_found() -> Effect:
    return instead(Answer.of({"message": "Not Found", "status": "404"}, status=404))


def server_error() -> Effect:
    return instead(Answer.of({"message": "Server Error"}, status=500))


def bad_gateway() -> Effect:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>Unicorn!</body></html>"
    return instead(Answer(502, page, {"Content-Type": "text/html"}))


def html_page() -> Effect:
    """A page for people with status 200, as a proxy or a maintenance notice answers."""
    return instead(Answer(200, b"<!DOCTYPE html><title>Sign in</title>", {"Content-Type": "text/html"}))


def redirect(location: str, *, status: int = 302) -> Effect:
    return instead(Answer(status, b"", {"Location": location}))


def held(seconds: float) -> Effect:
    """The response comes late; a delay beyond the client's patience is a timeout."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        time.sleep(seconds)
        return answer()

    return effect


# Another answer than the right one ------------------------------------------------------------------------------


def cut_short(share: float = 0.5) -> Effect:
    """JSON that ends in the middle; the connection closes before the announced length."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        whole = answer()
        return replace(whole, cut_after=int(len(whole.body) * share))

    return effect


def truncated(share: float = 0.5) -> Effect:
    """JSON that ends in the middle, announced with its own length as if it were complete."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        whole = answer()
        return replace(whole, body=whole.body[: int(len(whole.body) * share)])

    return effect


def changed(where: str, value: Any) -> Effect:
    """One field of the answer has another value: changed("0.user", None), changed("data.repository.name", 1).

    Nothing changes where the answer has no such place.
    """

    def change(holder: Any, name: str) -> None:
        holder[int(name) if isinstance(holder, list) else name] = value

    return _edited(where, change)


def renamed(where: str) -> Effect:
    """One field of the answer has another name; nothing changes where the answer has no such place."""

    def rename(holder: Any, name: str) -> None:
        holder[f"new_{name}"] = holder.pop(name)

    return _edited(where, rename)


def _edited(where: str, edit: Callable[[Any, str], None]) -> Effect:
    """`edit` takes what holds the last part of the path, and that part.  Without such a place nothing changes."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        usual = answer()
        document = usual.document()
        *way, last = where.split(".")
        holder = document
        try:
            for name in way:
                holder = holder[int(name) if isinstance(holder, list) else name]
            edit(holder, last)
        except (KeyError, IndexError, TypeError, ValueError):
            return usual
        return replace(usual, body=json.dumps(document).encode())

    return effect


def repeated_page() -> Effect:
    """The page before once more, with its own links; strikes requests with a page number above 1.

    Needs to strike the page before as well (which it leaves as it is): `nth=1, times=2`.
    """
    before: list[Answer] = []

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        if before:
            return before[0]
        before.append(answer())
        return before[0]

    return effect


def meanwhile(happens: Callable[[], object]) -> Effect:
    """Something happens at the provider just before this response: a record changes or arrives between two pages."""

    def effect(request: Request, answer: Callable[[], Answer]) -> Answer:
        happens()
        return answer()

    return effect
