"""A token of nobody reads aggregates: no route of the API tells it who owns, says or changes something."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import Person, TokenScope
from programs.comments.writing import comment_on
from tests.every_route import ROUTES
from tests.org import Org
from tests.personas import MANAGER
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture
def nobody(org: Org) -> Client:
    """With a ticket and an objective of Ada's, and what Edith said of the ticket."""
    create_teams()
    Person.objects.filter(full_name="Ada").update(full_name="Ada Lovelace")
    new_ticket = ticket(title="A ticket", unit="platform", owner="ada@example.com")
    comment_on(as_(MANAGER), new_ticket, "It helps.")
    objective(title="An objective", owner=Person.objects.get(full_name="Ada Lovelace").email)
    secret = create_api_token("BI", user=None, scope=TokenScope.READ, expires_at=None)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def document(client: Client, address: str, **query: str) -> Any:
    return client.get(address, query).json()


def test_no_address_of_a_person_is_in_any_answer(nobody: Client) -> None:
    documents = {}
    for route, access in ROUTES.items():
        if not route.startswith("api/") or route == "api/schema/":  # which has examples
            continue
        body = nobody.get(access.address, access.query).getvalue().decode(errors="replace")
        if "@example.com" in body or "Lovelace" in body:
            documents[route] = body[:200]
    assert not documents


def test_tickets_and_objectives_are_there_without_their_owners(nobody: Client) -> None:
    [objectives] = document(nobody, "/api/v1/tickets/")["tickets"]
    assert (objectives["title"], objectives["owner"]) == ("A ticket", None)
    [objectives] = document(nobody, "/api/v1/objectives/")["objectives"]
    assert (objectives["title"], objectives["owner"]) == ("An objective", None)
    for name in ("tickets", "objectives"):
        csv = nobody.get(f"/api/v1/{name}.csv").getvalue().decode()
        assert "platform" in csv
        assert "ada@" not in csv


def test_nobody_finds_an_owner_by_asking_for_one(nobody: Client) -> None:
    for name in ("tickets", "objectives"):
        assert nobody.get(f"/api/v1/{name}/", {"owner": "ada@example.com"}).status_code == 403
        assert document(nobody, f"/api/v1/{name}/", q="Lovelace")[name] == []
        assert document(nobody, f"/api/v1/{name}/", q="An objective" if name == "objectives" else "A ticket")[name]


@pytest.mark.parametrize("part", ["tickets/{ticket}/comments/", "tickets/{ticket}/history/"])
def test_who_said_and_changed_something_is_for_accounts(nobody: Client, part: str) -> None:
    number = document(nobody, "/api/v1/tickets/")["tickets"][0]["id"]
    answer = nobody.get(f"/api/v1/{part.format(ticket=number)}")
    assert answer.status_code == 403
    assert "has no account" in answer.content.decode()
