"""/api/v1/tickets/: tickets as programs read and write them, with the permissions of the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query import windows
from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from programs.models import Ticket, TicketEffect
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona, create_user
from tests.programs.tickets import ownerless, ticket
from tests.teams import Teams, create_teams

ADDRESS = "/api/v1/tickets/"


def in_days(days: int) -> date:
    return windows.local_today() + timedelta(days=days)


def saying(**fields: Any) -> dict[str, Any]:
    """A ticket that is due in two weeks."""
    usual = {
        "title": "PRs miss their work item",
        "kind": "process",
        "unit": "platform",
        "owner": "ada@example.com",
        "due_on": in_days(14).isoformat(),
        "metric": "pr.pickup_time",
    }
    return {**usual, **fields}


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


def test_a_ticket_is_filed_changed_moved_and_spoken_of(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(MANAGER)
    body = saying()
    added = post(client, body)
    assert added.status_code == 201, added.content
    document = added.json()
    assert {name: document[name] for name in body} == body
    assert (document["state"], document["nature"], document["version"]) == ("open", "challenge", 1)
    pk = document["id"]
    changed = patch(client, pk, {"resolution": "A check labels them", "metric": None, "version": 1}).json()
    assert (changed["resolution"], changed["metric"], changed["owner"]) == (
        "A check labels them",
        None,
        "ada@example.com",
    )
    moved = post(client, {"state": "done"}, f"{ADDRESS}{pk}/move/").json()
    assert (moved["state"], moved["completed_on"]) == ("done", windows.local_today().isoformat())
    assert post(client, {"text": "It works"}, f"{ADDRESS}{pk}/comments/").status_code == 201
    [comment] = client.get(f"{ADDRESS}{pk}/comments/").json()["comments"]
    assert (comment["text"], comment["by"]) == ("It works", "Edith")
    assert client.get(f"{ADDRESS}{pk}/").json() == moved


def test_the_second_of_two_changes_sees_the_first(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    client, new_one = sign_in(MANAGER), ticket()
    assert patch(client, new_one.pk, {"title": "First", "version": 1}).status_code == 200
    refused = patch(client, new_one.pk, {"title": "Second", "version": 1})
    assert refused.status_code == 409
    assert refused.json()["stored"]["title"] == "First"
    assert Ticket.objects.get().title == "First"
    assert patch(client, new_one.pk, {"title": "Second", "version": 2}).status_code == 200


WRONG: Sequence[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"kind": "weather"}, "kind"),
    ({"due_on": "soon"}, "due_on"),
    ({"due_on": "1999-01-01"}, "starts_on"),
    ({"starts_on": "2026-03-02", "due_on": "2026-03-01"}, "due_on"),
    ({"unit": "nowhere"}, "unit"),
    ({"owner": "nobody@example.com"}, "owner"),
    ({"metric": "dora.luck"}, "metric"),
    ({"objective": 12}, "objective"),
    ({"objective": "first"}, "objective"),
    ({"pull_requests": [999999]}, "pull_requests"),
    ({"pull_requests": "all"}, "pull_requests"),
    ({"resolution": {"html": "x"}}, "resolution"),
    ({"title": "a\x00b"}, "title"),
    ({"colour": "red"}, "colour"),
]


def test_what_cannot_be_said_is_refused_by_field(
    teams: Teams, sign_in: Callable[[Persona], Client], subtests: pytest.Subtests
) -> None:
    for body, field in WRONG:
        with subtests.test(body=body):
            refused = post(sign_in(MANAGER), saying(**body))
            assert refused.status_code == 400, refused.content
            assert refused.json()["error"]["parameter"] == field
            assert not Ticket.objects.exists()


def test_who_may_not_write_may_not_here_either(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    new_ticket = ownerless()
    assert post(sign_in(MEMBER), saying()).status_code == 403
    assert post(sign_in(MANAGER), saying(unit=None)).status_code == 403
    assert post(sign_in(EXECUTIVE), saying(unit=None)).status_code == 201
    assert patch(sign_in(MEMBER), new_ticket.pk, {"title": "Mine", "version": 1}).status_code == 403
    own = ticket(owner="ada@example.com")
    assert patch(sign_in(MEMBER), own.pk, {"resolution": "I do it", "version": 1}).status_code == 200


def test_tokens_of_the_program_write_and_those_that_read_read(teams: Teams) -> None:
    new_ticket = ticket()
    reading, writing = bearer(MANAGER, TokenScope.READ), bearer(MANAGER, TokenScope.PROGRAM)
    assert reading.get(f"{ADDRESS}{new_ticket.pk}/").status_code == 200
    assert post(reading, saying()).status_code == 403
    assert writing.get(f"{ADDRESS}{new_ticket.pk}/").status_code == 200
    assert post(writing, saying()).status_code == 201
    assert post(bearer(None, TokenScope.PROGRAM), saying()).status_code == 403, "it acts for nobody"
    assert bearer(MANAGER, TokenScope.ANNOTATIONS).get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code in (401, 403)


def test_tickets_are_found(teams: Teams, sign_in: Callable[[Persona], Client]) -> None:
    first = ticket(title="Slow builds", kind="tooling")
    second = ticket(title="Late reviews", due_on=in_days(17))
    client = sign_in(EXECUTIVE)

    def ids_found(params: str) -> list[int]:
        answer = client.get(f"{ADDRESS}?{params}")
        assert answer.status_code == 200, answer.content
        return [entry["id"] for entry in answer.json()["tickets"]]

    assert ids_found("") == [first.pk, second.pk]
    assert ids_found("sort=-due") == [second.pk, first.pk]
    assert ids_found("kind=tooling") == [first.pk]
    assert ids_found("q=review") == [second.pk]
    assert ids_found("owner=ADA@example.com&unit=platform&state=standing") == [first.pk, second.pk]
    assert ids_found("unit=search") == []
    assert client.get(f"{ADDRESS}?unit=growth").status_code == 404
    assert ids_found("size=1&page=2") == [second.pk]
    for wrong in ("state=gone", "sort=colour", "colour=red", "page=0", "objective=x"):
        assert client.get(f"{ADDRESS}?{wrong}").status_code == 400, wrong


def test_an_effect_is_shown_to_those_who_may_see_the_figures(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    new_ticket = ticket(metric="pr.pickup_time", starts_on=yesterday, due_on=yesterday)
    client = sign_in(MANAGER)
    moved = post(client, {"state": "done"}, f"{ADDRESS}{new_ticket.pk}/move/").json()
    assert moved["effect"] is None
    TicketEffect.objects.create(
        ticket=new_ticket,
        of_version=moved["version"], metric_version=1, before=7200.0, after=3600.0, change_low=-5400.0,
        change_high=-1800.0, people_before=9, people_after=9, weeks_after=4,
    )  # fmt: skip
    effect = client.get(f"{ADDRESS}{new_ticket.pk}/").json()["effect"]
    assert effect == {
        **{"before": 7200.0, "after": 3600.0, "change_low": -5400.0, "change_high": -1800.0},
        "weeks_after": 4,
        "state": "better",
    }
