"""Every route with malformed input: a well-formed error response, never a 500.

`make test` sends a sample to every route, rotating parameters, fields and kinds; `make soak` sends every combination.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from integrations.models import Deployment, Incident, IngestScope, PullRequest, WorkItem
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.models import Person
from programs.quarters.fiscal_quarters import current_quarter
from tests.bad_values import (
    BODIES,
    IN_ADDRESSES,
    IN_JSON,
    filled,
    form_fields_of,
    json_fields_of,
    methods_of,
    parameters_of,
    views_by_route,
)
from tests.every_route import ROUTES
from tests.org import Org
from tests.personas import ADMIN, Persona, signed_in
from tests.programs.meetings import scheduled
from tests.programs.objectives import objective
from tests.programs.tickets import ticket
from tests.stored_once import StoreOnce
from tests.teams import create_teams
from tests.test_access import POSTS

JSON = "application/json"
RECEIVER = r"^v1/(?P<signal>logs|metrics|traces)/?$"
SENT_BY_PROGRAMS = ("ingest/", "hooks/")  # with an ingest token or a signature

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Sent:
    """A request; `kind` is what is wrong with it."""

    kind: str
    method: str
    address: str
    body: bytes | Mapping[str, str] = b""
    content_type: str = JSON

    def __str__(self) -> str:
        return f"{self.method} {self.address[:120]} {str(self.body)[:80] if self.body else ''} ({self.kind})"


@dataclass
class World:
    """An organisation with one of everything, and an admin with every right."""

    client: Client
    secret: str
    numbers: Mapping[str, int]  # ids by the beginning of an address
    problems: list[str] = field(default_factory=list)

    def arguments(self, route: str) -> Mapping[str, Any]:
        """The arguments of the route for an existing object, if there is one."""
        address = ROUTES[route].address.partition("?")[0]
        arguments = {**resolve(address).kwargs}
        for beginning, number in self.numbers.items():
            if route.startswith(beginning):
                arguments = {name: number if value == 4711 else value for name, value in arguments.items()}
        names = {"slug": "teams" if "trees/" in route else "platform", "start": str(current_quarter().start)}
        if "people/<" in route:
            person = Person.objects.get(email="ada@example.com")
            names |= {"public_id": str(person.public_id), "key": str(person.email)}
        return {name: names.get(name, value) for name, value in arguments.items()}

    def send(self, sent: Sent) -> HttpResponse:
        cookies = self.client.cookies.copy()
        headers = {"Authorization": f"Bearer {self.secret}"} if sent.address.startswith(("/ingest/", "/v1/")) else {}
        try:
            with transaction.atomic():
                if isinstance(sent.body, bytes):
                    answer = self.client.generic(
                        sent.method, sent.address, sent.body, content_type=sent.content_type, headers=headers
                    )
                else:
                    answer = self.client.post(sent.address, sent.body, headers=headers)
                transaction.set_rollback(True)  # whatever it changed, the next request finds as before
        finally:
            self.client.cookies = SimpleCookie(cookies)
        return answer  # type: ignore[return-value]

    def send_all(self, requests: Iterable[Sent]) -> None:
        """Note every answer that is none of the product's own."""
        for sent in requests:
            answer = self.send(sent)
            if problem := wrong_form(sent, answer):
                self.problems.append(f"{sent}: {answer.status_code}, {problem}")


def wrong_form(sent: Sent, answer: HttpResponse) -> str:
    """The problem with the form of an answer; empty if there is none."""
    if answer.status_code >= 500:
        return "a fault of ours"
    is_program = sent.address.startswith(("/api/v1/", "/ingest/", "/hooks/", "/v1/"))
    if answer.status_code < 400 or answer.status_code == 405:
        return ""
    if not is_program:
        return "" if answer.content else "an empty page"
    if "json" not in answer.headers["Content-Type"]:
        return f"{answer.headers['Content-Type']} instead of JSON"
    document = json.loads(answer.content)
    named = {"error", "errors", "results"} if not sent.address.startswith("/v1/") else {"message"}
    return "" if named & set(document) else f"no error in {document}"


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with stored_once(lambda: create_world(Org(tmp_path_factory.mktemp))) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_problem_yet(world: World) -> None:
    world.problems.clear()


def create_world(org: Org) -> World:
    teams = create_teams()
    org.push("pull-requests", {"id": "7", "number": 7, "repository": "shop", "author": "ada@example.com", **_times()})
    org.push("work-items", {"id": "SHOP-1", "project": "SHOP", "title": "Carts", "type": "Story", **_item()})
    org.push("incidents", {"id": "I-1", "started_at": "2026-03-01T08:00:00Z"})
    org.push("deployments", {"id": "d", "repository": "shop", "environment": "production", **_deployed()})
    client = signed_in(ADMIN)
    client.raise_request_exception = False
    note = {"text": "Outage", "from": str(timezone.localdate())}
    note_id = client.post("/api/v1/annotations/", note, content_type=JSON).json()["id"]
    planned = {"unit": "platform", "title": "Healthy sprints"}
    intended = client.post("/api/v1/roadmap/intents/", planned, content_type=JSON).json()["id"]
    goal, filed, series = objective(ADMIN).pk, ticket(ADMIN).pk, scheduled(ADMIN)
    numbers = {
        **dict.fromkeys(("programs/objectives/", "api/v1/objectives/"), goal),
        **dict.fromkeys(("programs/tickets/", "api/v1/tickets/"), filed),
        **dict.fromkeys(("insights/annotations/", "api/v1/annotations/"), note_id),
        **dict.fromkeys(("programs/roadmap/intents/", "api/v1/roadmap/intents/"), intended),
        "programs/roadmap/objectives/": goal,
        **dict.fromkeys(("programs/meetings/series/", "api/v1/meetings/series/"), series.pk),
        **dict.fromkeys(("programs/meetings/", "api/v1/meetings/"), series.meetings.earliest("pk").pk),
        "insights/pull-requests/": PullRequest.objects.get().pk,
        "insights/work-items/": WorkItem.objects.get().pk,
        "insights/incidents/": Incident.objects.get().pk,
        "insights/deployments/": Deployment.objects.get().pk,
    }
    assert teams.platform.pk
    return World(client, create_ingest_token("Build machines", scope=IngestScope.PUSH)[1], numbers)


def _times() -> dict[str, str]:
    return {"created_at": "2026-03-01T08:00:00Z", "state": "merged", "merged_at": "2026-03-02T08:00:00Z"}


def _item() -> dict[str, str]:
    return {"status_category": "done", "created_at": "2026-03-01T08:00:00Z", "resolved_at": "2026-03-02T08:00:00Z"}


def _deployed() -> dict[str, str]:
    return {"status": "success", "finished_at": "2026-03-02T10:00:00Z"}


Values = Mapping[str, Any]
Chosen = Callable[[Values, Sequence[str]], Iterable[tuple[str, str]]]  # pairs of a name and a kind


def one_of_them() -> Chosen:
    """One name each time, with one kind; both go round, so that all kinds come to many routes."""
    turns = itertools.count()
    kinds: dict[int, Iterator[str]] = {}  # by the identity of the values

    def chosen(values: Values, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        if names:
            yield names[next(turns) % len(names)], next(kinds.setdefault(id(values), itertools.cycle(values)))

    return chosen


def all_of_them(values: Values, names: Sequence[str]) -> Iterable[tuple[str, str]]:
    return itertools.product(names, values)


def requests_to(route: str, view: Callable[..., Any], world: World, chosen: Chosen) -> Iterator[Sent]:
    """Bad values for the parts of a request to the route."""
    is_of_programs = route.startswith(("v1/", *SENT_BY_PROGRAMS)) or route == RECEIVER
    writing = list(methods_of(view)) or (["post"] if is_of_programs else [])
    address = "/v1/logs" if route == RECEIVER else filled(route, world.arguments(route))
    if route != RECEIVER:
        method = writing[0].upper() if writing else "POST" if route in POSTS else "GET"
        yield from in_paths(route, world.arguments(route), chosen, method)
    if not is_of_programs:
        for name, kind in chosen(IN_ADDRESSES, parameters_of(route, view)):
            yield Sent(f"{kind} in {name}", "GET", f"{address}?{name}={IN_ADDRESSES[kind]}")
    for method in writing:
        for name, kind in chosen(IN_JSON, json_fields_of(route, method, view)):
            yield Sent(f"{kind} as {name}", method.upper(), address, f'{{"{name}": {IN_JSON[kind]}}}'.encode())
        for _, kind in chosen(BODIES, ["body"]):
            yield Sent(kind, method.upper(), address, BODIES[kind])
    if route in POSTS and not writing:
        for name, kind in chosen(IN_ADDRESSES, form_fields_of(view)):
            encoded = f"{name}={IN_ADDRESSES[kind]}".encode()
            yield Sent(f"{kind} as {name}", "POST", address, encoded, "application/x-www-form-urlencoded")


def in_paths(route: str, arguments: Mapping[str, Any], chosen: Chosen, method: str) -> Iterator[Sent]:
    for name, kind in chosen(IN_ADDRESSES, list(arguments)):
        bad = filled(route, arguments, **{name: IN_ADDRESSES[kind] or "%20"})
        yield Sent(f"{kind} as {name}", "GET", bad)
        if method != "GET":
            yield Sent(f"{kind} as {name}", method, bad, b"{}")
    for name in arguments:
        yield Sent(f"NUL as {name}", method, filled(route, arguments, **{name: "%00"}), b"")


@pytest.mark.timeout(400)
def test_no_route_fails_on_bad_input(world: World) -> None:
    """It takes more than 5 s, because it asks every route of the application several times."""
    chosen = one_of_them()
    for route, view in views_by_route().items():
        world.send_all(requests_to(route, view, world, chosen))
    assert not world.problems, "\n".join(world.problems)


@pytest.mark.soak
@pytest.mark.parametrize("route", ROUTES)
def test_no_route_fails_on_any_kind_of_bad_input(route: str, world: World) -> None:
    world.send_all(requests_to(route, views_by_route()[route], world, all_of_them))
    assert not world.problems, "\n".join(world.problems)


RECORDS = {
    "tickets": {"title": "Carts expire", "kind": "tooling", "owner": "ada@example.com", "due_on": str(date.max)},
    "objectives": {"title": "Reviews no longer wait", "unit": "platform"},
}


@pytest.mark.parametrize(
    "body", [r'{"title": "\ud800"}', "[" * 100_000, '{"title": ' + "[" * 50_000, r'{"title": "a\u0000b"}']
)
@pytest.mark.parametrize("kind", RECORDS)
def test_what_cannot_be_kept_is_refused_with_the_field_that_holds_it(world: World, kind: str, body: str) -> None:
    answer = world.client.generic("POST", f"/api/v1/{kind}/", body.encode(), content_type=JSON)
    message = json.loads(answer.content)["error"]
    assert answer.status_code == 400
    assert message["parameter"] == (None if "[[[" in body else "title")
    assert message["message"]


@pytest.mark.parametrize(
    "address", ["/badges/%00.svg", "/badges/\0.svg", "/api/v1/benchmarks/%00/", "/ingest/v1/deployments/%00/"]
)
def test_nothing_is_called_by_a_nul(world: World, address: str) -> None:
    method = "DELETE" if "ingest" in address else "GET"
    assert world.send(Sent("NUL", method, address)).status_code == 404


def test_a_cookie_with_a_nul_is_nobodys_session(world: World) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/", headers={"Cookie": r'sessionid="abcdefgh\000"; csrftoken="\000"'})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_admin_pages_refuse_it_too(world: World, sign_in: Callable[[Persona], Client]) -> None:
    """Django's own pages read `_00` in a key as a NUL."""
    listed = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in django_admin.site._registry]
    kinds, names = itertools.cycle(IN_ADDRESSES), itertools.cycle(("q", "o", "p", "e", "id", "pk__in", "_popup"))
    for page in listed:
        kind, name = next(kinds), next(names)
        world.send_all([Sent(f"{kind} in {name}", "GET", f"{page}?{name}={IN_ADDRESSES[kind]}")])
        world.send_all(Sent("a key that is none", "GET", f"{page}{key}/change/") for key in ("_00", str(2**63)))
    assert not world.problems, "\n".join(world.problems)
