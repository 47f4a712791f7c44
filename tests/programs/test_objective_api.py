"""/api/v1/objectives/: objectives as programs read and write them, with the permissions of the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from programs.models import Objective
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.programs.objectives import objective
from tests.teams import Teams, create_teams

ADDRESS = "/api/v1/objectives/"
SATISFACTION = {
    "title": "Satisfaction",
    "better": "higher",
    "baseline": 3.0,
    "target": 4.0,
    "unit_of_measure": "of 5",
}
SAID = {
    "title": "Reviews no longer wait",
    "unit": "platform",
    "owner": "ada@example.com",
    "is_mandatory": True,
    "description": "**Why**",
}


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def post(client: Client, fields: object, address: str = ADDRESS) -> Any:
    return client.post(address, fields, content_type="application/json")


def patch(client: Client, pk: int, fields: object) -> Any:
    return client.patch(f"{ADDRESS}{pk}/", fields, content_type="application/json")


def bearer(persona: Persona | None, scope: TokenScope) -> Client:
    user = create_user(persona) if persona else None
    _, secret = create_api_token("a program", user=user, scope=scope, expires_at=None)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_an_objective_is_written_changed_and_spoken_of(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(MANAGER)
    added = post(client, {**SAID, "publish": True, "key_results": [SATISFACTION]})
    assert added.status_code == 201, added.content
    document = added.json()
    assert {name: document[name] for name in SAID} == SAID
    assert document["version"] == 1
    (key_result,) = document["key_results"]
    assert {name: key_result[name] for name in SATISFACTION} == SATISFACTION
    pk = document["id"]
    changed = patch(client, pk, {"title": "Reviews begin the same day", "version": 1}).json()
    assert (changed["title"], changed["version"], changed["key_results"][0]["id"]) == (
        "Reviews begin the same day",
        2,
        key_result["id"],
    )
    body = {"confidence": "high", "note": "Well", "key_result": key_result["id"], "value": 3.5}
    check_in = post(client, body, f"{ADDRESS}{pk}/check-ins/")
    assert check_in.status_code == 201, check_in.content
    assert client.get(f"{ADDRESS}{pk}/check-ins/").json() == {"check_ins": [check_in.json()]}
    assert {name: check_in.json()[name] for name in body} == body
    assert check_in.json()["by"] == "Edith"
    stands = post(client, {"standing": "at_risk", "reason": "Two are away"}, f"{ADDRESS}{pk}/standing/").json()
    assert (stands["standing"], stands["override_reason"]) == ("at_risk", "Two are away")
    assert (stands["key_results"][0]["value"], stands["progress"], stands["confidence"]) == (3.5, 0.5, "high")
    dropped = post(client, {"why": "Something else"}, f"{ADDRESS}{pk}/drop/").json()
    assert dropped["dropped_why"] == "Something else"
    assert client.get(f"{ADDRESS}{pk}/").json() == dropped
    assert client.get(ADDRESS).json()["total"] == 0
    assert client.get(ADDRESS, {"dropped": "yes"}).json()["objectives"] == [dropped]
    (quarter,) = client.get("/api/v1/quarters/").json()["quarters"]
    assert (quarter["name"], quarter["sha256"]) == (document["quarter"], None)


def test_the_second_of_two_changes_sees_the_first(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client, new_one = sign_in(MANAGER), objective()
    assert patch(client, new_one.pk, {"title": "First", "version": 1}).status_code == 200
    refused = patch(client, new_one.pk, {"title": "Second", "version": 1})
    assert refused.status_code == 409
    assert refused.json()["stored"]["title"] == "First"
    assert Objective.objects.get().title == "First"


WRONG: Sequence[tuple[dict[str, object], str]] = [
    ({"title": ""}, "title"),
    ({"title": 3}, "title"),
    ({"unit": "nowhere"}, "unit"),
    ({"owner": "nobody@example.com"}, "owner"),
    ({"owner": "a\x00"}, "owner"),
    ({"quarter": "soon"}, "quarter"),
    ({"quarter": "2090-01-01"}, "quarter"),
    ({"parent": "above"}, "parent"),
    ({"publish": "yes"}, "publish"),
    ({"luck": 1}, "luck"),
    ({"key_results": "many"}, "key_results"),
    ({"key_results": ["one"]}, "key_results.0"),
    ({"key_results": [{**SATISFACTION, "luck": 1}]}, "key_results.0.luck"),
    ({"key_results": [{**SATISFACTION, "target": "4"}]}, "key_results.0.target"),
    ({"key_results": [{**SATISFACTION, "target": 2}]}, "key_results.0.target"),
    ({"key_results": [], "publish": True}, "key_results"),
]


def test_what_is_wrong_is_named(teams: Teams, sign_in: Callable[[Persona], Client], subtests: pytest.Subtests) -> None:
    for body, field in WRONG:
        with subtests.test(body=body):
            refused = post(sign_in(MANAGER), {**SAID, **body})
            assert refused.status_code == 400, refused.content
            assert refused.json()["error"]["parameter"] == field
            assert not Objective.objects.exists()


def test_a_second_mandatory_objective_is_refused(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(MANAGER)
    assert post(client, SAID).status_code == 201
    refused = post(client, {**SAID, "title": "Another"})
    assert (refused.status_code, refused.json()["error"]["parameter"]) == (400, "is_mandatory")


def test_who_may_not_see_it_gets_404_and_who_may_not_write_403(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    published, drafted = objective(), objective(publish=False)
    assert sign_in(OTHER_MEMBER).get(f"{ADDRESS}{published.pk}/").status_code == 404
    member = sign_in(MEMBER)
    assert member.get(f"{ADDRESS}{published.pk}/").status_code == 200
    assert member.get(f"{ADDRESS}{drafted.pk}/").status_code == 404
    assert [document["id"] for document in member.get(ADDRESS).json()["objectives"]] == [published.pk]
    assert member.get(ADDRESS, {"drafts": "yes"}).json()["total"] == 0
    assert patch(member, published.pk, {"title": "Mine", "version": 1}).status_code == 403
    assert post(member, SAID).status_code == 403
    assert post(member, {"confidence": "low"}, f"{ADDRESS}{published.pk}/check-ins/").status_code == 403
    assert Objective.objects.get(pk=published.pk).version == 1


def test_tokens_write_what_they_were_made_for(teams: Teams) -> None:
    new_objective = objective()
    reads, writes = bearer(EXECUTIVE, TokenScope.READ), bearer(EXECUTIVE, TokenScope.PROGRAM)
    assert reads.get(f"{ADDRESS}{new_objective.pk}/").status_code == 200
    assert patch(reads, new_objective.pk, {"title": "By a token", "version": 1}).status_code == 403
    assert patch(writes, new_objective.pk, {"title": "By a token", "version": 1}).status_code == 200
    nobody = bearer(None, TokenScope.PROGRAM)
    assert nobody.get(ADDRESS).status_code == 200
    assert post(nobody, SAID).status_code == 403
    assert bearer(EXECUTIVE, TokenScope.PEOPLE).get(ADDRESS).status_code == 403


def test_a_list_is_narrowed_and_paged(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(EXECUTIVE)
    for number in range(3):
        objective(title=f"Number {number}")
    page = client.get(ADDRESS, {"size": 2, "page": 2}).json()
    assert (page["total"], len(page["objectives"])) == (3, 1)
    assert client.get(ADDRESS, {"q": "number 1"}).json()["total"] == 1
    assert client.get(ADDRESS, {"unit": "search"}).json()["total"] == 0
    assert client.get(ADDRESS, {"standing": "unknown"}).json()["total"] == 3
    assert client.get(ADDRESS, {"owner": "ada@example.com"}).json()["total"] == 0
    standings = {"on_track": 0, "at_risk": 0, "off_track": 0}
    assert client.get(ADDRESS).json()["standings"] == {**standings, "unknown": 3}
    nothing = {"total": 0, "standings": {**standings, "unknown": 0}, "objectives": []}
    assert client.get(ADDRESS, {"quarter": "2001-01-01"}).json() == nothing
    [served, *serving] = [document["id"] for document in client.get(ADDRESS).json()["objectives"]]
    Objective.objects.filter(pk__in=serving).update(parent=served)
    assert [document["id"] for document in client.get(ADDRESS, {"parent": served}).json()["objectives"]] == serving
    assert sign_in(MANAGER).get(ADDRESS, {"teams": "yes"}).json()["total"] == 3
    assert client.get(ADDRESS, {"teams": "yes"}).json()["total"] == 0, "who manages no unit has none"
    for wrong in ({"standing": "fine"}, {"quarter": "now"}, {"drafts": "no"}, {"luck": "1"}):
        assert client.get(ADDRESS, wrong).status_code == 400
