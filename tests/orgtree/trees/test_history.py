"""Metrics stay with the units people were in at the time, for every kind of tree."""

from __future__ import annotations

import pytest

from orgtree.models import Unit
from tests.org import Org

pytestmark = pytest.mark.django_db


def commits(org: Org, unit: str) -> float | None:
    return org.metric("commit.count", unit=unit, month="2026-03").value


def test_people_keep_their_old_commits_when_they_move(org: Org) -> None:
    org.tree("Engineering")
    for team in ("Payments", "Search"):
        org.unit(team, below="engineering")
    org.join("ada", "payments")
    org.commit(by="ada", on="2026-03-02")
    org.move("ada", from_="payments", to="search", on="2026-03-09")
    org.commit(by="ada", on="2026-03-09", at="00:00")
    org.commit(by="ada", on="2026-03-10")
    assert commits(org, "payments") == 1
    assert commits(org, "search") == 2
    assert commits(org, "engineering") == 3


def test_a_moved_team_leaves_its_history_with_its_old_department(org: Org) -> None:
    org.tree("Engineering")
    for department in ("Commerce", "Platform"):
        org.unit(department, below="engineering")
    org.unit("Payments", below="commerce")
    org.join("ada", "payments")
    org.commit(by="ada", on="2026-03-02")
    org.move_unit("payments", to="platform", on="2026-03-09")
    org.commit(by="ada", on="2026-03-10")
    org.commit(by="ada", on="2026-03-11")
    assert commits(org, "payments") == 3
    assert commits(org, "commerce") == 1
    assert commits(org, "platform") == 2
    assert commits(org, "engineering") == 3


def test_a_team_that_an_import_moves_leaves_its_history_with_its_old_department(org: Org) -> None:
    def team_in(department: str) -> list[dict[str, str]]:
        return [
            {"full_name": name.title(), "email": f"{name}@example.com", "department": department, "team": "Payments"}
            for name in ("ada", "grace")
        ]

    linus = {"full_name": "Linus", "email": "linus@example.com", "department": "Platform", "team": "Kernel"}
    org.people(*team_in("Commerce"), linus, on="2026-01-01")
    org.tree("Departments", "attributes", levels=("department", "team"))
    org.commit(by="ada", on="2026-03-02")
    org.people(*team_in("Platform"), on="2026-03-09")
    org.commit(by="grace", on="2026-03-10")
    org.commit(by="linus", on="2026-03-10")
    assert commits(org, "payments") == 2
    assert commits(org, "commerce") == 1
    assert commits(org, "platform") == 2
    assert not Unit.objects.filter(slug="payments-2").exists()


def test_a_team_goes_on_under_its_managers_successor(org: Org) -> None:
    def team_of(manager: str) -> list[dict[str, str]]:
        return [
            {"full_name": name.title(), "email": f"{name}@example.com", "manager_email": f"{manager}@example.com"}
            for name in ("linus", "edsger", "barbara")
        ]

    leads = [
        {"full_name": "Grace Hopper", "email": "grace@example.com", "manager_email": ""},
        {"full_name": "Ada Lovelace", "email": "ada@example.com", "manager_email": "grace@example.com"},
        {"full_name": "Margaret Hamilton", "email": "margaret@example.com", "manager_email": "grace@example.com"},
    ]
    org.people(*leads, *team_of("ada"), on="2026-01-01")
    org.tree("Managers", "managers")
    org.commit(by="ada", on="2026-03-02")
    org.commit(by="linus", on="2026-03-03")
    org.people(*team_of("margaret"), on="2026-03-09")
    org.commit(by="linus", on="2026-03-10")
    org.commit(by="margaret", on="2026-03-10")
    org.commit(by="ada", on="2026-03-11")
    assert commits(org, "ada-lovelace") == 4  # the team; Ada herself is a member of Grace's unit by then
    assert commits(org, "grace-hopper") == 5
    unit = Unit.objects.get(slug="ada-lovelace")
    assert unit.name == "Margaret Hamilton’s team"
    assert unit.leader is not None
    assert unit.leader.full_name == "Margaret Hamilton"
