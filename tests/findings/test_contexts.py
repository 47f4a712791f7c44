"""Context of units and repositories, and the rule by which teams are comparable."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.apps import apps

from core.write_errors import FieldError, MayNotWriteError
from insights.findings.checks import Check
from insights.findings.comparable import Team, are_comparable, change_rule, comparable_teams, in_words
from insights.findings.contexts import context_of, contexts_of, say
from insights.findings.detectors import BY_KEY
from insights.findings.night import Night, store
from insights.models import ComparableRule, Finding
from integrations.models import Owned, Ownership, Repository
from orgtree.access.access import access_of
from orgtree.models import Unit
from tests.findings.test_findings import PAGE, TODAY
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user, signed_in
from tests.teams import ALWAYS, Teams, create_teams

pytestmark = pytest.mark.django_db
CONTEXT, RULE = "/api/v1/context/", "/api/v1/comparable-units/"
LONG_AGO = date(2026, 1, 5)


@pytest.fixture
def teams() -> Teams:
    return create_teams()


def set_for(place: Unit | Repository | None, since: date = LONG_AGO, **values: Any) -> None:
    say(access_of(create_user(ADMIN)), place, values, since=since)


def owned_by(unit: Unit, name: str) -> Repository:
    repository = Repository.objects.create(name=name)
    Ownership.objects.create(owned=Owned.objects.get(repository=repository), tree=unit.tree, unit=unit, during=ALWAYS)
    return repository


def test_a_unit_inherits_what_it_does_not_say(teams: Teams) -> None:
    set_for(None, stage="legacy", language="Java", conventions="docs/style.md")
    set_for(teams.engineering, language="Python")
    set_for(teams.platform, stage="greenfield", long_reviews=False)
    platform, search = (context_of(unit, TODAY) for unit in (teams.platform, teams.search))
    assert (platform.stage, platform.language, platform.long_reviews) == ("greenfield", "Python", False)
    assert (search.stage, search.language, search.long_reviews) == ("legacy", "Python", None)
    assert platform.conventions == "docs/style.md"
    assert platform.rows["language"].unit == teams.engineering


def test_days_before_keep_what_was_said_then(teams: Teams) -> None:
    set_for(teams.platform, stage="greenfield")
    set_for(teams.platform, since=date(2026, 6, 1), stage="legacy")
    assert context_of(teams.platform, date(2026, 5, 31)).stage == "greenfield"
    assert context_of(teams.platform, date(2026, 6, 1)).stage == "legacy"
    assert context_of(teams.platform, date(2026, 1, 4)).stage == ""
    set_for(teams.platform, since=date(2026, 6, 1), stage="")
    assert context_of(teams.platform, TODAY).stage == "", "withdrawn"
    log = apps.get_model("insights", "ContextEvent")._default_manager.order_by("pgh_id")
    assert [*log.values_list("pgh_label", "stage")] == [("added", "greenfield"), ("added", "legacy"), ("changed", "")]


def test_repositories_say_what_their_owner_does_not_and_inherit_from_it(teams: Teams) -> None:
    shop, store_ = owned_by(teams.platform, "shop"), owned_by(teams.platform, "store")
    set_for(shop, stage="legacy", language="Go")
    set_for(store_, stage="legacy", language="Rust")
    set_for(teams.engineering, language="Python")
    platform = contexts_of([teams.platform.pk], TODAY)[teams.platform.pk]
    assert platform.stage == "legacy", "both agree"
    assert platform.language == "Python", "they do not agree"
    set_for(owned_by(teams.engineering, "tools"), conventions="STYLE.md")
    assert context_of(teams.search, TODAY).conventions == "STYLE.md", "as the unit above"
    set_for(teams.platform, long_reviews=True)
    assert context_of(shop, TODAY).long_reviews is True
    assert context_of(shop, TODAY).language == "Go"


def test_those_who_lead_a_unit_say_its_context(teams: Teams) -> None:
    shop = owned_by(teams.platform, "shop")
    for place in (teams.platform, shop):
        say(access_of(create_user(MANAGER)), place, {"stage": "legacy"}, since=LONG_AGO)
        with pytest.raises(MayNotWriteError):
            say(access_of(create_user(MEMBER)), place, {"stage": "legacy"}, since=LONG_AGO)
    for another in (teams.search, None, Repository.objects.create(name="nobody's")):
        with pytest.raises(MayNotWriteError):
            say(access_of(create_user(MANAGER)), another, {"stage": "legacy"}, since=LONG_AGO)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"stage": "ancient"}, "stage"),
        ({"language": "x" * 61}, "language"),
        ({"long_reviews": "perhaps"}, "long_reviews"),
        ({"long_reviews": []}, "long_reviews"),
        ({"stage": []}, "stage"),
        ({"language": None}, "language"),
        ({"weights": {"chore": 1}}, "weights"),
        ({"weights": {"bug": 0}}, "weights"),
        ({"weights": {"bug": True}}, "weights"),
        ({"weights": [1]}, "weights"),
        ({"conventions": "x" * 301}, "conventions"),
    ],
)
def test_what_is_no_context_names_its_field(teams: Teams, values: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        set_for(teams.platform, **values)
    assert refused.value.field == field


def rule(**fields: Any) -> ComparableRule:
    off = {"size_factor": None, "same_stage": False, "same_long_reviews": False}
    return ComparableRule(**{**off, **fields})


TEAM = Team(8, "legacy", None, "python", 4.0, {"feature": 60.0, "bug": 40.0})


@pytest.mark.parametrize(
    ("terms", "other", "fits"),
    [
        ({}, Team(100, "greenfield", True, "go", 40.0, {"bug": 100.0}), True),
        ({"size_factor": 2.0}, Team(16), True),
        ({"size_factor": 2.0}, Team(4), True),
        ({"size_factor": 2.0}, Team(17), False),
        ({"size_factor": 2.0}, Team(3), False),
        ({"same_stage": True}, Team(8, "greenfield"), False),
        ({"same_stage": True}, Team(8, ""), True),
        ({"same_long_reviews": True}, Team(8, long_reviews=True), False),
        ({"same_long_reviews": True}, Team(8, long_reviews=False), True),
        ({"same_language": True}, Team(8, language="go"), False),
        ({"same_language": True}, Team(8, language="python"), True),
        ({"age_factor": 3.0}, Team(8, years=12.0), True),
        ({"age_factor": 3.0}, Team(8, years=1.2), False),
        ({"age_factor": 3.0}, Team(8), True),
        ({"work_type_points": 20}, Team(8, work_types={"feature": 80.0, "bug": 20.0}), True),
        ({"work_type_points": 20}, Team(8, work_types={"feature": 79.0, "operations": 21.0}), False),
    ],
)
def test_which_teams_are_comparable(terms: dict[str, Any], other: Team, fits: bool) -> None:
    assert are_comparable(TEAM, other, rule(**terms)) is fits
    assert are_comparable(other, TEAM, rule(**terms)) is fits


def test_the_rule_is_said_in_words() -> None:
    assert in_words(ComparableRule()) == (
        "teams of the same Org Tree, with between half and twice as many people, "
        "whose code is new in both or old in both (greenfield or legacy), "
        "where long reviews are expected in both or in neither"
    )
    assert in_words(rule(size_factor=3, age_factor=2, work_type_points=25)) == (
        "teams of the same Org Tree, with at most 3 times as many people, or as few, whose repositories are between "
        "half and twice as old, whose shares of each work type are at most 25 points apart"
    )


def test_admins_change_the_rule_and_teams_follow(teams: Teams) -> None:
    people = {teams.platform.pk: 6, teams.search.pk: 2}

    def compared() -> list[int]:
        return [*comparable_teams(people, ComparableRule.current(), TODAY)[teams.platform.pk]]

    assert compared() == []
    with pytest.raises(MayNotWriteError):
        change_rule(access_of(create_user(EXECUTIVE)), {"size_factor": 3.0})
    change_rule(access_of(create_user(ADMIN)), {"size_factor": 3.0})
    assert compared() == [teams.search.pk]
    set_for(teams.platform, stage="legacy")
    set_for(teams.search, stage="greenfield")
    assert compared() == []
    with pytest.raises(FieldError, match="no such field"):
        change_rule(access_of(create_user(ADMIN)), {"mood": 1})
    with pytest.raises(FieldError):
        change_rule(access_of(create_user(ADMIN)), {"size_factor": 0.5})
    assert apps.get_model("insights", "ComparableRuleEvent")._default_manager.count() == 1


def test_a_finding_states_the_rule_that_it_was_found_by(teams: Teams) -> None:
    check = Check(
        detector=BY_KEY["pr.pickup_time.gap"],
        unit=teams.platform.pk,
        chance=1e-6,
        since=date(2026, 5, 25),
        before=3600.0,
        after=7200.0,
        low=3000.0,
        high=4000.0,
        sample=80,
        is_large=True,
        compared_with=[teams.search.pk],
        compared_by=in_words(ComparableRule()),
    )
    store(Night(1, [check]), today=TODAY)
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "Compared with 1 team of the same Org Tree, with between half and twice as many people" in page
    assert Finding.objects.get().compared_by in signed_in(EXECUTIVE).get("/api/v1/findings/").content.decode()


def test_programs_read_and_set_context_and_rule(teams: Teams) -> None:
    owned_by(teams.platform, "shop")
    manager = signed_in(MANAGER)
    sent = {"stage": "legacy", "weights": {"bug": 0.5}, "since": "2026-02-02"}
    for query in ("?unit=platform", "?repository=shop"):
        answer = manager.put(CONTEXT + query, sent, content_type="application/json")
        assert answer.status_code == 200
        assert answer.json()["in_force"]["stage"] == "legacy"
        assert answer.json()["own"][0]["since"] == "2026-02-02"
        assert manager.put(CONTEXT + query, {"mood": 1}, content_type="application/json").status_code == 400
    assert manager.put(CONTEXT, sent, content_type="application/json").status_code == 403
    other = signed_in(OTHER_MEMBER)
    assert other.get(f"{CONTEXT}?unit=platform").status_code == 404
    assert other.get(f"{CONTEXT}?repository=shop").status_code == 404
    assert manager.patch(RULE, {"age_factor": 2}, content_type="application/json").status_code == 403
    changed = signed_in(ADMIN).patch(RULE, {"age_factor": 2, "size_factor": None}, content_type="application/json")
    assert (changed.json()["age_factor"], changed.json()["size_factor"]) == (2.0, None)
    mistakes: list[dict[str, Any]] = [
        {"same_stage": None},
        {"size_factor": []},
        {"age_factor": "old"},
        {"work_type_points": 2},
    ]
    for wrong in mistakes:
        assert signed_in(ADMIN).patch(RULE, wrong, content_type="application/json").status_code == 400
    assert manager.get(RULE).json()["words"].startswith("teams of the same Org Tree, whose repositories")


def test_pages_show_and_change_them(teams: Teams) -> None:
    owned_by(teams.platform, "shop")
    manager = signed_in(MANAGER)
    form = {"stage": "legacy", "weight_bug": "0.5", "since": "2026-02-02", "conventions": "docs/style.md"}
    assert manager.post("/insights/context/?unit=platform", form).status_code == 302
    page = manager.get("/insights/context/?unit=platform").content.decode()
    for text in ("Legacy", "Bug 0.5", "docs/style.md", "From 2 Feb", "Small up to 100 lines", "shop"):
        assert text in page
    shop = manager.get("/insights/context/?repository=shop").content.decode()
    assert "from Platform, since 2 Feb" in shop or "from platform, since 2 Feb" in shop
    member = signed_in(MEMBER)
    assert "Set the context" not in member.get("/insights/context/?unit=platform").content.decode()
    assert member.post("/insights/context/?unit=platform", form).status_code == 403
    assert signed_in(OTHER_MEMBER).get("/insights/context/?repository=shop").status_code == 404
    admin, address = signed_in(ADMIN), "/insights/context/comparable/"
    assert admin.post(address, {"size_factor": "3", "same_language": "on"}).status_code == 302
    assert "at most 3 times as many people" in member.get(address).content.decode()
    assert member.post(address, {"size_factor": "3"}).status_code == 403
