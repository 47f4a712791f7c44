"""Pull requests of a ticket: named as people name them, and shown to those who may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.csv_import import text_of
from core.write_errors import FieldError
from integrations.models import PullRequest
from programs.models import Ticket
from programs.tickets.services.csv_files import import_tickets, read_tickets
from programs.tickets.services.fields import pull_requests_named
from tests.org import Org
from tests.pages.delivering import REPOSITORY, day_before, merged
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]


@pytest.fixture(autouse=True)
def pulls(org: Org) -> dict[int, PullRequest]:
    """Two of Platform, one of Search."""
    create_teams()
    org.push(
        "pull-requests",
        {**merged(1, day_before(9)), "url": "https://git.example.com/shop/pull/1"},
        merged(2, day_before(8)),
        merged(3, day_before(7), author="grace"),
    )
    return {request.number: request for request in PullRequest.objects.all()}


def stored_changes(client: Client, address: str) -> dict[str, Any]:
    form = client.get(address).context["form"]
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


@pytest.mark.parametrize(
    "written",
    [
        "{repository}#1",
        "  {repository} #1  ",
        "{repository}!1",
        "https://git.example.com/shop/pull/1",
        "https://git.example.com/shop/pull/1/?tab=files#diff",
        "/insights/pull-requests/{pk}/",
        "https://headway.example.com/insights/pull-requests/{pk}/",
    ],
)
def test_it_is_found_as_people_name_it(pulls: dict[int, PullRequest], written: str) -> None:
    text = written.format(repository=REPOSITORY.upper(), pk=pulls[1].pk)
    assert pull_requests_named(f"{text}\n\n{text}", as_(EXECUTIVE)) == (pulls[1].pk,)


@pytest.mark.parametrize(
    "written", ["shop", "#1", "nowhere#1", f"{REPOSITORY}#99", "https://git.example.com/x", "a\x00#1", "x#" + "9" * 30]
)
def test_what_is_none_is_named(written: str) -> None:
    with pytest.raises(FieldError) as refused:
        pull_requests_named(written, as_(EXECUTIVE))
    assert refused.value.field == "pull_requests"


def test_one_of_others_is_as_one_that_is_not_there(pulls: dict[int, PullRequest]) -> None:
    with pytest.raises(FieldError, match="or you may not see it"):
        pull_requests_named(f"{REPOSITORY}#3", as_(MANAGER))


def test_they_are_linked_by_form_and_an_edit_keeps_what_its_author_may_not_see(
    pulls: dict[int, PullRequest], sign_in: SignIn
) -> None:
    new_ticket = ticket()
    new_ticket.pull_requests.add(pulls[3])
    client, edit = sign_in(MANAGER), f"/programs/tickets/{new_ticket.pk}/edit/"
    form = stored_changes(client, edit)
    assert form["pull_requests"] == ""
    assert client.post(edit, {**form, "pull_requests": f"{REPOSITORY}#1\n{REPOSITORY}#2"}).status_code == 302
    assert set(new_ticket.pull_requests.values_list("number", flat=True)) == {1, 2, 3}
    shown = client.get(f"/programs/tickets/{new_ticket.pk}/").content.decode()
    assert "Change 1" in shown
    assert "Change 3" not in shown, "of another team"
    assert "Change 3" in sign_in(EXECUTIVE).get(f"/programs/tickets/{new_ticket.pk}/").content.decode()
    assert stored_changes(sign_in(EXECUTIVE), edit)["pull_requests"].count("#") == 3


def test_two_edits_of_its_links_are_a_conflict(pulls: dict[int, PullRequest], sign_in: SignIn) -> None:
    new_ticket = ticket()
    client, edit = sign_in(MANAGER), f"/programs/tickets/{new_ticket.pk}/edit/"
    form = stored_changes(client, edit)
    assert client.post(edit, {**form, "pull_requests": f"{REPOSITORY}#1"}).status_code == 302
    second = client.post(edit, {**form, "pull_requests": f"{REPOSITORY}#2"})
    assert second.status_code == 409
    assert [difference.field for difference in second.context["differences"]] == ["Pull requests"]
    assert [pull_request.number for pull_request in new_ticket.pull_requests.all()] == [1]


def test_a_name_that_is_none_stores_nothing(sign_in: SignIn) -> None:
    new_ticket = ticket()
    client, edit = sign_in(MANAGER), f"/programs/tickets/{new_ticket.pk}/edit/"
    refused = client.post(edit, {**stored_changes(client, edit), "title": "Other", "pull_requests": "shop#404"})
    assert refused.status_code == 400
    assert "There is no pull request" in refused.content.decode()
    assert Ticket.objects.get().title != "Other"
    assert sign_in(MEMBER).get(edit).status_code == 200, "an owner changes theirs"


def test_a_ticket_whose_pull_request_was_deleted_is_changed_as_before(
    pulls: dict[int, PullRequest], sign_in: SignIn
) -> None:
    new_ticket = ticket(pull_requests=(pulls[1].pk,))
    PullRequest.objects.filter(pk=pulls[1].pk).update(deleted_at=timezone.now())
    client, edit = sign_in(MANAGER), f"/programs/tickets/{new_ticket.pk}/edit/"
    assert client.post(edit, {**stored_changes(client, edit), "title": "Other"}).status_code == 302
    assert Ticket.objects.get().title == "Other"
    assert set(new_ticket.pull_requests.values_list("number", flat=True)) == {1}


def test_the_api_names_and_links_those_that_one_may_see(pulls: dict[int, PullRequest], sign_in: SignIn) -> None:
    new_ticket = ticket(EXECUTIVE, pull_requests=(pulls[2].pk, pulls[3].pk))
    client, address = sign_in(MANAGER), f"/api/v1/tickets/{new_ticket.pk}/"
    assert client.get(address).json()["pull_requests"] == [pulls[2].pk]
    [listed] = client.get("/api/v1/tickets/").json()["tickets"]
    assert listed["pull_requests"] == [pulls[2].pk]

    def patch(*numbers: int) -> int:
        change = {"pull_requests": numbers, "version": Ticket.objects.get().version}
        return client.patch(address, change, content_type="application/json").status_code

    assert patch(pulls[1].pk) == 200
    assert set(new_ticket.pull_requests.values_list("number", flat=True)) == {1, 3}, "what she can't see stays"
    new_ticket.pull_requests.remove(pulls[3])
    assert patch(pulls[3].pk) == 400, "of another team"
    assert patch(0) == 400
    assert client.get(address).json()["pull_requests"] == [pulls[1].pk]


def test_a_file_has_them_one_a_line_and_links_them_again(pulls: dict[int, PullRequest], sign_in: SignIn) -> None:
    ticket(EXECUTIVE, pull_requests=(pulls[1].pk, pulls[2].pk, pulls[3].pk))
    content = sign_in(MANAGER).get("/programs/tickets/tickets.csv").getvalue()
    [row] = csv.DictReader(io.StringIO(text_of(content)))
    assert row["Pull requests"] == f"{REPOSITORY}#1\n{REPOSITORY}#2", "not the one of another team"
    Ticket.objects.all().delete()
    assert len(import_tickets(as_(MANAGER), read_tickets(as_(MANAGER), text_of(content)))) == 1
    assert set(Ticket.objects.get().pull_requests.values_list("number", flat=True)) == {1, 2}
    Ticket.objects.all().delete()
    [read] = read_tickets(as_(MANAGER), text_of(content).replace("#1", "#404"))
    assert read.problem.startswith("Pull requests: There is no pull request")
