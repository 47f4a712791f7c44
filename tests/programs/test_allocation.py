"""Allocation: rules and targets as people write them, their preview, and what each viewer may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from integrations.delivery.allocation.targets import set_targets, targets_in_force
from integrations.models import AllocationRule, InvestmentCategory, InvestmentTarget
from tests.delivery.allocation.test_measuring import measured
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.reminders import open_accounts
from tests.teams import OTHERS_IN_PLATFORM, Teams, add_teams, create_teams

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday
QUARTER = date(2026, 10, 1)
RULES, TARGETS = "/insights/allocation/rules/", "/insights/allocation/targets/"
IN_PLATFORM = ("ada", *OTHERS_IN_PLATFORM)


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def works(org: Org, *people: str, kind: str, first: int, started: str = "2026-09-14T09:00:00Z") -> None:
    """An item of that type for each, in progress since then."""
    org.push(
        "work-items",
        *(
            {
                "id": f"SHOP-{number}",
                "project": "SHOP",
                "title": f"Part {number}",
                "type": kind,
                "status_category": "in_progress",
                "created_at": "2026-09-01T09:00:00Z",
                "assignee": f"{person}@example.com",
                "transitions": [{"at": started, "from": "To do", "to": "Doing", "category": "in_progress"}],
            }
            for number, person in enumerate(people, start=first)
        ),
    )


def text(client: Client, path: str, **params: str) -> str:
    response = client.get(path, params)
    assert response.status_code == 200, response.content[:500]
    return " ".join(response.content.decode().split())


def rule_fields(**fields: Any) -> dict[str, Any]:
    maintenance = InvestmentCategory.objects.get(name="Keeping the lights on")
    return {"category": maintenance.pk, "unit": "platform", "rank": 5, **fields}


def test_a_manager_sets_targets_and_sees_the_gap(org: Org, teams: Teams) -> None:
    """Five of six people work on a feature, one on a bug: 83 % and 17 %."""
    works(org, *IN_PLATFORM[:5], kind="feature", first=1)
    works(org, IN_PLATFORM[5], kind="bug", first=9)
    measured()
    manager, member = signed_in(MANAGER), signed_in(MEMBER)
    fields = {f"category-{category.pk}": "" for category in InvestmentCategory.objects.all()}
    new = InvestmentCategory.objects.get(name="New features")
    answer = manager.post(f"{TARGETS}?unit=platform", {**fields, f"category-{new.pk}": "60"})
    assert (answer.status_code, answer["Location"]) == (302, "/insights/allocation/?unit=platform")
    stored = InvestmentTarget.objects.get()
    assert (int(stored.share), stored.quarter_start) == (60, QUARTER)
    assert stored.unit == teams.platform
    page = text(signed_in(EXECUTIVE), "/insights/allocation/", unit="engineering")
    assert "No targets are set for 2026-Q4." in page, "a unit above does not have those of one below"
    assert "There is no share with a target in 2026-Q4." in page
    drawn = signed_in(EXECUTIVE).get("/insights/allocation/charts/target_over_time/?unit=engineering").json()
    assert drawn["datasets"] == drawn["benchmarks"] == []
    page = text(signed_in(EXECUTIVE), "/insights/allocation/", unit="platform")
    assert "Hidden" in page, "a bug of one person would be known"
    too_many = manager.post(f"{TARGETS}?unit=platform", dict.fromkeys(fields, "60"))
    assert too_many.status_code == 400
    assert "Together they are 240%" in too_many.content.decode()
    assert member.get(f"{TARGETS}?unit=platform").status_code == 403
    assert manager.get(f"{TARGETS}?unit=search").status_code in (403, 404), "another unit's"
    assert manager.get(f"{TARGETS}?unit=platform&quarter=soon").status_code == 400


def test_shares_and_gap_where_enough_people_work(org: Org) -> None:
    works(org, *IN_PLATFORM[:6], kind="feature", first=1)
    works(org, *IN_PLATFORM[:6], kind="bug", first=11)
    measured()
    categories = {category.name: category.pk for category in InvestmentCategory.objects.all()}
    set_targets(None, QUARTER, {categories["Keeping the lights on"]: Decimal(25)}, by=None)
    page = text(signed_in(EXECUTIVE), "/insights/allocation/", unit="platform")
    assert "50%" in page
    assert "+25 points" in page
    assert "The share of Keeping the lights on is 25 points above its target of 25%." in page
    assert "Targets of the whole organisation, 2026-Q4: this unit has none of its own" in page
    assert "need not agree" in page
    assert "Keeping the lights on over time, against its target" in page, (
        "the category that is farthest from its target"
    )
    chart = signed_in(EXECUTIVE).get("/insights/allocation/charts/target_over_time/?unit=platform").json()
    assert chart["benchmarks"] == [{"value": 25.0, "label": "Target 25%", "role": "target"}]
    [line] = chart["datasets"]
    assert (line["label"], {*line["data"]} - {None}) == ("Keeping the lights on", {50.0})
    quarters = text(signed_in(EXECUTIVE), "/insights/allocation/parts/quarters/", unit="platform")
    assert "2026-Q4" in quarters
    assert '50% <span class="mut">of 25%</span> <span class="hw-tag watch">+25 points</span>' in quarters
    teams = text(signed_in(EXECUTIVE), "/insights/allocation/parts/team_targets/", unit="engineering")
    assert '50% <span class="mut">of 25%</span>' in teams
    file = signed_in(EXECUTIVE).get("/insights/allocation/charts/team_targets.csv?unit=engineering")
    assert "Platform,Keeping the lights on,50.0,25.0,25.0" in b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    rows = text(signed_in(EXECUTIVE), "/insights/allocation/teams/", unit="engineering")
    assert "Allocation, unit by unit" in rows
    csv = signed_in(EXECUTIVE).get("/insights/allocation/charts/against_target.csv?unit=platform")
    lines = b"".join(csv.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert "Keeping the lights on,50.0,25.0,25.0" in lines


def test_members_of_a_small_team_see_no_shares_and_why(org: Org) -> None:
    works(org, "grace", "lise", kind="bug", first=1)
    measured()
    page = text(signed_in(OTHER_MEMBER), "/insights/allocation/", unit="search")
    assert "fewer than 5 people contribute" in page
    assert "100%" not in page.replace('width="100%"', "")
    document = signed_in(OTHER_MEMBER).get("/api/v1/metrics/allocation.maintenance_share/series/?unit=search").json()
    assert document["total"][0]["value"] is None


def test_a_preview_says_what_a_rule_would_make_of_the_last_quarter_and_saves_nothing(org: Org) -> None:
    works(org, *IN_PLATFORM, kind="feature", first=1)
    works(org, *IN_PLATFORM, kind="task", first=21)
    measured()
    manager = signed_in(MANAGER)
    page = manager.post(f"{RULES}new/", {**rule_fields(types="feature"), "preview": "1"}).content.decode()
    assert "Preview: with this rule, in 2026-Q3" in page
    assert "The rule decides 6 items" in page
    assert "No rule matches" in page
    assert "SHOP-21" in page
    assert AllocationRule.objects.filter(unit__slug="platform").count() == 0
    page = manager.post(f"{RULES}new/", {**rule_fields(labels="nobody"), "preview": "1"}).content.decode()
    assert "The rule changes nothing" in page
    page = manager.post(f"{RULES}new/", {**rule_fields(projects="shop"), "preview": "1"}).content.decode()
    assert "The rule matches every item" in page
    page = manager.post(f"{RULES}new/", {**rule_fields(paths="a/b/c/d"), "preview": "1"}).content.decode()
    assert "Name at most 3 folders" in page
    assert manager.post(f"{RULES}new/", rule_fields(types="feature, story")).status_code == 302
    rule = AllocationRule.objects.get(unit__slug="platform")
    assert rule.types == ["feature", "story"]
    measured()
    assert "Keeping the lights on" in text(manager, RULES, unit="platform")


def test_a_manager_who_edits_an_outdated_rule_sees_the_newer_one(org: Org) -> None:
    manager = signed_in(MANAGER)
    manager.post(f"{RULES}new/", rule_fields(types="feature"))
    rule = AllocationRule.objects.get(unit__slug="platform")
    edited = {**rule_fields(labels="blue"), "version": "1"}
    assert manager.post(f"{RULES}{rule.pk}/", edited).status_code == 302
    stale = manager.post(f"{RULES}{rule.pk}/", {**rule_fields(labels="red"), "version": "1"})
    assert stale.status_code == 409
    assert "blue" in stale.content.decode()
    whole = AllocationRule.objects.filter(unit=None).first()
    assert whole is not None
    assert manager.post(f"{RULES}{whole.pk}/", {**edited, "unit": ""}).status_code in (403, 404)
    assert manager.post(f"{RULES}{rule.pk}/remove/").status_code == 302
    assert not AllocationRule.objects.filter(pk=rule.pk).exists()


def test_rules_and_targets_by_api(org: Org) -> None:
    executive, manager = signed_in(EXECUTIVE), signed_in(MANAGER)
    added = manager.post(
        "/api/v1/allocation-rules/",
        {"category": "productivity", "unit": "platform", "repositories": ["acme/*"]},
        content_type="application/json",
    )
    assert added.status_code == 201, added.content
    assert added.json()["category"] == "Productivity"
    path = f"/api/v1/allocation-rules/{added.json()['id']}/"
    changed = manager.patch(path, {"rank": 7, "version": 1}, content_type="application/json")
    assert (changed.status_code, changed.json()["rank"], changed.json()["version"]) == (200, 7, 2)
    assert manager.get("/api/v1/allocation-rules/").json()["total"] == AllocationRule.objects.count()
    for given, field in (
        ({"category": "Nonsense"}, "category"),
        ({"category": "Productivity", "unit": ""}, "unit"),
        ({"category": "Productivity", "unit": "platform", "types": "bug"}, "types"),
        ({"category": "Productivity", "unit": "platform", "rank": 0}, "rank"),
    ):
        refused = manager.post("/api/v1/allocation-rules/", given, content_type="application/json")
        assert refused.status_code in (400, 403), (given, refused.content)
        assert field in refused.content.decode() or refused.status_code == 403
    assert manager.delete(path).status_code == 204
    targets = "/api/v1/allocation-targets/"
    put = executive.put(targets, {"shares": {"New features": 60}}, content_type="application/json")
    assert put.status_code == 200, put.content
    of_unit = manager.get(f"{targets}?unit=platform").json()
    assert of_unit["inherited_from"] == "Whole organisation"
    assert of_unit["shares"] == {"New features": 60.0}
    for shares in ({"Nonsense": 5}, {"New features": 101}, [1], {"New features": "x"}):
        assert executive.put(targets, {"shares": shares}, content_type="application/json").status_code == 400
    refused = manager.put(targets, {"shares": {}}, content_type="application/json")
    assert refused.status_code == 403


def test_a_unit_has_the_targets_of_the_nearest_one_above_and_loses_those_of_a_deleted_category(teams: Teams) -> None:
    new, run = InvestmentCategory.objects.filter(name__in=["New features", "Keeping the lights on"])
    set_targets(None, QUARTER, {new.pk: Decimal(40)}, by=None)
    set_targets(teams.engineering, QUARTER, {new.pk: Decimal(50), run.pk: Decimal(30)}, by=None)
    assert targets_in_force(teams.platform, QUARTER).unit == teams.engineering
    before = targets_in_force(teams.platform, QUARTER - timedelta(days=92))
    assert (before.unit, dict(before.shares)) == (None, {})
    new.delete()
    assert dict(targets_in_force(teams.platform, QUARTER).shares) == {run.pk: Decimal(30)}


def test_a_business_review_shows_the_investment_mix_with_its_targets(org: Org, teams: Teams) -> None:
    """Six people on features, five on bugs: 55 % and 45 %, against targets of 60 % and 40 %; the frozen copy stays."""
    add_teams(teams, {"ops": ("ruth", "sofia", "tess", "uma", "vera")})
    works(org, *IN_PLATFORM, kind="feature", first=1)
    works(org, "ruth", "sofia", "tess", "uma", "vera", kind="bug", first=21)
    measured()
    new, upkeep = (InvestmentCategory.objects.get(kind=kind) for kind in ("new", "maintenance"))
    shares: dict[int, Decimal | None] = {new.pk: Decimal(60), upkeep.pk: Decimal(40)}
    set_targets(None, QUARTER, shares, by=None)
    executive = signed_in(EXECUTIVE)
    given = {"unit": None, "period": "quarter", "day": QUARTER.isoformat()}
    review = executive.post("/api/v1/qbr/", given, content_type="application/json").json()
    [section] = [one for one in review["document"]["sections"] if one["key"] == "allocation"]
    assert section["name"] == "Investment mix"
    [chart] = [one for one in section["charts"] if one["kind"] == "by_category"]
    days = {part["label"]: (part["amount"]["value"], part["target"]) for part in chart["rows"][0]}
    assert days["New features"][1] == 60.0
    whole = sum(value for value, _ in days.values())
    assert round(days["New features"][0] / whole * 100, 1) == 54.5
    page = text(executive, f"/programs/qbr/{review['id']}/")
    assert "Time by category, and its target" in page
    assert "New features 54.5% (target 60%)" in page or "New features 55% (target 60%)" in page
    frozen = executive.post(f"/api/v1/qbr/{review['id']}/freeze/", {}, content_type="application/json")
    assert frozen.status_code == 200
    set_targets(None, QUARTER, {new.pk: Decimal(10)}, by=None)
    assert "(target 60%)" in text(executive, f"/programs/qbr/{review['id']}/")
