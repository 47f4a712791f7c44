"""The API of benchmarks and the focus: as the pages, with tokens, and a 409 that loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from programs.models import BenchmarkVersion, FocusVersion
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.programs.agreements import HOUR, PICKUP, PLATFORM, agree, changes_of
from tests.teams import create_teams

ALL = "/api/v1/benchmarks/"
ONE = f"{ALL}{PICKUP}/"
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(org: Org) -> Ask:
    create_teams()
    changes_of(org, PLATFORM, weeks=range(1, 13), waits=float, first=1)

    def request_as(
        persona: Persona | None, method: str, path: str, body: Any = None, scope: TokenScope = TokenScope.PROGRAM
    ) -> tuple[int, Any]:
        user = create_user(persona) if persona else None
        _, secret = create_api_token("script", user=user, expires_at=None, scope=scope)
        client = Client(headers={"Authorization": f"Bearer {secret}"})
        answer = client.generic(method, path, _json(body), content_type="application/json")
        return answer.status_code, answer.json()

    return request_as


def _json(body: Any) -> str:
    return "" if body is None else json.dumps(body)


def test_agreeing_and_taking_back(ask: Ask) -> None:
    agree(unit="", threshold=24 * HOUR, target=None, reason="A day is enough.")
    body = {"unit": "platform", "threshold": 8 * HOUR, "target": 6 * HOUR, "reason": "Overnight waits.", "number": 0}
    status, page = ask(MANAGER, "PUT", ONE, body)
    assert status == 200
    benchmark = page["benchmark"]
    assert (benchmark["agreed_for"], benchmark["is_inherited"], benchmark["number"]) == ("platform", False, 1)
    assert benchmark["baseline"]["value"] == pytest.approx(10.5 * HOUR)
    assert benchmark["baseline"]["low"] < benchmark["baseline"]["value"] < benchmark["baseline"]["high"]
    assert benchmark["stands_at"] > 8 * HOUR
    status, late = ask(EXECUTIVE, "PUT", ONE, {**body, "threshold": 5 * HOUR, "target": None})
    assert (status, late["error"]["parameter"], late["stored"]["threshold"]) == (409, "number", 8 * HOUR)
    _, of_search = ask(EXECUTIVE, "GET", f"{ALL}?unit=search&metric={PICKUP}")
    [inherited] = of_search["benchmarks"]
    assert (inherited["agreed_for"], inherited["is_inherited"], inherited["threshold"]) == (None, True, 24 * HOUR)
    assert (inherited["stands_at"], inherited["sample_size"]) == (None, 0), "Search merged nothing"
    back = {"unit": "platform", "reason": "Enough.", "number": 1}
    status, page = ask(MANAGER, "POST", f"{ONE}take-back/", back)
    assert status == 200
    assert page["benchmark"]["threshold"] == 24 * HOUR
    assert [version["number"] for version in page["versions"]] == [2, 1]
    assert BenchmarkVersion.objects.count() == 3


def test_who_may_and_what_cannot_be_said(ask: Ask) -> None:
    agree(unit="", threshold=24 * HOUR, target=None)
    fields = {"unit": "platform", "threshold": 8 * HOUR, "reason": "x", "number": 0}
    for persona, status in ((MEMBER, 403), (None, 403), (OTHER_MEMBER, 400)):
        assert ask(persona, "PUT", ONE, fields)[0] == status, persona
    assert ask(MANAGER, "PUT", ONE, fields, TokenScope.READ)[0] == 403, "a token that reads"
    assert ask(OTHER_MEMBER, "GET", f"{ONE}?unit=platform")[0] == 404
    status, page = ask(OTHER_MEMBER, "GET", ONE)
    assert status == 200
    assert (page["benchmark"]["baseline"], page["benchmark"]["stands_at"]) == (None, None), "not hers to see"
    assert ask(MANAGER, "GET", f"{ALL}dora.luck/")[0] == 404
    wrong = [
        ({**fields, "threshold": "8 h"}, "threshold"),
        ({**fields, "threshold": True}, "threshold"),
        ({**fields, "target": 9 * HOUR}, "target"),
        ({**fields, "period": "week"}, "period"),
        ({**fields, "weeks": 3}, "weeks"),
        ({**fields, "is_to_hold": "yes"}, "is_to_hold"),
        ({**fields, "luck": 1}, "luck"),
        ({name: value for name, value in fields.items() if name != "reason"}, "reason"),
    ]
    for body, parameter in wrong:
        status, answer = ask(MANAGER, "PUT", ONE, body)
        assert (status, answer["error"]["parameter"]) == (400, parameter)
    assert BenchmarkVersion.objects.count() == 1


def test_suggestions_and_the_focus(ask: Ask) -> None:
    status, answer = ask(MANAGER, "GET", f"{ONE}suggestions/?unit=platform")
    assert status == 200
    assert [suggestion["kind"] for suggestion in answer["suggestions"] if suggestion["kind"] == "ready-made"] == [
        "ready-made"
    ]
    assert ask(MEMBER, "GET", f"{ONE}suggestions/?unit=platform")[0] == 403
    status, focus = ask(MEMBER, "GET", "/api/v1/focus/?unit=platform")
    assert (status, focus["number"], focus["indicators"]) == (200, 0, [])
    body = {"unit": "platform", "metric": PICKUP, "indicators": ["pr.size"], "reason": "Waits", "number": 0}
    assert ask(MANAGER, "PUT", "/api/v1/focus/", body)[0] == 200
    status, late = ask(MANAGER, "PUT", "/api/v1/focus/", {**body, "indicators": []})
    assert (status, late["stored"]["indicators"]) == (409, ["pr.size"])
    six = ["pr.size", "pr.linked_rate", "ci.duration", "ci.success_rate", "bug.ratio", "wip.count"]
    status, refused = ask(MANAGER, "PUT", "/api/v1/focus/", {**body, "indicators": six, "number": 1})
    assert (status, refused["error"]["parameter"]) == (400, "indicators")
    assert ask(MEMBER, "PUT", "/api/v1/focus/", {**body, "number": 1})[0] == 403
    assert FocusVersion.objects.count() == 1
