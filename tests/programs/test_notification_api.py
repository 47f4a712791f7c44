"""Notification settings by API: those of the page of the own account, and of no other account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from orgtree.models import TokenScope
from programs.models import Channel, MessageKind
from programs.reminders.services.preferences import Link, is_unsubscribed, preferences_of
from tests.personas import MANAGER, MEMBER, Persona, create_user
from tests.programs.api_pages import bearer, got, problem, sent

ADDRESS, PAGE = "/api/v1/notifications/", "/account/notifications/"
SignIn = Callable[[Persona], Client]
pytestmark = pytest.mark.django_db


def test_settings_are_those_of_the_page(sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    first = got(client, ADDRESS)
    assert first["email"] == {"on": True, "kinds": dict.fromkeys(MessageKind.values, True)}
    assert first["quiet_hours"] == {"begins": "20:00", "ends": "08:00", "time_zone": None}
    assert (first["address"], first["sends_mail"]) == ("ada@example.com", False)
    body = {
        "email": {"kinds": {"mentioned": False, "ticket_due": False}},
        "quiet_hours": {"begins": "18:30", "time_zone": "Europe/Berlin"},
    }
    changed = sent(client, "PATCH", ADDRESS, body)
    assert [kind for kind, is_on in changed["email"]["kinds"].items() if not is_on] == ["ticket_due", "mentioned"]
    assert changed["quiet_hours"] == {"begins": "18:30", "ends": "08:00", "time_zone": "Europe/Berlin"}
    assert got(client, ADDRESS) == changed
    form = client.get(PAGE).context["form"].initial
    assert (f"{form['begins']:%H:%M}", form["time_zone"]) == ("18:30", "Europe/Berlin")
    assert set(MessageKind.values) - set(form["kinds"]) == {"mentioned", "ticket_due"}
    answer = sent(client, "PATCH", ADDRESS, {"email": {"kinds": {"mentioned": True}}})
    assert answer["email"]["kinds"]["ticket_due"] is False, "what is not named stays"
    cleared = sent(client, "PATCH", ADDRESS, {"quiet_hours": {"begins": "00:00", "ends": "00:00", "time_zone": None}})
    assert cleared["quiet_hours"] == {"begins": "00:00", "ends": "00:00", "time_zone": None}
    assert got(sign_in(MANAGER), ADDRESS) == {**first, "address": "edith@example.com"}, "another account's stay"


def test_unsubscribing_ends_all_of_it(sign_in: SignIn) -> None:
    client, account = sign_in(MEMBER), create_user(MEMBER)
    assert sent(client, "PATCH", ADDRESS, {"email": {"on": False}})["email"]["on"] is False
    assert is_unsubscribed(Link(account, Channel.EMAIL))
    assert sent(client, "PATCH", ADDRESS, {"email": {"on": True}})["email"]["on"] is True
    assert not is_unsubscribed(Link(account, Channel.EMAIL))


WRONG: Sequence[tuple[dict[str, Any], str]] = [
    ({"slack": {}}, "slack"),
    ({"email": "no"}, "email"),
    ({"email": {"off": True}}, "email.off"),
    ({"email": {"on": "no"}}, "email.on"),
    ({"email": {"kinds": ["mentioned"]}}, "email.kinds"),
    ({"email": {"kinds": {"weather": True}}}, "email.kinds.weather"),
    ({"email": {"kinds": {"mentioned": "no"}}}, "email.kinds.mentioned"),
    ({"quiet_hours": {"begins": "late"}}, "quiet_hours.begins"),
    ({"quiet_hours": {"ends": 8}}, "quiet_hours.ends"),
    ({"quiet_hours": {"ends": "08:00+02:00"}}, "quiet_hours.ends"),
    ({"quiet_hours": {"ends": None}}, "quiet_hours.ends"),
    ({"quiet_hours": {"time_zone": "Mars/Olympus"}}, "quiet_hours.time_zone"),
    ({"quiet_hours": {"time_zone": "a\x00b"}}, "quiet_hours.time_zone"),
    ({"quiet_hours": {"from": "20:00"}}, "quiet_hours.from"),
]


def test_what_cannot_be_so_is_refused_by_field(sign_in: SignIn, subtests: pytest.Subtests) -> None:
    for body, field in WRONG:
        with subtests.test(body=body):
            assert problem(sent(sign_in(MEMBER), "PATCH", ADDRESS, {"email": {"on": False}, **body}, 400))[0] == field
            assert preferences_of(create_user(MEMBER)).is_on, "nothing of it is stored"


def test_a_token_of_the_program_changes_those_of_its_account(sign_in: SignIn) -> None:
    assert sent(bearer(MEMBER, TokenScope.PROGRAM), "PATCH", ADDRESS, {"email": {"on": False}})
    assert not preferences_of(create_user(MEMBER)).is_on
    assert got(bearer(MEMBER, TokenScope.READ), ADDRESS)["email"]["on"] is False
    assert sent(bearer(MEMBER, TokenScope.READ), "PATCH", ADDRESS, {"email": {"on": True}}, 403)
    assert got(bearer(None, TokenScope.READ), ADDRESS, 403)
    assert got(sign_in(MEMBER), ADDRESS, 400, account="edith")
    assert Client().get(ADDRESS).status_code == 401
