"""/api/v1/hand-kept/: the pages' permissions and errors, as JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from insights.catalogue.registry import get
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from tests.hand_kept.keeping import KEY, define, enter
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona, create_user, signed_in
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
LIST = "/api/v1/hand-kept/"
METRIC = f"{LIST}customer_satisfaction/"
DRAFT: dict[str, Any] = {
    "slug": "customer_satisfaction",
    "name": "Customer satisfaction",
    "meaning": "Share of customers who are satisfied.",
    "unit_of_measure": "percent",
    "better": "higher",
}


@pytest.fixture(autouse=True)
def _teams() -> None:
    create_teams()


@pytest.fixture
def satisfaction() -> HandKeptMetric:
    return define()


def send(method: str, address: str, persona: Persona, body: object = None, status: int = 200) -> Any:
    client = signed_in(persona)
    content = b"" if body is None else json.dumps(body).encode()
    answer = client.generic(method, address, content, "application/json")
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def problem(method: str, address: str, persona: Persona, body: object, status: int = 400) -> tuple[str, str]:
    error = send(method, address, persona, body, status)["error"]
    return error["parameter"], error["message"]


def test_a_metric_is_defined_read_and_changed() -> None:
    templates = send("GET", LIST, MEMBER)["templates"]
    assert "customer_satisfaction" in {template["slug"] for template in templates}
    made = send("POST", LIST, EXECUTIVE, {**DRAFT, "keepers": [EXECUTIVE.email]}, 201)
    assert made == {**DRAFT, "key": KEY, "valid_days": 100, "keepers": [EXECUTIVE.email], "version": 1}
    assert send("GET", METRIC, MEMBER) == made
    changed = send("PATCH", METRIC, ADMIN, {"name": "Satisfaction", "version": 1})
    assert (changed["name"], changed["version"], changed["meaning"]) == ("Satisfaction", 2, DRAFT["meaning"])
    assert get(KEY).name == "Satisfaction"
    assert "version 2 now" in problem("PATCH", METRIC, ADMIN, {"name": "Late", "version": 1}, 409)[1]
    assert problem("PATCH", METRIC, ADMIN, {"name": "Late"})[0] == "version"
    assert problem("PATCH", METRIC, ADMIN, {"slug": "other", "version": 2})[0] == "slug"
    send("POST", LIST, MANAGER, {**DRAFT, "slug": "risk"}, 403)


def test_a_wrong_definition_names_its_field() -> None:
    for change, field in (
        ({"unit_of_measure": "stars"}, "unit_of_measure"),
        ({"valid_days": 401}, "valid_days"),
        ({"valid_days": "soon"}, "valid_days"),
        ({"slug": "new"}, "slug"),
        ({"slug": "x" * 41}, "slug"),
        ({"keepers": ["nobody@example.com"]}, "keepers"),
        ({"colour": "red"}, "colour"),
        ({"name": None}, "name"),
    ):
        assert problem("POST", LIST, ADMIN, {**DRAFT, **change})[0] == field
    for missing in DRAFT:
        assert problem("POST", LIST, ADMIN, {**DRAFT, missing: ""})[0] == missing
    assert not HandKeptMetric.objects.exists()


def test_values_are_entered_read_and_removed(satisfaction: HandKeptMetric) -> None:
    value = {"unit": "platform", "date": "2026-03-31", "value": 84.5, "note": "Survey"}
    assert send("POST", f"{METRIC}values/", MANAGER, {"values": [value, {**value, "value": 85}]}) == {
        "results": ["created", "updated"]
    }
    [stored] = send("GET", f"{METRIC}values/", MANAGER)["values"]
    assert {name: stored[name] for name in value} == {**value, "value": 85}
    assert (stored["entered_by"], stored["entered_via"]) == ("Edith", "API")
    history = send("GET", f"{METRIC}history/", MANAGER)
    assert [(change["what"], change["value"]) for change in history["changes"]] == [("replaced", 85), ("entered", 84.5)]
    series = send("GET", f"/api/v1/metrics/{KEY}/series/?unit=platform&from=2026-03-01&to=2026-04-01", MANAGER)
    assert (series["total"][0]["value"], series["hand_kept"], series["belongs_to"]) == (85, True, "unit")
    rows = send("GET", f"/api/v1/metrics/{KEY}/rows/?unit=platform&from=2026-03-01&to=2026-04-01", MANAGER)
    assert [(row["day"], row["entered_by"], row["note"]) for row in rows["rows"]] == [("2026-03-31", "Edith", "Survey")]
    address = f"{METRIC}values/{stored['id']}/"
    send("DELETE", address, MEMBER, status=403)
    send("DELETE", address, MANAGER, status=204)
    assert not HandKeptValue.objects.exists()


def test_values_of_units_that_one_may_not_see_are_left_out(satisfaction: HandKeptMetric) -> None:
    for unit in ("platform", "search", ""):
        enter(satisfaction, unit, "2026-03-31", 80)
    assert send("GET", f"{METRIC}values/", EXECUTIVE)["total"] == 3
    assert [value["unit"] for value in send("GET", f"{METRIC}values/", MEMBER)["values"]] == ["platform"]
    assert send("GET", f"{METRIC}history/", MEMBER)["total"] == 1
    theirs = HandKeptValue.objects.get(unit__slug="search")
    send("DELETE", f"{METRIC}values/{theirs.pk}/", MANAGER, status=404)


def test_of_wrong_values_none_is_stored(satisfaction: HandKeptMetric) -> None:
    value = {"unit": "platform", "date": "2026-03-31", "value": 84.5}
    tomorrow = f"{timezone.localdate() + timedelta(days=1)}"
    for change, parameter in (
        ({"date": tomorrow}, "values.1.date"),
        ({"date": "soon"}, "values.1.date"),
        ({"value": 1e15}, "values.1.value"),
        ({"value": "many"}, "values.1.value"),
        ({"unit": "nowhere"}, "values.1.unit"),
        ({"unit": "search"}, "values.1.unit"),
        ({"note": "x" * 301}, "values.1.note"),
    ):
        sent = {"values": [value, {**value, **change}]}
        assert problem("POST", f"{METRIC}values/", MANAGER, sent)[0] == parameter
    assert problem("POST", f"{METRIC}values/", MANAGER, {"values": []})[0] == "values"
    assert problem("POST", f"{METRIC}values/", MANAGER, {"entries": []})[0] == "entries"
    problem("POST", f"{METRIC}values/", MANAGER, {"values": [{**value, "unit": None}]}, 403)
    assert not HandKeptValue.objects.exists()


def test_a_token_of_nobody_reads_values_and_no_names(satisfaction: HandKeptMetric) -> None:
    enter(satisfaction, "platform", "2026-03-31", 80)
    _, secret = create_api_token("Dashboard", user=None, scope=TokenScope.READ, expires_at=None)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    [value] = client.get(f"{METRIC}values/").json()["values"]
    assert (value["value"], value["entered_by"]) == (80, None)
    assert client.get(METRIC).json()["keepers"] == []
    assert "admin" not in client.get(f"{METRIC}history/").content.decode()


def test_lists_ask_few_queries(satisfaction: HandKeptMetric, django_assert_max_num_queries: Any) -> None:
    keepers = (create_user(MEMBER).email, create_user(MANAGER).email)
    for number in range(12):
        metric = define(slug=f"m{number}", name=f"Metric {number}", keepers=keepers)
        for month in range(1, 7):
            enter(metric, "platform", f"2026-0{month}-01", month)
    client = signed_in(EXECUTIVE)
    for address in (
        LIST,
        "/insights/hand-kept/",
        "/insights/hand-kept/m1/",
        "/insights/hand-kept/m1/history/",
        "/insights/metrics/",
        f"{LIST}m1/values/",
    ):
        client.get(address)
        with django_assert_max_num_queries(15):
            assert client.get(address).status_code == 200, address
