"""The history of a ticket: fields and links with their authors, and nothing that its reader may not see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from integrations.models import PullRequest
from orgtree.models import Person
from programs.models import Ticket
from programs.tickets.services.writing import change_ticket, unwatch_ticket, watch_ticket
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.recomputed import plain
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, signed_in
from tests.programs.objective_pages import text
from tests.programs.objectives import objective
from tests.programs.tickets import as_, draft, ticket
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]


@pytest.fixture
def pulls(org: Org) -> dict[int, PullRequest]:
    create_teams()
    records = [merged(1, day_before(9)), merged(2, day_before(8), author="grace")]
    org.push("pull-requests", *records)
    return {request.number: request for request in PullRequest.objects.all()}


def history(persona: Persona, record: Ticket) -> str:
    page = plain(text(signed_in(persona), reverse("ticket", args=[record.pk])))
    return page.partition("History ")[2]


def test_links_come_and_go_by_name(pulls: dict[int, PullRequest]) -> None:
    new_ticket = ticket(pull_requests=(pulls[1].pk,))
    assert history(MANAGER, new_ticket).startswith("Edith")
    assert "Created" in history(MANAGER, new_ticket)
    assert "Watching" not in history(MANAGER, new_ticket), "whoever filed it watches it anyway"
    change_ticket(as_(EXECUTIVE), new_ticket, draft(pull_requests=(pulls[2].pk,)), of_version=1)
    watch_ticket(as_(MEMBER), new_ticket)
    unwatch_ticket(as_(MEMBER), new_ticket)
    changes = history(EXECUTIVE, new_ticket)
    assert "Ada" in changes.partition("Created")[0]
    assert "Watching – → Ada" in changes
    assert "Watching Ada → –" in changes
    for number, words in ((1, "{} → –"), (2, "– → {}")):
        name = f"{pulls[number].repository.name} #{number} {pulls[number].title}".strip()
        assert f"Pull request {words.format(name)}" in changes
    assert changes.index("Watching Ada → –") < changes.index("Watching – → Ada"), "the newest first"


def test_readers_see_the_changes_that_they_may_see(pulls: dict[int, PullRequest]) -> None:
    hidden = objective(EXECUTIVE, title="A draft that nobody knows", unit="search", publish=False)
    new_ticket = ticket(EXECUTIVE)
    new_draft = draft(pull_requests=(pulls[2].pk,), objective=hidden.pk, metric="pr.pickup_time")
    change_ticket(as_(EXECUTIVE), new_ticket, new_draft, of_version=1)
    changes = history(MEMBER, new_ticket)
    assert "Pull request – → not visible to you" in changes
    assert "Objective – → not visible to you" in changes
    assert "A draft that nobody knows" not in changes
    assert "Metric – → Pickup time" in changes
    assert "A draft that nobody knows" in history(EXECUTIVE, new_ticket)
    assert signed_in(OTHER_MEMBER).get(reverse("ticket", args=[new_ticket.pk])).status_code == 404


def test_the_database_keeps_it_as_it_is(pulls: dict[int, PullRequest]) -> None:
    ticket(pull_requests=(pulls[1].pk,))
    for statement in (
        "UPDATE programs_ticketpullrequestevent SET pgh_label = 'other'",
        "DELETE FROM programs_ticketwatcherevent",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_owner_without_an_address_stays_until_somebody_else_is_named(pulls: dict[int, PullRequest]) -> None:
    new_ticket = ticket()
    ada = Person.objects.get(email="ada@example.com")
    Person.objects.filter(pk=ada.pk).update(email=None)
    changed = change_ticket(as_(MANAGER), new_ticket, draft(owner="", title="Another title"), of_version=1)
    assert changed.owner == ada
    changed = change_ticket(as_(MANAGER), new_ticket, draft(owner="hedy@example.com"), of_version=2)
    assert changed.owner is not None
    assert changed.owner.email == "hedy@example.com"
