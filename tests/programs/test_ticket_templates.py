"""Tickets are begun from templates: a first set, and what admins make of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from insights.catalogue.registry import metrics
from insights.query import windows
from programs.models import Ticket, TicketTemplate
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona
from tests.teams import create_teams

NEW = "/programs/tickets/new/"
SIZE = "large-pull-requests"


@pytest.fixture(autouse=True)
def teams(org: Org) -> None:
    create_teams()


def test_every_template_of_the_first_set_moves_an_existing_metric() -> None:
    known = {metric.key for metric in metrics()}
    templates = list(TicketTemplate.objects.all())
    assert len(templates) >= 10
    assert {template.metric for template in templates} <= known
    assert {template.kind for template in templates} == {"people", "process", "tooling"}


def test_a_template_fills_the_form_in_and_becomes_a_ticket(sign_in: Callable[[Persona], Client]) -> None:
    client = sign_in(MANAGER)
    page = client.get(f"{NEW}?template={SIZE}&unit=platform")
    form = page.context["form"]
    form_data = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert form_data["title"] == "Pull requests are too large to review well"
    assert (form_data["metric"], form_data["unit"]) == ("pr.size", "platform")
    assert form_data["due_on"] == windows.local_today() + timedelta(days=42)
    assert client.post(NEW, {**form_data, "owner": "ada@example.com"}).status_code == 302
    filed = Ticket.objects.get()
    assert filed.title == form_data["title"]
    assert filed.resolution.startswith("Agree on a usual size")


def test_whoever_comes_from_a_metric_is_offered_first_what_moves_it(sign_in: Callable[[Persona], Client]) -> None:
    page = sign_in(EXECUTIVE).get(f"{NEW}?metric=ci.duration&unit=platform")
    offers = page.context["templates"]
    assert offers[0][0].title == "The pipeline takes too long"
    assert "unit=platform" in offers[0][1]
    assert page.content.decode().count("moves this metric") == 1


def test_what_is_not_offered_is_not_there(sign_in: Callable[[Persona], Client]) -> None:
    TicketTemplate.objects.filter(slug=SIZE).update(is_offered=False)
    for slug in (SIZE, "no-such", "a\nb"):
        page = sign_in(EXECUTIVE).get(NEW, {"template": slug})
        assert page.status_code == 200
        assert not page.context["form"].initial["title"]
    assert "too large" not in page.content.decode()


def test_a_template_of_a_metric_that_is_gone_fills_in_the_rest(sign_in: Callable[[Persona], Client]) -> None:
    TicketTemplate.objects.filter(slug=SIZE).update(metric="dora.luck")
    form = sign_in(EXECUTIVE).get(NEW, {"template": SIZE}).context["form"]
    assert form.initial["title"].startswith("Pull requests are too large")
    assert form.initial["metric"] == ""


def test_admins_edit_them_and_nobody_else(admin: Client, sign_in: Callable[[Persona], Client]) -> None:
    address = "/admin/programs/tickettemplate/"
    assert admin.get(address).status_code == 200
    fields = {
        **{"title": "Meetings in the morning", "slug": "meetings", "nature": "challenge", "kind": "process"},
        **{
            "resolution": "None before noon.",
            "metric": "pr.coding_time",
            "days": 14,
            "position": 5,
            "is_offered": "on",
        },
    }
    assert admin.post(f"{address}add/", fields).status_code == 302
    assert sign_in(MANAGER).get(NEW).context["templates"][0][0].title == "Meetings in the morning"
    refused = admin.post(f"{address}add/", {**fields, "slug": "other", "metric": "dora.luck"})
    assert refused.status_code == 200
    assert "metric" in refused.context["adminform"].form.errors
    assert sign_in(MEMBER).get(address).status_code in (302, 403)


def test_quarters_are_looked_at_in_admin(admin: Client) -> None:
    assert admin.get("/admin/programs/quarter/").status_code == 200
    assert admin.get("/admin/programs/quarter/add/").status_code == 403
