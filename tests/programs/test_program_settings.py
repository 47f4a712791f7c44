"""The Org Tree whose teams set objectives: guessed, then fixed, then chosen by admins, with its history."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from orgtree.models import OrgTree
from programs.models import ProgramSettings
from programs.quarters.fiscal_quarters import current_quarter
from programs.teams.queries import teams_tree, teams_without_objective
from tests.org import Org
from tests.pages.recomputed import plain
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, PERSONAS, signed_in
from tests.programs.objective_pages import text
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.teams import create_teams

ADDRESS = "/admin/programs/programsettings/1/change/"


@pytest.fixture
def two_trees(org: Org) -> Org:
    create_teams()
    org.tree("sites")
    org.unit("berlin", below="sites")
    org.join("ada", "berlin", on=date(2025, 1, 1))
    return org


def teams() -> list[str]:
    missing = teams_without_objective(current_quarter(), as_(EXECUTIVE).visibility, today=timezone.localdate())
    return [unit.slug for unit in missing]


def name() -> str:
    tree = teams_tree()
    return tree.name if tree else ""


def test_the_first_tree_until_something_is_written_then_that_one_for_good(two_trees: Org) -> None:
    assert name() == "Teams"
    objective(EXECUTIVE, unit="berlin", is_mandatory=True)
    assert ProgramSettings.objects.get().teams_tree == OrgTree.objects.get(slug="sites")
    for unit in ("platform", "search"):
        objective(EXECUTIVE, unit=unit, is_mandatory=True, title=f"Of {unit}")
    assert name() == OrgTree.objects.get(slug="sites").name, "it changes no more by itself"


def test_optional_objectives_do_not_choose_the_tree_of_teams(two_trees: Org) -> None:
    objective(EXECUTIVE, unit="berlin")
    assert not ProgramSettings.objects.exists()
    assert name() == "Teams"


def test_an_admin_chooses_and_the_history_tells_it(two_trees: Org) -> None:
    objective(is_mandatory=True)
    assert teams() == ["search"]
    client = signed_in(ADMIN)
    assert client.get("/admin/programs/programsettings/")["Location"] == ADDRESS
    sites = OrgTree.objects.get(slug="sites")
    answer = client.post(ADDRESS, {"teams_tree": sites.pk})
    assert answer.status_code == 302, plain(answer.content.decode())
    assert teams() == ["berlin"]
    page = plain(text(client, ADDRESS))
    assert f"{ADMIN.email}: Teams → {sites.name}" in page
    assert "Edith: guessed → Teams" in page, "whose objective settled it"
    gaps = plain(text(signed_in(EXECUTIVE), f"{reverse('objectives')}?view=gaps"))
    assert f"Teams are units of the Org Tree {sites.name}." in gaps
    assert ADDRESS.replace("1/change/", "") in text(client, f"{reverse('objectives')}?view=gaps")


def test_a_tree_that_was_archived_has_no_teams(two_trees: Org) -> None:
    sites = OrgTree.objects.get(slug="sites")
    ProgramSettings.objects.create(pk=1, teams_tree=sites)
    assert name() == sites.name
    OrgTree.objects.filter(pk=sites.pk).update(archived_at=timezone.now())
    assert name() == "Teams"
    page = plain(text(signed_in(ADMIN), ADDRESS))
    assert "Teams, as a guess" in page


def test_admins_alone_change_it(two_trees: Org) -> None:
    ProgramSettings.objects.create(pk=1)
    for persona in (EXECUTIVE, MANAGER, MEMBER):
        assert signed_in(persona).post(ADDRESS, {"teams_tree": ""}).status_code in (302, 403), persona.name
    assert ADMIN in PERSONAS
    assert ProgramSettings.objects.get().teams_tree is None
