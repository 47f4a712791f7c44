"""No figure of few people is the difference of others that are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.management.commands.suppression import counted
from insights.privacy.suppression import Rule
from insights.privacy.visible import UnitQueries, visible_series, visible_together, visible_totals
from insights.query import windows
from insights.query.query import Dimension, Query, Scope, Window
from orgtree.access.access import access_of, public_access
from orgtree.models import Grant, Organisation, Role, Unit
from tests.org import Org
from tests.personas import EXECUTIVE, Persona, create_user
from tests.stored_once import StoreOnce

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teams")]
MANAGER = Persona("of-red-0")
TEAMS = {"Red": 6, "Blue": 5, "Green": 7, "Grey": 2}  # their people with agents
WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))


def yesterday() -> date:
    return windows.local_today() - timedelta(days=1)


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: made_of_teams(Org(tmp_path_factory.mktemp))) as made:
        yield made


def made_of_teams(org: Org) -> Org:
    """Shop of four teams, Red of two squads; one of Green uses another agent than all others."""
    Organisation.objects.update_or_create(pk=1, defaults={"protected_since": datetime(2026, 1, 1, tzinfo=UTC)})
    org.tree("Shop")
    for team, size in TEAMS.items():
        org.unit(team, below="shop")
        people = [f"of-{team.lower()}-{number}" for number in range(size)]
        org.people(*({"full_name": name, "email": f"{name}@example.com", "role": team} for name in people))
        for number, name in enumerate(people):
            org.join(name, team.lower())
            org.session(by=name, on=yesterday(), tokens=1000 + number)
    org.fold()
    Grant.objects.create(user=create_user(EXECUTIVE), role=Role.EXECUTIVE, during=DateRange(date(2025, 1, 1), None))
    red = Unit.objects.get(slug="red")
    Grant.objects.create(
        user=create_user(MANAGER), role=Role.MANAGER, unit=red, during=DateRange(date(2025, 1, 1), None)
    )
    return org


def tokens(unit: str | None, **where: tuple[str, ...]) -> Query:
    return Query("ai.tokens", windows.trailing(4), scope=Scope.of_unit(unit or "", where=where))


def shown(persona: Persona, *queries: Query) -> list[bool]:
    """Whether each is shown; alone, together, as a total, and in the week in which it was."""
    access = access_of(create_user(persona))
    alone = [not visible_totals([query], access)[0].total[0].withheld for query in queries]
    assert [not answer.total[0].withheld for answer in visible_totals(queries, access)] == alone
    for answer, is_shown in zip(visible_series(queries, access), alone, strict=True):
        assert answer.total[0].withheld != is_shown
        assert {not bucket.withheld for bucket in answer.series if bucket.value or bucket.withheld} == {is_shown}
    return alone


def test_a_team_of_few_is_not_what_the_other_teams_leave_of_all() -> None:
    """The attack: all less three teams is what two people did."""
    queries = [tokens(slug) for slug in ("shop", "red", "blue", "green", "grey")]
    assert shown(EXECUTIVE, *queries) == [True, True, False, True, False]
    access = access_of(create_user(EXECUTIVE))
    units = {unit.slug: unit.pk for unit in Unit.objects.all()}
    [beside] = visible_together(access, units=[UnitQueries([tokens(None)], list(units.values()))]).units
    assert {slug for slug, unit in units.items() if beside[unit][0].total[0].withheld} == {"blue", "grey"}
    [blue] = visible_totals([tokens("blue")], access)
    assert blue.total[0].reason == "Hidden: together with other visible figures, it would reveal a group of few people."


def test_all_less_who_is_in_no_unit_is_no_tree_of_few(teams: Org) -> None:
    """The attack: a tree of two people is hidden, and what it leaves of everybody was not."""
    teams.tree("Guild")
    queries = [tokens(slug) for slug in (None, "guild", "unassigned:guild")]
    for number, is_shown in ((2, False), (5, True)):
        for name in [f"of-red-{position}" for position in range(number)]:
            teams.join(name, "guild")
        assert shown(EXECUTIVE, *queries) == [True, is_shown, is_shown]
    [nobody] = visible_totals([tokens("unassigned:shop")], access_of(create_user(EXECUTIVE)))
    assert not nobody.total[0].withheld


def test_a_unit_of_another_tree_leaves_no_few_people(teams: Org) -> None:
    """The attack: a guild of Red and one of Green, less Red."""
    teams.tree("Guild")
    for name in (*(f"of-red-{position}" for position in range(6)), "of-green-0"):
        teams.join(name, "guild")
    queries = [tokens(slug) for slug in ("guild", "red", "shop")]
    assert shown(EXECUTIVE, *queries) == [True, False, True]
    assert shown(MANAGER, *queries[:2]) == [True, False], "who is in both sees both"
    [red] = visible_totals([tokens("red")], access_of(create_user(EXECUTIVE)))
    assert red.total[0].reason == "Hidden: together with other visible figures, it would reveal a group of few people."


def test_a_team_that_is_hidden_beside_another_is_no_unit_of_another_tree(teams: Org) -> None:
    """The attack: Blue is hidden beside Grey, and a guild of the same people would show it."""
    teams.tree("Guild")
    for name in [f"of-blue-{position}" for position in range(5)]:
        teams.join(name, "guild")
    assert shown(EXECUTIVE, tokens("blue"), tokens("guild")) == [False, False]


def test_a_part_of_a_unit_in_another_tree_leaves_no_few_people(teams: Org) -> None:
    """The attack: Red less a guild of all but its manager, who is not in it and cannot see it."""
    teams.tree("Guild")
    for name in [f"of-red-{position}" for position in range(1, 6)]:
        teams.join(name, "guild")
    assert shown(EXECUTIVE, tokens("red"), tokens("guild")) == [True, False]
    assert shown(MANAGER, tokens("red")) == [True]


def test_who_cannot_see_the_other_teams_loses_nothing() -> None:
    assert shown(MANAGER, tokens("red")) == [True]


def test_a_filter_that_leaves_out_few_is_hidden() -> None:
    """The attack: all less those of three roles."""
    assert shown(EXECUTIVE, tokens(None, role=("Red", "Blue", "Green")), tokens(None, role=("Green",))) == [False, True]


def test_filters_by_two_attributes_leave_out_no_few_people(teams: Org) -> None:
    """The attack: all, less those of two roles, less those of a site, and those of both; Grey is in neither."""
    where = {"Red": "Pune", "Blue": "Pune", "Green": "Oslo", "Grey": "Oslo"}
    teams.people(
        *(
            {"full_name": name, "email": f"{name}@example.com", "role": team, "site": where[team]}
            for team, size in TEAMS.items()
            for name in (f"of-{team.lower()}-{number}" for number in range(size))
        ),
        on=date(2025, 1, 1),
    )
    role, site = ("Red", "Green"), ("Pune",)
    assert shown(EXECUTIVE, tokens(None, role=role), tokens(None, site=site)) == [True, True]
    assert shown(EXECUTIVE, tokens(None, role=role, site=site)) == [False]


def test_filters_by_several_models_show_no_few_people_who_used_both(teams: Org) -> None:
    """The attack: sessions with one model, and with another, less those with any of the two."""
    for number in range(5):
        session = teams.session(by=f"of-green-{number}", on=yesterday(), tokens=10, model="claude-opus-4-5")
        if number == 4:
            teams.session(by="of-green-4", on=yesterday(), tokens=10, model="claude-sonnet-4-5", session_id=session)
    teams.fold()
    models = ("claude-opus-4-5", "claude-sonnet-4-5")
    sessions = replace(tokens(None), key="ai.sessions")
    queries = [replace(sessions, facets={Dimension.MODEL: some}) for some in (models[:1], models)]
    answers = visible_totals(queries, access_of(create_user(EXECUTIVE)))
    assert [answer.total[0].withheld for answer in answers] == [False, True]


def test_a_filter_by_what_rows_lack_is_judged_too() -> None:
    """Sessions and calls of tools have no model: the filter picks the sessions that used it."""
    everything = tokens(None)
    facets = {Dimension.MODEL: ("claude-sonnet-4-5",), Dimension.AGENT: ("claude_code",)}
    for key in ("ai.sessions", "ai.active_share", "ai.session_duration", "ai.error_rate", "ai.tool_calls"):
        for number in (1, 2):
            query = replace(everything, key=key, facets=dict([*facets.items()][:number]))
            [answer] = visible_totals([query], access_of(create_user(EXECUTIVE)))
            assert not answer.total[0].withheld, (key, number)


def test_the_command_counts_what_rules_hide() -> None:
    """Of everybody, Shop and its teams, Grey is of few people, and Blue is hidden beside it."""
    units = [*Unit.objects.values_list("pk", flat=True)]
    found = counted([tokens(None)], units, public_access(), of_buckets=False)
    assert found == {"values": 6, Rule.PRIMARY.value: 1, Rule.COMPLEMENTARY.value: 1}
    printed = StringIO()
    call_command("suppression", "--json", stdout=printed)
    document = json.loads(printed.getvalue())
    assert {"whole window", "by week", "by an attribute", "by segment", "trees", "edges"} == document.keys()
    assert all(document[name]["values"] > document[name][Rule.PRIMARY.value] for name in ("by week", "by segment"))


def test_the_policy_named_shows_all() -> None:
    Organisation.objects.update(individual_policy="named")
    assert shown(EXECUTIVE, tokens("blue"), tokens("grey")) == [True, True]
