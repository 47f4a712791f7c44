"""/api/v1/quarters/: closing by program, what was frozen, and what becomes of an objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from programs.models import Quarter
from programs.objectives.services.writing import keep_decisions
from programs.quarters.fiscal_quarters import current_quarter, following
from tests.org import Org
from tests.personas import AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.objectives import by_hand, objective
from tests.programs.tickets import as_, ticket
from tests.teams import Teams, create_teams

ADDRESS = "/api/v1/quarters/"


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def post(client: Client, address: str, fields: object) -> Any:
    return client.post(address, fields, content_type="application/json")


def test_a_quarter_is_closed_once_and_read_by_whom_it_concerns(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    quarter = current_quarter()
    carried, ended = objective(is_mandatory=True), objective(title="Another one")
    objective(EXECUTIVE, title="Of Search", unit="search")
    ticket(objective=carried.pk, title="A rota")
    address = f"{ADDRESS}{quarter.start}/"
    client = sign_in(EXECUTIVE)
    assert client.get(address).json()["document"] is None, "it is open"
    body = {
        "decisions": {str(carried.pk): "carry"},
        "retrospectives": {str(carried.pk): "Rotas *work*."},
        "retrospective": "A good quarter.",
    }
    refused = post(client, f"{address}close/", body)
    assert refused.status_code == 400, "it is not over, and nothing was entered by hand"
    assert not Quarter.objects.get(pk=quarter.pk).is_closed
    closed = post(client, f"{address}close/", {**body, "forced_because": "The year ends early."})
    assert closed.status_code == 200, closed.content
    document = closed.json()["document"]
    assert (document["closed_by"], document["forced_because"]) == ("mary@example.com", "The year ends early.")
    by_id = {entry["id"]: entry for entry in document["objectives"]}
    assert (by_id[carried.pk]["carry_over"], by_id[ended.pk]["carry_over"]) == ("carry", "end")
    assert by_id[carried.pk]["retrospective"] == "Rotas *work*."
    assert [entry["title"] for entry in by_id[carried.pk]["tickets"]] == ["A rota"]
    assert document["teams_without_objective"] == ["search"]
    again = post(client, f"{address}close/", {"forced_because": "Once more."})
    assert again.status_code == 400
    assert again.json()["error"]["parameter"] == "quarter"
    assert "already closed" in again.content.decode()
    (listed,) = [entry for entry in client.get(ADDRESS).json()["quarters"] if entry["name"] == str(quarter)]
    assert listed["sha256"] == closed.json()["sha256"]
    member = sign_in(OTHER_MEMBER).get(address).json()["document"]
    assert [entry["title"] for entry in member["objectives"]] == ["Of Search"]
    secret = create_api_token("BI", user=None, scope=TokenScope.READ, expires_at=None)[1]
    of_nobody = Client(headers={"Authorization": f"Bearer {secret}"}).get(address).json()["document"]
    assert (of_nobody["closed_by"], of_nobody["forced_because"]) == (None, "The year ends early.")
    following_one = f"{ADDRESS}{following(quarter).start}/close/"
    assert post(client, following_one, {"forced_because": "Why not."}).status_code == 400, "it has not begun"


def test_what_was_kept_before_is_frozen_where_nothing_else_is_said(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    new_objective, quarter = objective(), current_quarter()
    keep_decisions(
        as_(EXECUTIVE),
        quarter,
        decisions={new_objective.pk: "carry"},
        retrospectives={},
        retrospective="We learned to wait.",
    )
    closed = post(sign_in(EXECUTIVE), f"{ADDRESS}{quarter.start}/close/", {"forced_because": "The year ends early."})
    document = closed.json()["document"]
    assert document["retrospective"] == Quarter.objects.get(pk=quarter.pk).retrospective == "We learned to wait."
    assert [entry["carry_over"] for entry in document["objectives"]] == ["carry"]


@pytest.mark.parametrize("persona", [MANAGER, MEMBER, AUDITOR])
def test_executives_and_admins_close(teams: Teams, sign_in: Callable[[Persona], Client], persona: Persona) -> None:
    address = f"{ADDRESS}{current_quarter().start}/close/"
    assert post(sign_in(persona), address, {"forced_because": "I can."}).status_code == 403
    assert not Quarter.objects.filter(closed_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decisions": {"4711": "burn"}}, "decisions.4711"),
        ({"decisions": {"x": "carry"}}, "decisions.x"),
        ({"decisions": ["carry"]}, "decisions"),
        ({"retrospectives": {"1": 7}}, "retrospectives.1"),
        ({"reason": "x"}, "reason"),
    ],
)
def test_what_is_wrong_is_named(
    teams: Teams, sign_in: Callable[[Persona], Client], body: dict[str, Any], field: str
) -> None:
    answer = post(sign_in(EXECUTIVE), f"{ADDRESS}{current_quarter().start}/close/", body)
    assert answer.status_code == 400
    assert field in answer.content.decode()


@pytest.mark.parametrize("start", ["1999-01-01", "soon", "2026-13-45"])
def test_an_unknown_quarter_is_not_found(teams: Teams, sign_in: Callable[[Persona], Client], start: str) -> None:
    assert sign_in(EXECUTIVE).get(f"{ADDRESS}{start}/").status_code == 404
    assert post(sign_in(EXECUTIVE), f"{ADDRESS}{start}/close/", {}).status_code == 404


def test_what_becomes_of_an_objective_is_decided_by_whoever_may_change_it(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    new_objective = objective(key_results=(by_hand(),))
    address = f"/api/v1/objectives/{new_objective.pk}/ending/"
    body = {"carry_over": "carry", "retrospective": "Rotas work."}
    assert post(sign_in(OTHER_MEMBER), address, body).status_code == 404
    assert post(sign_in(MEMBER), address, body).status_code == 403
    assert post(sign_in(MANAGER), address, {"carry_over": "burn"}).status_code == 400
    assert post(sign_in(MANAGER), address, body).status_code == 200
    new_objective.refresh_from_db()
    assert (new_objective.carry_over, new_objective.retrospective) == ("carry", "Rotas work.")


def test_teams_without_their_objective_are_shown_to_those_who_lead_them(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    address = "/api/v1/objectives/missing/"
    objective(is_mandatory=True)
    search = {"unit": "search", "name": "Search", "above": "Engineering", "leader": None}
    assert sign_in(EXECUTIVE).get(address).json() == {"total": 1, "teams": [search]}
    assert sign_in(MANAGER).get(address).json()["total"] == 0
    assert sign_in(MEMBER).get(address).json()["total"] == 0
    assert sign_in(EXECUTIVE).get(f"{address}?quarter=1999-01-01").json()["total"] == 0


def test_a_ticket_is_watched(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    new_ticket = ticket()
    address = f"/api/v1/tickets/{new_ticket.pk}/watch/"
    assert post(sign_in(OTHER_MEMBER), address, {"watch": True}).status_code == 404
    assert post(sign_in(MEMBER), address, {"watch": "yes"}).status_code == 400
    for wants in (True, False):
        watching = post(sign_in(MEMBER), address, {"watch": wants}).json()
        assert watching == {"watch": wants, "watchers": 1 + wants}, "whoever filed it watches it, too"
        assert new_ticket.watchers.filter(username=MEMBER.email).exists() is wants
