"""Every API route with tokens of every scope not meant for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from tests.every_route import ROUTES
from tests.personas import ADMIN, MEMBER, create_user, signed_in

pytestmark = pytest.mark.django_db

READ, PEOPLE, ANNOTATIONS, PROGRAM = TokenScope.READ, TokenScope.PEOPLE, TokenScope.ANNOTATIONS, TokenScope.PROGRAM
READING, WRITING = ("GET", "HEAD"), ("POST", "PUT", "PATCH", "DELETE")
# The first that a route begins with says which scopes read there, and which write.
SCOPES: dict[str, tuple[set[TokenScope], set[TokenScope]]] = {
    "prometheus": ({READ}, {READ}),
    "mcp": ({READ}, {READ}),
    "api/v1/catalogue/": ({READ}, {READ}),
    "api/v1/people/": ({PEOPLE}, {PEOPLE}),
    "api/v1/units/": ({PEOPLE}, {PEOPLE}),
    "api/v1/ownership/": ({PEOPLE}, {PEOPLE}),
    "api/v1/annotations/": ({READ}, {ANNOTATIONS}),
    "api/v1/metrics/": ({READ}, {READ}),
    "api/v1/commits/": ({READ}, {READ}),
    "api/v1/dora/": ({READ}, {READ}),
    "api/v1/forecasts/": ({READ}, {READ}),
    "api/v1/": ({READ, PROGRAM}, {PROGRAM}),
}


@pytest.fixture
def tokens() -> dict[TokenScope, Client]:
    """A token of each scope; all act for an admin, so that only the scope can refuse."""
    user = create_user(ADMIN)
    secrets = {scope: create_api_token(scope, user=user, scope=scope, expires_at=None)[1] for scope in TokenScope}
    return {scope: Client(headers={"Authorization": f"Bearer {secret}"}) for scope, secret in secrets.items()}


def addresses() -> Iterator[tuple[str, set[TokenScope], set[TokenScope]]]:
    for route, access in ROUTES.items():
        for prefix, (reads, writes) in SCOPES.items():
            if route.startswith(prefix):
                yield access.address, reads, writes
                break


def test_a_token_of_another_scope_is_refused_everywhere_and_by_every_method(tokens: dict[TokenScope, Client]) -> None:
    wrong = []
    for address, reads, writes in [*addresses(), ("/prometheus?unit=platform", {READ}, {READ})]:
        for method in (*READING, *WRITING):
            for scope, client in tokens.items():
                allowed = scope in (reads if method in READING else writes)
                if allowed and method == "HEAD":
                    continue  # answered as GET is
                status = client.generic(method, address, b"{}", "application/json").status_code
                # Django's own views say first that they know no such method.
                refused = status == 403 or (status == 405 and address.startswith("/prometheus"))
                if refused is allowed and not (allowed and status == 405):
                    wrong.append(f"{scope}: {method} {address}: {status}")
    assert not wrong


def test_the_refusal_says_what_to_do_instead(tokens: dict[TokenScope, Client]) -> None:
    plain = tokens[PEOPLE].get("/prometheus?unit=platform")
    assert plain["Content-Type"].startswith("text/plain")
    document = tokens[PEOPLE].get("/api/v1/metrics/").json()
    assert plain.content.decode().strip() == document["error"]["message"]
    assert "create_api_token NAME --scope" in document["error"]["message"]


def test_receivers_take_no_token_of_the_api(tokens: dict[TokenScope, Client]) -> None:
    for scope, client in tokens.items():
        for address in ("/v1/logs", "/ingest/v1/deployments/"):
            assert client.post(address, b"{}", "application/json").status_code == 401, (scope, address)
        assert client.delete("/ingest/v1/deployments/4711/").status_code == 401, scope


def test_pages_take_the_holder_of_a_token_for_a_visitor(tokens: dict[TokenScope, Client]) -> None:
    """Pages know no scopes: they take turns."""
    wrong = []
    pages = [route for route in ROUTES if not any(map(route.startswith, SCOPES))]
    for route, (scope, client) in zip(pages, cycle(tokens.items()), strict=False):
        access = ROUTES[route]
        status = client.get(access.address, access.query).status_code
        if status != access.visitor:
            wrong.append(f"{scope}: {route}: {status}, not {access.visitor}")
    assert not wrong


def test_nothing_beside_the_header_widens_a_token(tokens: dict[TokenScope, Client]) -> None:
    """A token in other places, two of them, a session beside one, and one whose time or user has gone."""
    user = create_user(ADMIN)
    _, reading = create_api_token("reading", user=user, scope=READ, expires_at=None)
    _, people = create_api_token("people", user=user, scope=PEOPLE, expires_at=None)
    _, over = create_api_token("over", user=user, scope=READ, expires_at=timezone.now() - timedelta(seconds=1))
    _, sending = create_ingest_token("agents")
    gone = User.objects.create_user("gone", is_active=False)
    _, of_gone = create_api_token("of gone", user=gone, scope=READ, expires_at=None)
    signed_in_member = signed_in(MEMBER)
    address = "/api/v1/metrics/"
    sent = {
        "in the query": Client().get(f"{address}?token={reading}&access_token={reading}"),
        "as Basic": Client().get(address, headers={"Authorization": f"Basic {reading}"}),
        "as a cookie": Client(headers={"Cookie": f"token={reading}; sessionid={reading}"}).get(address),
        "two in one header": Client().get(address, headers={"Authorization": f"Bearer {people}, Bearer {reading}"}),
        "one behind the other": Client().get(address, headers={"Authorization": f"Bearer {people} {reading}"}),
        "of another scope beside a session": signed_in_member.get(
            address, headers={"Authorization": f"Bearer {people}"}
        ),
        "over": Client().get(address, headers={"Authorization": f"Bearer {over}"}),
        "of somebody who left": Client().get(address, headers={"Authorization": f"Bearer {of_gone}"}),
        "of a sender": Client().get(address, headers={"Authorization": f"Bearer {sending}"}),
        "overridden method": tokens[READ].post(
            "/api/v1/annotations/", b"{}", "application/json", headers={"X-HTTP-Method-Override": "GET"}
        ),
    }
    for what in (f"{PEOPLE} at figures of a unit", "over, at figures of a unit"):
        secret = over if what.startswith("over") else people
        sent[what] = Client().get("/prometheus?unit=platform", headers={"Authorization": f"Bearer {secret}"})
    assert not {what: answer.status_code for what, answer in sent.items() if answer.status_code not in (401, 403)}
