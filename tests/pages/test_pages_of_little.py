"""Texts of pages without data, and with too little."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from orgtree.models import IndividualPolicy
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.test_committed_code import page as page_at
from tests.pages.test_committed_code import recently
from tests.pages.test_impact import differences, page
from tests.pages.test_leaderboard import BOARD, rows
from tests.personas import ADMIN, MANAGER, MEMBER, Persona
from tests.teams import create_teams


def test_few_developers_have_no_interval_and_it_says_why(org: Org, member: Client) -> None:
    org.session(by="ada", on=day_before(3))
    org.people({"full_name": "Ada", "email": "ada@example.com"}, {"full_name": "Grace", "email": "grace@example.com"})
    org.push("pull-requests", merged(1, day_before(3)), merged(2, day_before(2), author="grace"))
    org.fold()
    for cells in (differences(member)["PRs merged per developer"], differences(member)["Cycle time, median"]):
        assert "fewer than" in cells[2] or "no data to compare" in cells[2], cells


def test_without_pull_requests_nothing_is_compared(org: Org, member: Client) -> None:
    org.session(by="ada", on=day_before(3))
    org.fold()
    html = page(member)
    assert "AI-assisted vs. other" not in html
    assert "Needs a repository" in html


def test_nobody_is_there(org: Org, sign_in: Callable[[Persona], Client]) -> None:
    create_teams(IndividualPolicy.NAMED)
    page = sign_in(MANAGER).get(BOARD, {"unit": "platform"})
    assert page.status_code == 200
    assert "No developer with agent activity" in page.content.decode()
    assert rows(sign_in(MANAGER), unit="platform") == []


@pytest.mark.parametrize("persona", [ADMIN, MEMBER], ids=lambda persona: persona.name)
def test_without_a_repository_the_pages_lead_to_connecting_one(
    org: Org, sign_in: Callable[[Persona], Client], persona: Persona
) -> None:
    org.session(by="ada", on=recently().date())
    org.fold()
    client = sign_in(persona)
    for address in ("/insights/ai/impact/", "/insights/ai/attribution/", "/insights/ai/repositories/"):
        assert 'href="/setup/repositories/"' in page_at(client, address)
    assert "cannot connect yet" not in page_at(client, "/insights/ai/")
