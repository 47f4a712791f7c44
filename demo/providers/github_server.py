"""A simulated GitHub: a real HTTP server on loopback that shows a delivery history as of an instant.

    with GitHubServer(history, tokens=[Token("github_pat_x", "ada")]) as github:
        connect to github.url (or github.url + "/api/v3", as on an Enterprise Server) with that token
        github.advance(to)      # what happened until then is there now

It answers what the public API (version 2022-11-28) answers for the paths that Headway's connector needs: pages with
Link headers, ETags with 304, quota headers, permissions.  `faults` spoil chosen requests; `requests` are the
latest that were made.  Nothing here is secret, and nothing listens beyond loopback.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from demo.plan.delivery import DeliveryHistory, renamed_repository
from demo.providers import github_graphql, github_rest, github_rest_delivery  # noqa: F401  # they register their routes
from demo.providers.faults import Answer, Fault, Request
from demo.providers.github_access import Access, App, Quota, Token
from demo.providers.github_hooks import Hooks, WrittenLabels
from demo.providers.github_payloads import Payloads
from demo.providers.github_projects import Project
from demo.providers.github_routes import ROUTES, Call, NotFoundError, RefusedError, Route
from demo.providers.github_webhooks import Delivery, deliveries_between, send
from demo.providers.record_states import HistoryAt
from demo.providers.simulated_server import SimulatedServer

_ENTERPRISE = "/api/v3"
_DOCUMENTATION = "https://docs.github.com/rest"
_BY_ID = re.compile("/repositories/([0-9]+)(?=/|$)")


class GitHubServer(SimulatedServer):
    """`at` is the instant that is shown, the history's end where none is given.

    `limit` requests per `window` are answered for each token.  `web` is the address of pages and clones, where it is
    another than that of the API.
    """

    server_name = "github.com"

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        tokens: Iterable[Token],
        app: App | None = None,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        limit: int = 5000,
        window: timedelta = timedelta(hours=1),
        installation_token_life: timedelta = timedelta(hours=1),
        web: str = "",
        port: int = 0,
    ) -> None:
        super().__init__("GitHub", faults=faults, port=port)
        self.access = Access(list(tokens), app)
        self.hooks = Hooks()
        self.labels = WrittenLabels()
        self.projects: list[Project] = []
        self._installation_token_life = installation_token_life
        self._limit, self._window = limit, window
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._shown = HistoryAt(history, at or history.ends_at)
        self._renamed: dict[str, str] = {}
        self._logins: dict[int, str] = {}
        self._lock = threading.Lock()
        self._web = web or self.url

    # What is shown ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> HistoryAt:
        return self._shown

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""
        self._shown = self.labels.on(HistoryAt(self._shown.history, to))

    def show(self, history: DeliveryHistory) -> None:
        """Show another history, as of the same instant: such as one in which a record was deleted."""
        self._shown = self.labels.on(HistoryAt(history, self._shown.at))

    def rename_repository(self, name: str, new_name: str) -> None:
        """The repository has another name from now on; requests by the old one are sent to the new (301)."""
        self._renamed[name] = new_name
        self.show(renamed_repository(self._shown.history, name, new_name))

    def rename_user(self, login: str, new_login: str) -> None:
        """The account has another login from now on, in all that it did; its id stays.  KeyError: there is none."""
        ids = {account.login: account.id for account in self._shown.history.accounts}
        self._logins = {**self._logins, ids[login]: new_login}

    def payloads(self, prefix: str = "") -> Payloads:
        owner = self._shown.history.organisation
        return Payloads(api=self.url + prefix, web=self._web, owner=owner, logins=self._logins)

    # Telling ----------------------------------------------------------------------------------------------------

    def deliveries(self, since: datetime, until: datetime) -> list[Delivery]:
        """The events of what happened after `since` and until `until`, in order of time."""
        return deliveries_between(self._shown.history, self.payloads(), since, until)

    def tell_hooks(self, deliveries: Sequence[Delivery]) -> list[int]:
        """Post them, in their order, to the registered hooks that want them; the statuses of the answers."""
        return [
            status
            for delivery in deliveries
            for hook in self.hooks.at(delivery.repository)
            if hook.wants(delivery.event)
            for status in send([delivery], hook.address, hook.secret)
        ]

    # Answering --------------------------------------------------------------------------------------------------

    def split(self, path: str) -> tuple[str, str]:
        if path.startswith(f"{_ENTERPRISE}/"):
            return path.removeprefix(_ENTERPRISE), _ENTERPRISE
        return ("/graphql" if path == "/api/graphql" else path), ""

    def headers_of(self, answer: Answer) -> dict[str, str]:
        return {"X-GitHub-Request-Id": hashlib.sha256(answer.body).hexdigest()[:24].upper()}

    def answer_of(self, request: Request) -> Answer:
        if request.method == "POST" and request.path.startswith("/app/installations/"):
            return self._installation_token(request)
        token = self.access.token_of(request)
        if token is None:
            return _refusal(401, "Bad credentials" if "authorization" in request.headers else "Requires authentication")
        resource = "graphql" if request.path == "/graphql" else "core"
        quota = self._quota(token, resource)
        if not quota.take():
            if resource == "graphql":
                return _with_headers(github_graphql.limited(token), quota.headers(resource))
            message = f"API rate limit exceeded for user {token.login}."
            return _with_headers(_refusal(403, message), quota.headers(resource))
        answer = self._conditional(request, self._routed(request, token, quota))
        if answer.status == 304:
            quota.give_back()
        return _with_headers(answer, quota.headers(resource) | {"X-GitHub-Media-Type": "github.v3; format=json"})

    def _routed(self, request: Request, token: Token, quota: Quota) -> Answer:
        if by_id := _BY_ID.match(request.path):
            request = self._named(request, int(by_id[1]), rest=request.path[by_id.end() :])
        call = Call(request, token, self._shown, self.payloads(request.prefix), self.hooks, self.labels, self.projects)
        try:
            if (request.method, request.path) == ("POST", "/graphql"):
                return github_graphql.answer(call, quota)
            return self._by_route(call)
        except RefusedError as refused:
            return _refusal(refused.status, str(refused))
        except json.JSONDecodeError:
            return _refusal(400, "Problems parsing JSON")

    def _by_route(self, call: Call) -> Answer:
        for route in ROUTES:
            matched = route.pattern.fullmatch(call.request.path)
            if matched and route.method == call.request.method:
                named = matched.groupdict()
                if named.get("name") in self._renamed:
                    return self._moved(call, named["name"])
                if not call.token.may(route.permission, named.get("name", "")):
                    return _lacking(call.token, route)
                return route.answer(call, **named)
        raise NotFoundError

    def _named(self, request: Request, repository: int, *, rest: str) -> Request:
        """A request that names the repository by id, with its name instead; as it is where there is none of the id."""
        history = self._shown.history
        for known_repository in history.repositories:
            if known_repository.id == repository:
                return replace(request, path=f"/repos/{history.organisation.login}/{known_repository.name}{rest}")
        return request

    def _moved(self, call: Call, old_name: str) -> Answer:
        request, login = call.request, call.payloads.owner.login
        path = request.path.replace(f"/repos/{login}/{old_name}", f"/repos/{login}/{self._renamed[old_name]}", 1)
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        address = f"{self.url}{request.prefix}{path}{'?' if query else ''}{query}"
        document = {"message": "Moved Permanently", "url": address, "documentation_url": _DOCUMENTATION}
        return Answer.of(document, status=301, headers={"Location": address})

    def _installation_token(self, request: Request) -> Answer:
        if not self.access.app_signs(request):
            return _refusal(401, "A JSON web token could not be decoded")
        number = request.path.removeprefix("/app/installations/").removesuffix("/access_tokens")
        return self.access.installation_token(
            int(number) if number.isdecimal() else 0, life=self._installation_token_life
        )

    def _conditional(self, request: Request, answer: Answer) -> Answer:
        """The answer with an ETag; 304 without a body if the client has it already."""
        if answer.status != 200 or request.method != "GET":
            return answer
        tag = f'W/"{hashlib.sha256(answer.body).hexdigest()}"'
        if tag in request.headers.get("if-none-match", ""):
            return Answer(304, b"", {"ETag": tag})
        return _with_headers(answer, {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"})

    def _quota(self, token: Token, resource: str) -> Quota:
        key = (token.login, resource)
        with self._lock:
            if key not in self._quotas:
                self._quotas[key] = Quota(self._limit, self._window)
            return self._quotas[key]


def _lacking(token: Token, route: Route) -> Answer:
    access = "read" if route.method == "GET" else "write"
    refusal = _refusal(403, f"Resource not accessible by {token.described}")
    return _with_headers(
        refusal, {"x-accepted-github-permissions": f"{route.permission.removesuffix('_write')}={access}"}
    )


def _refusal(status: int, message: str) -> Answer:
    return Answer.of({"message": message, "documentation_url": _DOCUMENTATION, "status": str(status)}, status=status)


def _with_headers(answer: Answer, headers: dict[str, str]) -> Answer:
    return replace(answer, headers={**answer.headers, **headers})
