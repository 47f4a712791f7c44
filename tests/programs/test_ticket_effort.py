"""A ticket's effort: said once, and shown wherever tickets are."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from core.csv_import import text_of
from insights.query.windows import local_today
from programs.models import Ticket
from programs.tickets.services.csv_files import import_tickets, read_tickets
from programs.tickets.services.writing import change_ticket
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import MANAGER, signed_in
from tests.programs.objective_pages import text
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams


@pytest.fixture
def client(org: Org) -> Client:
    create_teams()
    return signed_in(MANAGER)


def test_the_form_takes_it_and_list_page_and_history_show_it(client: Client) -> None:
    assert "Effort" in text(client, reverse("ticket_new"))
    says = {
        "title": "Slow builds", "nature": "challenge", "kind": "tooling", "unit": "platform", "effort": "small",
        "owner": "ada@example.com",
        "starts_on": str(local_today()), "due_on": str(local_today()),
    }  # fmt: skip
    assert client.post(reverse("ticket_new"), says).status_code == 302
    written = Ticket.objects.get()
    assert written.effort == "small"
    assert "Effort Small" in plain(text(client, reverse("ticket", args=[written.pk])))
    assert "Platform Small" in plain(text(client, reverse("tickets")))
    change_ticket(as_(MANAGER), written, {"effort": "large"}, of_version=1)
    assert "Effort Small → Large" in plain(text(client, reverse("ticket", args=[written.pk])))


def test_lists_are_narrowed_to_it(client: Client) -> None:
    ticket(title="the small one", effort="small")
    ticket(title="the large one", effort="large")
    ticket(title="the unknown one")
    page = text(client, "/programs/tickets/?effort=large")
    assert "the large one" in page
    assert "the small one" not in page
    answer = client.get("/api/v1/tickets/", {"effort": "small"}).json()
    assert [entry["title"] for entry in answer["tickets"]] == ["the small one"]
    assert client.get("/api/v1/tickets/", {"effort": "none"}).json()["error"]["parameter"] == "effort"
    assert "Any effort" in page


def test_programs_and_files_carry_it(client: Client) -> None:
    new_ticket = ticket(effort="medium")
    address = f"/api/v1/tickets/{new_ticket.pk}/"
    assert client.get(address).json()["effort"] == "medium"
    content = client.get(reverse("tickets_csv")).getvalue()
    emptied = client.patch(address, {"effort": None, "version": 1}, content_type="application/json")
    assert emptied.json()["effort"] is None
    refused = client.patch(address, {"effort": "huge", "version": 2}, content_type="application/json")
    assert refused.json()["error"] == {"parameter": "effort", "message": "One of: small, medium, large."}
    Ticket.objects.all().delete()
    import_tickets(as_(MANAGER), read_tickets(as_(MANAGER), text_of(content)))
    assert Ticket.objects.get().effort == "medium"
