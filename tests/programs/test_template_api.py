"""Templates by program: what one reads is what one can write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query import windows
from programs.first_templates import add_first_templates
from programs.models import ObjectiveTemplate, TemplateKeyResult, TicketTemplate
from tests.org import Org
from tests.personas import MANAGER, MEMBER, Persona
from tests.teams import create_teams

OBJECTIVES, TICKETS = "/api/v1/objectives/templates/", "/api/v1/tickets/templates/"
SignIn = Callable[[Persona], Client]


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()
    add_first_templates(using="default")


def templates(client: Client, address: str) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = client.get(address).json()["templates"]
    return documents


def test_an_objective_is_written_from_one(sign_in: SignIn) -> None:
    template = ObjectiveTemplate.objects.create(slug="mood", name="Mood", meaning="For all.", title="A good mood")
    TemplateKeyResult.objects.create(
        template=template, title="Answers of the survey", better="higher", target_kind="absolute", target=4.0,
        unit_of_measure="of 5",
    )  # fmt: skip
    [matching] = [entry for entry in templates(sign_in(MEMBER), OBJECTIVES) if entry["template"] == "mood"]
    assert (matching["name"], matching["meaning"]) == ("Mood", "For all.")
    body = {name: matching[name] for name in ("template", "title", "description")}
    results = [{**entry, "baseline": 3.0} for entry in matching["key_results"]]
    written = sign_in(MANAGER).post(
        "/api/v1/objectives/", {**body, "unit": "platform", "key_results": results}, content_type="application/json"
    )
    assert written.status_code == 201, written.content
    [key_result] = written.json()["key_results"]
    assert (written.json()["template"], key_result["target"], key_result["unit_of_measure"]) == ("mood", 4.0, "of 5")


def test_a_ticket_is_filed_from_one(sign_in: SignIn) -> None:
    template = templates(sign_in(MEMBER), TICKETS)[0]
    due_on = windows.local_today() + timedelta(days=template.pop("days"))
    filed = sign_in(MANAGER).post(
        "/api/v1/tickets/",
        {**template, "unit": "platform", "owner": "ada@example.com", "due_on": str(due_on)},
        content_type="application/json",
    )
    assert filed.status_code == 201, filed.content
    assert {name: filed.json()[name] for name in template} == template


def test_those_that_are_not_offered_and_metrics_that_are_gone_are_left_out(sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    first = templates(client, TICKETS)[0]["title"]
    TicketTemplate.objects.filter(title=first).update(is_offered=False)
    TicketTemplate.objects.filter(is_offered=True).update(metric="dora.luck")
    TemplateKeyResult.objects.update(metric="dora.luck")
    ObjectiveTemplate.objects.filter(slug=templates(client, OBJECTIVES)[0]["template"]).update(is_offered=False)
    assert first not in {template["title"] for template in templates(client, TICKETS)}
    assert {template["metric"] for template in templates(client, TICKETS)} == {None}
    offered = templates(client, OBJECTIVES)
    assert len(offered) == ObjectiveTemplate.objects.count() - 1
    assert {key_result["metric"] for one in offered for key_result in one["key_results"]} == {None}
