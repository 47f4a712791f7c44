"""Proposed owners of things without one, and the effect of confirming."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import remove_owner
from integrations.delivery.ownership.listing import Filters, ListedThing, counted_things, listed_things
from integrations.delivery.ownership.proposals import Proposal, confirm, proposals
from integrations.models import Connection, Owned, OwnedKind, Ownership, Repository, Resource, WorkItem
from orgtree.models import Identity, OrgTree, Unit
from orgtree.models.visibility import Visibility
from tests.org import Org

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams(org: Org) -> OrgTree:
    """Engineering ─┬─ Product ─┬─ Payments: ada, bob
    ║               │           └─ Search: cem
    ║               └─ Platform: dora
    """
    org.tree("Engineering")
    org.unit("Product", below="engineering")
    org.unit("Platform", below="engineering")
    for unit, members in (("Payments", ("ada", "bob")), ("Search", ("cem",))):
        org.unit(unit, below="product")
        for member in members:
            org.join(member, unit.lower())
    org.join("dora", "platform")
    return OrgTree.objects.get()


def merged(org: Org, repository: str, *authors: str, days_ago: int = 10) -> None:
    """Pull requests that were merged so long ago, one per author."""
    at = (timezone.now() - timedelta(days=days_ago)).isoformat()
    before = Repository.objects.filter(name=repository).first()
    number = before.pull_requests.count() if before else 0
    org.push(
        "pull-requests",
        *(
            {
                "id": f"{repository}-{number + position}",
                "repository": repository,
                "number": number + position,
                "author": f"{author}@example.com",
                "created_at": at,
                "merged_at": at,
                "state": "merged",
            }
            for position, author in enumerate(authors)
        ),
    )


def proposed() -> dict[str, Proposal]:
    return {str(Owned.objects.get(pk=proposal.owned_id)): proposal for proposal in proposals(OrgTree.objects.all())}


def listed(tree: OrgTree, **filters: Any) -> list[ListedThing]:
    return list(listed_things(tree, Filters(**filters), on=timezone.localdate()).things)


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    ("authors", "unit", "reason"),
    [
        (["ada", "ada", "dora"], "payments", "2 of 3 merges in the last 90 days by members of Payments"),
        (["ada", "cem", "dora"], "product", "2 of 3 merges in the last 90 days by members of Product"),
        (["ada", "dora"], "engineering", "2 of 2 merges in the last 90 days by members of Engineering"),
        (["dora"], "platform", "the only merge in the last 90 days by members of Platform"),
        (["ada", "stranger", "stranger"], None, None),
        (
            ["ada", "ada", "dora", "stranger"],
            "payments",
            "2 of 3 merges in the last 90 days by members of Payments; 1 more by unmatched names",
        ),
    ],
)
def test_the_deepest_unit_with_more_than_half_of_the_merges_is_proposed(
    org: Org, authors: list[str], unit: str | None, reason: str | None
) -> None:
    merged(org, "acme/shop", *authors)
    Identity.objects.filter(value="stranger@example.com").update(person=None)
    proposal = proposed().get("acme/shop")
    assert (proposal and proposal.unit.slug, proposal and proposal.reason) == (unit, reason)
    assert bool(proposal and proposal.is_root) == (unit == "engineering")


@pytest.mark.usefixtures("teams")
def test_what_was_merged_long_ago_counts_for_nobody(org: Org) -> None:
    merged(org, "acme/shop", "ada", "ada", days_ago=91)
    assert not proposed()
    merged(org, "acme/shop", "dora", days_ago=89)
    assert proposed()["acme/shop"].unit.slug == "platform"


@pytest.mark.usefixtures("teams")
def test_where_no_pull_request_is_known_commits_tell(org: Org) -> None:
    org.commit(by="ada", on=timezone.localdate() - timedelta(days=3))
    org.commit(by="ada", on=timezone.localdate() - timedelta(days=2))
    org.commit(by="dora", on=timezone.localdate() - timedelta(days=2))
    org.fold()
    (proposal,) = proposed().values()
    assert (proposal.unit.slug, proposal.reason) == (
        "payments",
        "2 of 3 commits in the last 90 days by members of Payments",
    )


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    ("names", "unit"), [(["Search", "search", "Payments"], "search"), (["Search", "Payments"], None), (["Gone"], None)]
)
def test_a_project_goes_to_the_unit_that_its_items_name_as_their_team(
    org: Org, names: list[str], unit: str | None
) -> None:
    at = (timezone.now() - timedelta(days=5)).isoformat()
    usual = {"project": "SHOP", "title": "A thing", "type": "story", "status_category": "todo"}
    items = [{"id": f"SHOP-{number}", **usual} for number in range(len(names) + 1)]
    org.push("work-items", *({**item, "created_at": at} for item in items))
    for item, name in zip(items, names, strict=False):
        WorkItem.objects.filter(external_id=item["id"]).update(native_team=name)
    proposal = proposed().get("SHOP")
    assert (proposal and proposal.unit.slug) == unit
    if proposal:
        assert proposal.reason == "2 of 3 items that name a team in the last 90 days name Search"


@pytest.mark.usefixtures("teams")
def test_a_service_goes_to_the_unit_of_those_who_are_on_call_for_it() -> None:
    connection = Connection.objects.create(provider="pagerduty", name="PagerDuty")
    called = [f"{name}@example.com" for name in ("Ada", "bob", "dora")]
    Resource.objects.create(
        connection=connection,
        kind="service",
        external_id="P1",
        name="checkout-api",
        service="checkout",  # its first name, under which its records are stored
        details={"on_call": called},
    )
    Resource.objects.create(connection=connection, kind="service", external_id="P2", name="search", details={})
    Owned.objects.create(kind=OwnedKind.SERVICE, name="checkout")
    Owned.objects.create(kind=OwnedKind.SERVICE, name="search")
    (proposal,) = proposed().values()
    assert (proposal.unit.slug, proposal.reason) == ("payments", "2 of 3 known people on call: members of Payments")


@pytest.mark.usefixtures("teams")
def test_a_project_goes_to_those_who_finish_what_is_in_it(org: Org) -> None:
    at = (timezone.now() - timedelta(days=5)).isoformat()
    org.push(
        "work-items",
        *(
            {
                "id": f"SHOP-{number}",
                "project": "SHOP",
                "title": "A thing",
                "type": "story",
                "status_category": "done",
                "created_at": at,
                "resolved_at": at,
                "assignee": f"{assignee}@example.com",
            }
            for number, assignee in enumerate(("cem", "cem", "ada"))
        ),
    )
    proposal = proposed()["SHOP"]
    assert (proposal.unit.slug, proposal.times, proposal.total) == ("search", 2, 3)


def test_what_is_confirmed_is_owned_since_ever_or_since_the_last_owner_left(org: Org, teams: OrgTree) -> None:
    merged(org, "acme/shop", "ada")
    merged(org, "acme/api", "dora")
    left_on = date(2026, 3, 9)
    org.own("acme/api", "search")
    remove_owner(find_owned("acme/api"), teams, start=left_on)
    by_name = proposed()
    assert confirm([(proposal.owned_id, proposal.unit.pk) for proposal in by_name.values()], by=None) == 2
    days = {(str(ownership.owned), ownership.unit.slug): ownership.during for ownership in Ownership.objects.all()}
    assert days[("acme/shop", "payments")].lower is None
    assert days[("acme/api", "platform")].lower == left_on
    assert not proposed()
    assert confirm([(proposal.owned_id, proposal.unit.pk) for proposal in by_name.values()], by=None) == 0, (
        "somebody was faster"
    )


def test_what_nobody_owns_is_listed_first_and_counted(org: Org, teams: OrgTree) -> None:
    for name in ("acme/api", "acme/shop", "acme/web"):
        merged(org, name, "ada")
    org.own("acme/api", "payments", from_="2026-01-01")
    org.own("acme/web", "search", from_=timezone.localdate() + timedelta(days=9))
    assert [(thing.name, thing.unit_slug) for thing in listed(teams)] == [
        *(("acme/shop", None), ("acme/web", None)),
        ("acme/api", "payments"),
    ]
    web = listed(teams, search="WEB")[0]
    assert (web.next_unit_name, web.next_from) == ("Search", timezone.localdate() + timedelta(days=9))
    assert counted_things([teams], on=timezone.localdate())[teams.pk, OwnedKind.REPOSITORY].without_owner == 2
    assert [thing.name for thing in listed(teams, without_owner=True)] == ["acme/shop", "acme/web"]
    above = Unit.objects.get(slug="product")
    assert [thing.name for thing in listed(teams, unit_id=above.pk)] == ["acme/api"]
    assert not listed(teams, kind=OwnedKind.BOARD)


def test_a_service_is_listed_with_the_owner_of_its_repository(org: Org, teams: OrgTree) -> None:
    merged(org, "acme/shop", "ada")
    org.push(
        "deployments",
        {
            "id": "1",
            "repository": "acme/shop",
            "service": "checkout",
            "environment": "production",
            "status": "success",
            "finished_at": timezone.now().isoformat(),
        },
    )
    assert "checkout" not in proposed()
    org.own("acme/shop", "payments", from_="2026-01-01")
    (checkout,) = listed(teams, kind=OwnedKind.SERVICE)
    assert (checkout.follows, checkout.unit_slug, checkout.by_following) == ("acme/shop", "payments", True)
    assert checkout.since == date(2026, 1, 1)
    org.own("checkout", "platform")
    (checkout,) = listed(teams, kind=OwnedKind.SERVICE)
    assert (checkout.unit_slug, checkout.by_following, checkout.since) == ("platform", False, None)


def test_who_sees_some_units_sees_what_these_own_and_nothing_else(org: Org, teams: OrgTree) -> None:
    for name in ("acme/api", "acme/shop", "acme/web"):
        merged(org, name, "ada")
    org.own("acme/api", "payments")
    org.own("acme/shop", "search")
    of_search = Visibility(unit_ids=frozenset({Unit.objects.get(slug="search").pk}))
    seen = listed_things(teams, Filters(), on=timezone.localdate(), visibility=of_search)
    assert [thing.name for thing in seen.things] == ["acme/shop"]
    assert seen.total == 1


def output_of(*arguments: str) -> str:
    out = StringIO()
    call_command("own", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("teams")
def test_the_command_confirms_all_that_is_proposed(org: Org) -> None:
    """But for what only the top of the tree could own; a second call finds nothing to do."""
    merged(org, "acme/pay", "ada", "bob")
    merged(org, "acme/find", "cem")
    merged(org, "acme/everybody", "ada", "dora")
    assert output_of("--confirm-proposed", "--tree", "engineering", "--json") == '{"confirmed": 2, "left": 1}\n'
    owners = dict(Ownership.objects.values_list("owned__repository__name", "unit__name"))
    assert owners == {"acme/pay": "Payments", "acme/find": "Search"}
    assert "Confirmed 0 proposed owners.\nLeft 1 " in output_of("--confirm-proposed")


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ((), "Name RESOURCE and UNIT, or --confirm-proposed"),
        (("acme/pay",), "Name RESOURCE and UNIT"),
        (("acme/pay", "payments", "--tree", "engineering"), "needs --confirm-proposed"),
        (("acme/pay", "payments", "--confirm-proposed"), "takes no RESOURCE"),
        (("--confirm-proposed", "--from", "2026-03-09"), "takes no RESOURCE, UNIT or days"),
        (("--confirm-proposed", "--tree", "nowhere"), "No tree in use has the slug “nowhere”"),
    ],
)
def test_what_the_command_cannot_do_it_says(arguments: tuple[str, ...], refusal: str) -> None:
    with pytest.raises(CommandError, match=refusal):
        output_of(*arguments)
