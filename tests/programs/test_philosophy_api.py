"""/api/v1/philosophy/: read by everybody, published by leaders, acknowledged by whoever read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from programs.models import PhilosophyVersion
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona
from tests.teams import create_teams

ADDRESS = "/api/v1/philosophy/"
SAID = {"text": "We measure to learn.", "reason": "Our own words", "number": 0}


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


def post(client: Client, fields: object, address: str = ADDRESS) -> Any:
    return client.post(address, fields, content_type="application/json")


def test_it_is_read_published_and_acknowledged(sign_in: Callable[[Persona], Client]) -> None:
    member, executive = sign_in(MEMBER), sign_in(EXECUTIVE)
    assert member.get(ADDRESS).json()["number"] == 0
    assert post(executive, SAID).status_code == 201
    document = member.get(ADDRESS).json()
    assert (document["number"], document["text"], document["reason"], document["acknowledged"]) == (
        1,
        SAID["text"],
        SAID["reason"],
        False,
    )
    assert post(member, {"number": 1}, f"{ADDRESS}acknowledge/").json()["acknowledged"] is True
    assert member.get(ADDRESS).json()["acknowledged_by"] is None, "as on the page"
    assert sign_in(EXECUTIVE).get(ADDRESS).json()["acknowledged_by"] == 1


def test_the_second_of_two_versions_sees_the_first(sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(EXECUTIVE)
    post(client, SAID)
    refused = post(client, {**SAID, "text": "Other words"})
    assert refused.status_code == 409
    assert refused.json()["stored"]["text"] == SAID["text"]
    assert PhilosophyVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({"text": ""}, "text"), ({"reason": ""}, "reason"), ({"number": "x"}, "number"), ({"colour": "red"}, "colour")],
)
def test_what_cannot_be_published_is_named(
    sign_in: Callable[[Persona], Client], body: dict[str, object], field: str
) -> None:
    refused = post(sign_in(EXECUTIVE), {**SAID, **body})
    assert refused.status_code == 400
    assert refused.json()["error"]["parameter"] == field


def test_leaders_alone_publish_and_an_old_version_is_not_acknowledged(sign_in: Callable[[Persona], Client]) -> None:
    assert post(sign_in(MANAGER), SAID).status_code == 403
    post(sign_in(EXECUTIVE), SAID)
    assert post(sign_in(MEMBER), {"number": 0}, f"{ADDRESS}acknowledge/").status_code == 400


def test_a_token_of_nobody_reads_and_has_read_nothing() -> None:
    _, secret = create_api_token("reads", user=None, scope=TokenScope.PROGRAM, expires_at=None)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(ADDRESS).json()["acknowledged"] is None
    assert post(client, {"number": 0}, f"{ADDRESS}acknowledge/").status_code == 403
    assert post(client, SAID).status_code == 403
