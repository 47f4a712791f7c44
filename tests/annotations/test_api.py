"""/api/v1/annotations/: the notes as programs read and write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from insights.models import Annotation
from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona, create_user
from tests.teams import Teams, create_teams

ADDRESS = "/api/v1/annotations/"
NOTE = {"text": "Rota paused", "unit": "platform", "about": "ai.spend", "from": "2026-09-07", "to": "2026-09-15"}


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def post(client: Client, note: object, address: str = ADDRESS) -> Any:
    return client.post(address, note, content_type="application/json")


def bearer(persona: Persona | None, scope: TokenScope) -> Client:
    user = create_user(persona) if persona else None
    _, secret = create_api_token("a program", user=user, scope=scope, expires_at=None)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_note_is_written_read_changed_and_removed(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(MANAGER)
    added = post(client, NOTE)
    assert added.status_code == 201
    document = added.json()
    assert {name: document[name] for name in NOTE} == NOTE
    assert document["written_by"] == "Edith"
    address = f"{ADDRESS}{document['id']}/"
    assert client.get(address).json() == document
    changed = client.patch(address, {"text": "Rota resumed", "about": None}, content_type="application/json").json()
    assert (changed["text"], changed["about"], changed["from"]) == ("Rota resumed", None, "2026-09-07")
    assert changed["changed_at"]
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_without_an_end_a_note_is_of_one_day(teams: Teams, admin: Client) -> None:
    assert post(admin, {"text": "Outage", "from": "2026-09-07"}).json()["to"] == "2026-09-08"


def test_notes_are_found_by_unit_metric_and_days(teams: Teams, admin: Client) -> None:
    post(admin, NOTE)
    post(admin, {"text": "Outage", "from": "2026-09-20"})

    def texts(**parameters: str) -> list[str]:
        return [note["text"] for note in admin.get(ADDRESS, parameters).json()["annotations"]]

    assert texts() == ["Outage", "Rota paused"]
    assert texts(unit="search") == ["Outage"]
    assert texts(unit="platform", about="ai.spend") == ["Outage", "Rota paused"]
    assert texts(unit="platform", about="ai.tokens") == ["Outage"]
    assert texts(**{"from": "2026-09-15"}) == ["Outage"]
    assert texts(to="2026-09-20") == ["Rota paused"]
    assert texts(page="2", size="1") == ["Rota paused"]


WRONG: Sequence[tuple[dict[str, object], str]] = [
    ({"text": None}, "text"),
    ({"text": 7}, "text"),
    ({"text": "nul \x00"}, "text"),
    ({"from": "soon"}, "from"),
    ({"from": None}, "from"),
    ({"from": "9999-12-31", "to": None}, "from"),
    ({"to": 20260915}, "to"),
    ({"to": "2026-09-07"}, "to"),
    ({"about": "ai.nonsense"}, "about"),
    ({"colour": "red"}, "colour"),
]


def test_what_is_wrong_is_named(teams: Teams, admin: Client, subtests: pytest.Subtests) -> None:
    for change, parameter in WRONG:
        with subtests.test(change=change):
            refused = post(admin, {**NOTE, **change})
            assert refused.status_code == 400
            assert refused.json()["error"]["parameter"] == parameter
            assert not Annotation.objects.exists()


@pytest.mark.parametrize("body", ["[]", "[[]]", '"text"', "7"])
def test_anything_but_an_object_is_refused(teams: Teams, admin: Client, body: str) -> None:
    assert admin.post(ADDRESS, body, content_type="application/json").status_code == 400


def test_notes_of_what_is_not_there_are_not_found(teams: Teams, admin: Client) -> None:
    """Not those of the whole organisation, as if the slug had been left out."""
    post(admin, {"text": "Outage", "from": "2026-09-20"})
    for word in ("nowhere", "unassigned:nowhere"):
        refused = admin.get(ADDRESS, {"unit": word})
        assert (refused.status_code, refused.json()["error"]["parameter"]) == (404, "unit")
        assert post(admin, {**NOTE, "unit": word}).status_code in (400, 404)


def test_who_may_write(teams: Teams, member: Client, sign_in: Callable[[Persona], Client]) -> None:
    assert post(member, NOTE).status_code == 403
    assert post(member, {**NOTE, "unit": "search"}).status_code == 404
    assert post(sign_in(MANAGER), {**NOTE, "unit": None}).status_code == 403
    assert post(sign_in(EXECUTIVE), {**NOTE, "unit": None}).status_code == 201


def test_a_token_reads_or_writes(teams: Teams) -> None:
    assert post(bearer(MANAGER, TokenScope.READ), NOTE).status_code == 403
    assert post(bearer(MEMBER, TokenScope.ANNOTATIONS), NOTE).status_code == 403
    assert post(bearer(None, TokenScope.ANNOTATIONS), NOTE).status_code == 403
    assert post(bearer(MANAGER, TokenScope.ANNOTATIONS), NOTE).status_code == 201
    assert bearer(MANAGER, TokenScope.ANNOTATIONS).get(ADDRESS).status_code == 403
    assert bearer(None, TokenScope.READ).get(ADDRESS).json()["total"] == 1
