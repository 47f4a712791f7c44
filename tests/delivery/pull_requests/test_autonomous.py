"""Coding agents' pull requests without a known requester: credited to the repository's owner at the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from insights.columns.refresh import refresh
from insights.engine.contributions import AUTONOMOUS_AGENTS, read_rows
from insights.engine.distribution import read_distribution
from insights.engine.read import UnitQueries, read_series, read_together
from insights.privacy.visible import visible_rows, visible_series
from insights.query.query import Dimension, MetricValue, Query, Scope, Window
from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import remove_owner
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import ReviewState
from integrations.push.store import push_connection
from integrations.sync.remove_connection import remove_with_facts
from orgtree.access.access import access_of
from orgtree.identities.decisions import mark_bots, unmark_bots
from orgtree.models import Identity, IndividualPolicy, Organisation, OrgTree, Person, Unit
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.pull_requests.conftest import TellOf
from tests.delivery.pull_requests.histories import History, Review
from tests.org import Org
from tests.personas import EXECUTIVE, create_user

AGENT = "copilot-swe-agent[bot]"
MERGED = datetime(2026, 3, 9, 19, tzinfo=UTC)
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
UNITS = ("shop", "food", "tea", "milk")
UNASSIGNED = "unassigned:shop"

pytestmark = pytest.mark.django_db


def opened_by(author: str, *, requested_by: str = "", number: int = 1, merged: datetime | None = MERGED) -> History:
    end = merged or MERGED
    return History(
        number,
        author,
        end - timedelta(hours=10),
        reviews=[Review(end - timedelta(hours=4), "ben", ReviewState.APPROVED)],
        merged_at=merged,
        requested_by=requested_by,
        additions=30,
        deletions=10,
    )


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 4, 10, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def shop(org: Org, tell_of: TellOf) -> Org:
    """Shop ─┬─ food ── tea: ada; and milk: ben.  They have other pull requests in other months."""
    org.tree("Shop")
    org.unit("food", below="shop")
    org.unit("tea", below="food")
    org.unit("milk", below="shop")
    for login, unit in (("ada", "tea"), ("ben", "milk")):
        org.people({"full_name": login.title(), "email": f"{login}@example.com", "identities": f"github:{login}"})
        org.join(login, unit)
    return org


def total(unit: str | None, key: str = "pr.throughput", **more: object) -> MetricValue:
    [answer] = read_series([Query(key, MARCH, scope=Scope.of_unit(unit or ""), **more)])  # type: ignore[arg-type]
    return answer.total[0]


def merges() -> dict[str | None, int]:
    """The number of merges of each unit in March: read alone and together, which must agree."""
    alone = {unit: int(total(unit).value or 0) for unit in (None, *UNITS, UNASSIGNED)}
    ids = dict(Unit.objects.values_list("slug", "pk"))
    [beside] = read_together(units=[UnitQueries([Query("pr.throughput", MARCH)], list(ids.values()))]).units
    assert {unit: beside[pk][0].total[0].value or 0 for unit, pk in ids.items()} == {name: alone[name] for name in ids}
    return {unit: many for unit, many in alone.items() if many}


NOWHERE = {None: 1, UNASSIGNED: 1}
IN_TEA = {None: 1, "shop": 1, "food": 1, "tea": 1}
IN_MILK = {None: 1, "shop": 1, "milk": 1}


@pytest.mark.parametrize(
    ("history", "owners", "expected"),
    [
        pytest.param(opened_by(AGENT), [("tea", None)], IN_TEA, id="nobody asked"),
        pytest.param(opened_by("claude"), [("tea", None)], NOWHERE, id="somebody whose login is that of an agent"),
        pytest.param(opened_by(AGENT), [], NOWHERE, id="nobody owns it"),
        pytest.param(opened_by(AGENT), [("tea", None), ("milk", date(2026, 3, 9))], IN_MILK, id="owned since the day"),
        pytest.param(
            opened_by(AGENT), [("tea", None), ("milk", date(2026, 3, 10))], IN_TEA, id="owned until the day after"
        ),
        pytest.param(opened_by(AGENT), [("tea", date(2026, 3, 10))], NOWHERE, id="owned too late"),
        pytest.param(
            opened_by(AGENT), [("food", None)], {None: 1, "shop": 1, "food": 1}, id="owned by a unit above teams"
        ),
        pytest.param(opened_by(AGENT, requested_by="ben"), [("tea", None)], IN_MILK, id="a person asked"),
        pytest.param(
            opened_by(AGENT, requested_by="zoe"), [("tea", None)], NOWHERE, id="somebody asked who is in no unit"
        ),
        pytest.param(opened_by(AGENT, requested_by="renovate[bot]"), [("tea", None)], IN_TEA, id="a bot asked"),
        pytest.param(opened_by(AGENT, requested_by=AGENT), [("tea", None)], IN_TEA, id="the agent asked itself"),
        pytest.param(opened_by("renovate[bot]"), [("tea", None)], {}, id="a bot that is no agent"),
        pytest.param(
            opened_by("renovate[bot]", requested_by="ada"), [("tea", None)], {}, id="a bot that is no agent, asked"
        ),
        pytest.param(opened_by("ada"), [("milk", None)], IN_TEA, id="a person"),
        pytest.param(opened_by(""), [("tea", None)], NOWHERE, id="a deleted account"),
    ],
)
def test_it_counts_where(
    history: History,
    owners: list[tuple[str, date | None]],
    expected: dict[str | None, int],
    shop: Org,
    tell_of: TellOf,
) -> None:
    tell_of(history)
    for unit, since in owners:
        shop.own("acme/shop", unit, from_=since)
    assert merges() == expected


def test_it_is_matched_and_of_no_person(shop: Org, tell_of: TellOf) -> None:
    """Unmatched are only the unknown people: an agent is known, and no person."""
    tell_of(opened_by(AGENT), opened_by("ada", number=2), opened_by("", number=3))
    shop.own("acme/shop", "tea")
    [answer] = read_series([Query("pr.throughput", MARCH)])
    assert (answer.total[0].value, answer.total[0].people) == (3, 1)
    assert answer.unmatched == pytest.approx(1 / 3)
    for unit in ("tea", "food", "shop"):
        assert (total(unit).value, total(unit).people, total(unit).sample_size) == (2, 1, 2)


@pytest.mark.parametrize(
    ("key", "value"),
    [("pr.cycle_time", 10 * 3600), ("pr.pickup_time", 6 * 3600), ("pr.merge_time", 4 * 3600), ("pr.size", 40)],
)
def test_every_figure_of_it_is_the_units(key: str, value: float, shop: Org, tell_of: TellOf) -> None:
    tell_of(opened_by(AGENT))
    shop.own("acme/shop", "tea")
    for unit in (None, "tea", "shop"):
        assert (total(unit, key).value, total(unit, key).sample_size, total(unit, key).people) == (value, 1, 0)
    assert read_distribution(Query(key, MARCH, scope=Scope("tea"))).sample_size == 1
    assert total("milk", key).value is None


def test_segments_of_it_are_the_units(shop: Org, tell_of: TellOf) -> None:
    tell_of(opened_by(AGENT), opened_by("ada", number=2))
    shop.own("acme/shop", "tea")
    for dimension in (Dimension.AGENT, Dimension.ASSISTANCE):
        query = Query("pr.throughput", MARCH, scope=Scope("tea"), segments=(dimension,))
        [answer] = read_series([query])
        [beside] = read_together(units=[UnitQueries([query], [Unit.objects.get(slug="tea").pk])]).units
        for computed in (answer, *next(iter(beside.values()))):
            by_segment = {figure.segment[dimension.value]: (figure.value, figure.people) for figure in computed.total}
            assert by_segment == {"copilot" if dimension is Dimension.AGENT else "AI": (1, 0), "Non-AI": (1, 1)}


def test_an_open_one_is_stale_in_the_unit_that_owns_it_at_the_end_of_the_day(shop: Org, tell_of: TellOf) -> None:
    tell_of(opened_by(AGENT, merged=None))
    shop.own("acme/shop", "tea")
    assert [total(unit, "pr.stale_count").value for unit in (None, "tea", "milk")] == [1, 1, 0]
    shop.own("acme/shop", "milk", from_=date(2026, 3, 31))
    assert [total(unit, "pr.stale_count").value for unit in (None, "tea", "milk")] == [1, 0, 1]


def test_its_lead_time_counts_for_the_owner_on_the_day_of_the_deployment(shop: Org) -> None:
    shop.push(
        "pull-requests",
        {
            "id": "1",
            "repository": "acme/pushed",
            "number": 1,
            "author": AGENT,
            "created_at": "2026-03-09T09:00:00Z",
            "merged_at": "2026-03-09T19:00:00Z",
            "state": "merged",
            "commits": [{"sha": "1" * 40, "author_email": AGENT, "authored_at": "2026-03-09T08:00:00Z"}],
        },
    )
    shop.push(
        "deployments",
        {
            "id": "1",
            "repository": "acme/pushed",
            "environment": "production",
            "status": "success",
            "started_at": "2026-03-11T07:30:00Z",
            "finished_at": "2026-03-11T08:00:00Z",
        },
    )
    shop.own("acme/pushed", "tea")
    shop.own("acme/pushed", "milk", from_=date(2026, 3, 10))
    assert [total(unit, "dora.lead_time").value for unit in (None, "tea", "milk")] == [48 * 3600, None, 48 * 3600]
    assert [total(unit).value for unit in (None, "tea", "milk")] == [1, 1, 0]


def test_asking_for_people_finds_nothing_of_it(shop: Org, tell_of: TellOf) -> None:
    shop.people({"full_name": "Ada", "email": "ada@example.com", "site": "Pune"}, on=date(2026, 3, 1))
    tell_of(opened_by(AGENT), opened_by("ada", number=2))
    shop.own("acme/shop", "tea")
    ada = Person.objects.get(email="ada@example.com").pk
    for scope in (Scope("tea", where={"site": ("Pune",)}), Scope("tea", person_id=ada), Scope(person_id=ada)):
        [answer] = read_series([Query("pr.throughput", MARCH, scope=scope)])
        assert answer.total[0].value == 1, scope
    query = Query("pr.throughput", MARCH, scope=Scope(where={"site": ("Pune",)}))
    tea = Unit.objects.get(slug="tea").pk
    [beside] = read_together(units=[UnitQueries([query], [tea])]).units
    assert beside[tea][0].total[0].value == 1


def test_rows_show_it_under_autonomous_agents(shop: Org, tell_of: TellOf) -> None:
    tell_of(opened_by(AGENT), opened_by("", number=2))
    shop.own("acme/shop", "tea")
    assert [row["person_id"] for row in read_rows(Query("pr.throughput", MARCH, scope=Scope("tea"))).rows] == [
        AUTONOMOUS_AGENTS
    ]
    viewer = access_of(create_user(EXECUTIVE))
    viewer = replace(viewer, visibility=replace(viewer.visibility, unit_ids=None, individuals_in=None))
    of_tea = visible_rows(Query("pr.cycle_time", MARCH, scope=Scope("tea")), viewer)
    assert [(row["person"], row["title"], row["contribution"]) for row in of_tea.rows] == [
        ("Autonomous agents", "Sell tea", 36000)
    ]
    everybody = visible_rows(Query("pr.cycle_time", MARCH), viewer)
    assert sorted(row["person"] for row in everybody.rows) == ["Autonomous agents", "Unmatched"]


def test_one_person_beside_agents_is_still_a_group_of_one(shop: Org, tell_of: TellOf) -> None:
    """Work of agents hides nobody, and alone it tells of nobody."""
    Organisation.current()
    Organisation.objects.update(
        protected_since=datetime(2026, 1, 1, tzinfo=UTC), individual_policy=IndividualPolicy.PSEUDONYMS
    )
    tell_of(*(opened_by(AGENT, number=number) for number in range(1, 8)), opened_by("ada", number=8))
    shop.own("acme/shop", "milk")
    viewer = access_of(create_user(EXECUTIVE))
    viewer = replace(viewer, visibility=replace(viewer.visibility, whole=True, unit_ids=None))

    def seen(unit: str) -> tuple[float | None, bool]:
        [answer] = visible_series([Query("pr.throughput", MARCH, scope=Scope(unit))], viewer)
        return answer.total[0].value, answer.total[0].withheld

    assert (seen("milk"), seen("tea"), seen("shop")) == ((7, False), (None, True), (None, True))


def test_columns_follow_whose_it_is(shop: Org, tell_of: TellOf) -> None:
    """Whoever says so: the provider, an admin who calls the asker a bot, and whoever gives the repository away."""
    shop.people({"full_name": "Linter", "email": "linter@example.com", "identities": "github:linter"})
    tell_of(opened_by(AGENT), opened_by("linter", number=2))
    shop.own("acme/shop", "tea")
    forgotten_by_refresh()
    for change, unit in (
        (lambda: tell_of(opened_by(AGENT, requested_by="ben")), "milk"),
        (lambda: tell_of(opened_by(AGENT, requested_by="linter")), None),
        (lambda: mark_bots(Identity.objects.filter(value="linter"), by=None), "tea"),
        (lambda: unmark_bots(Identity.objects.filter(value="linter"), by=None), None),
        (lambda: tell_of(opened_by(AGENT, merged=MERGED + timedelta(days=2))), "tea"),
        (lambda: shop.own("acme/shop", "milk", from_=date(2026, 3, 11)), "milk"),
        (lambda: tell_of(opened_by(AGENT)), "tea"),
        (lambda: remove_owner(find_owned("acme/shop"), OrgTree.objects.get(), start=date(2026, 3, 9)), None),
    ):
        change()
        recompute_waiting_pull_requests()
        # Who is called a bot leaves the organisation's people, too, which is no matter of pull requests.
        assert [difference for difference in forgotten_by_refresh() if "pull_requests" in difference] == []
        assert [name for name in ("tea", "milk") if total(name).value] == ([unit] if unit else [])


def test_what_an_agent_had_done_leaves_the_unit_with_its_repository(shop: Org, tell_of: TellOf) -> None:
    tell_of(opened_by("ada", merged=MERGED - timedelta(days=30)))
    shop.push(
        "pull-requests",
        {
            "id": "1",
            "repository": "acme/pushed",
            "number": 1,
            "author": AGENT,
            "created_at": "2026-03-09T09:00:00Z",
            "merged_at": "2026-03-09T19:00:00Z",
            "state": "merged",
        },
    )
    shop.own("acme/pushed", "tea")
    refresh()
    assert total("tea").value == 1
    remove_with_facts(push_connection())
    assert forgotten_by_refresh() == []
