"""A visible item can be linked with an objective that the viewer may not see: then not even its number is shown."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from programs.closing.services.closing import close_quarter
from programs.models import Objective, Ticket
from programs.quarters.fiscal_quarters import current_quarter
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, Persona
from tests.programs.api_pages import got, sent
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

TICKETS, OBJECTIVES = "/api/v1/tickets/", "/api/v1/objectives/"
SignIn = Callable[[Persona], Client]


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


@pytest.fixture
def unseen(teams: None) -> Objective:
    """An objective of a team that the manager of Platform may not see."""
    return objective(EXECUTIVE, unit="search")


def csv_rows(client: Client, address: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(b"".join(client.get(address)).decode("utf-8-sig").splitlines())


def test_of_a_ticket_only_the_plan_that_one_may_see_is_named(sign_in: SignIn, unseen: Objective) -> None:
    new_ticket = ticket()
    Ticket.objects.filter(pk=new_ticket.pk).update(objective=unseen)
    manager, executive = sign_in(MANAGER), sign_in(EXECUTIVE)
    for client, named in ((executive, unseen.pk), (manager, None)):
        assert got(client, f"{TICKETS}{new_ticket.pk}/")["objective"] == named
        assert [entry["objective"] for entry in got(client, TICKETS)["tickets"]] == [named]
        assert got(client, TICKETS, objective=unseen.pk)["total"] == (1 if named else 0), "it is no way to guess it"
        page = client.get(f"/programs/tickets/?state=all&objective={unseen.pk}").content.decode()
        assert (new_ticket.title in page) is bool(named)
    changed = sent(manager, "PATCH", f"{TICKETS}{new_ticket.pk}/", {"title": "Anew", "version": new_ticket.version})
    assert (changed["title"], changed["objective"]) == ("Anew", None)
    assert Ticket.objects.get(pk=new_ticket.pk).objective == unseen, "what is not named stays"


def test_of_an_objective_only_what_one_may_see_is_named(sign_in: SignIn, unseen: Objective) -> None:
    new_objective = objective(EXECUTIVE)
    Objective.objects.filter(pk=new_objective.pk).update(parent=unseen)
    for client, named in ((sign_in(EXECUTIVE), unseen.pk), (sign_in(MANAGER), None)):
        assert got(client, f"{OBJECTIVES}{new_objective.pk}/")["parent"] == named
        for address in (OBJECTIVES, f"{OBJECTIVES}alignment/"):
            assert [entry["parent"] for entry in got(client, address, unit="platform")["objectives"]] == [named]
            assert got(client, address, parent=unseen.pk)["total"] == (1 if named else 0)
        for address in ("/api/v1/objectives.csv", "/programs/objectives/objectives.csv"):
            assert {row["Parent objective"] for row in csv_rows(client, f"{address}?unit=platform")} == {
                str(named or "")
            }
    close_quarter(as_(EXECUTIVE), current_quarter(), forced_because="It is enough")
    for client, named in ((sign_in(EXECUTIVE), unseen.pk), (sign_in(MANAGER), None)):
        frozen = got(client, f"/api/v1/quarters/{current_quarter().start}/")["document"]["objectives"]
        assert [entry["parent"] for entry in frozen if entry["id"] == new_objective.pk] == [named]
