"""Owners by day: assignments, the ones that they end, and the effects of moves and removals."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import Gift, give, own, remove_owner
from integrations.delivery.ownership.refusals import (
    AmbiguousNameError,
    ArchivedTreeError,
    NoDaysError,
    NotStandingError,
    UnknownNameError,
    UnknownOwnerError,
)
from integrations.delivery.ownership.seen import note_named
from integrations.delivery.records.visible import sprints_of_units
from integrations.delivery.sprints.figures import recompute_sprints
from integrations.enums import Kind, ResourceKind
from integrations.facts.ownership import OWNER_DAYS, OWNER_PLACEMENTS
from integrations.models import (
    Connection,
    Owned,
    OwnedKind,
    Ownership,
    OwnershipChange,
    Project,
    Repository,
    Resource,
    Sprint,
)
from orgtree.models import OrgTree, Unit
from orgtree.trees.trees import archive_tree
from orgtree.trees.units import move_unit, remove_unit
from tests.org import Org
from tests.seeds import seeds

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]


@pytest.fixture
def trees(org: Org) -> None:
    """Engineering ─┬─ Product ─┬─ Payments        Sites ─── Berlin
    ║               │           └─ Search
    ║               └─ Platform
    """
    org.tree("Engineering")
    for unit, above in (("Product", "engineering"), ("Platform", "engineering")):
        org.unit(unit, below=above)
    for unit in ("Payments", "Search"):
        org.unit(unit, below="product")
    org.tree("Sites")
    org.unit("Berlin", below="sites")
    Repository.objects.create(name="acme/shop")


def unit(slug: str) -> Unit:
    return Unit.objects.select_related("tree").get(slug=slug)


def owner_on(name: str, day: str, tree: str = "engineering") -> str | None:
    """The slug of the unit that owns it on the day, as figures see it."""
    owners = rows(OWNER_DAYS, name, day)
    slugs = {Unit.objects.get(pk=row[2]).slug for row in owners if OrgTree.objects.get(pk=row[1]).slug == tree}
    assert len(slugs) <= 1, slugs
    return next(iter(slugs), None)


def counts_for(name: str, day: str) -> set[str]:
    """The slugs of the units that it counts for on the day."""
    return {Unit.objects.get(pk=row[3]).slug for row in rows(OWNER_PLACEMENTS, name, day)}


def rows(relation: str, name: str, day: str) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({relation}) AS r WHERE owned_id = %s AND during @> %s::date", [find_owned(name).pk, day]
        )
        return list(cursor.fetchall())


@pytest.mark.usefixtures("trees")
def test_what_a_unit_owns_counts_for_it_and_for_those_above(org: Org) -> None:
    assert owner_on("acme/shop", "2026-03-01") is None
    org.own("acme/shop", "payments")
    assert counts_for("acme/shop", "2019-03-01") == {"payments", "product", "engineering"}


@pytest.mark.usefixtures("trees")
def test_a_new_owner_ends_the_former_one_the_day_before(org: Org) -> None:
    org.own("acme/shop", "payments")
    org.own("acme/shop", "search", from_="2026-03-09")
    assert owner_on("acme/shop", "2026-03-08") == "payments"
    assert owner_on("acme/shop", "2026-03-09") == "search"


@pytest.mark.usefixtures("trees")
def test_an_owner_for_a_while_gives_it_back(org: Org) -> None:
    org.own("acme/shop", "payments", from_="2026-01-01")
    org.own("acme/shop", "platform", from_="2026-02-01", to="2026-03-01")
    assert [owner_on("acme/shop", day) for day in ("2025-12-31", "2026-01-31", "2026-02-01", "2026-02-28")] == [
        *(None, "payments", "platform", "platform")
    ]
    assert owner_on("acme/shop", "2026-03-01") == "payments"
    org.own("acme/shop", "payments", from_="2026-02-01")
    assert Ownership.objects.count() == 1, "days of one unit that touch are one row"


@pytest.mark.usefixtures("trees")
def test_every_tree_has_owners_of_its_own(org: Org) -> None:
    org.own("acme/shop", "payments")
    org.own("acme/shop", "berlin", from_="2026-03-01")
    assert owner_on("acme/shop", "2026-03-01") == "payments"
    assert owner_on("acme/shop", "2026-03-01", "sites") == "berlin"
    remove_owner(find_owned("acme/shop"), OrgTree.objects.get(slug="engineering"), start=date(2026, 3, 1))
    assert counts_for("acme/shop", "2026-03-01") == {"berlin", "sites"}
    assert counts_for("acme/shop", "2026-02-28") == {"payments", "product", "engineering"}


@pytest.mark.usefixtures("trees")
def test_what_is_owned_moves_with_its_unit_though_nobody_is_a_member(org: Org) -> None:
    org.own("acme/shop", "payments")
    move_unit(unit("payments"), unit("platform"), date(2026, 3, 9))
    assert counts_for("acme/shop", "2026-03-08") == {"payments", "product", "engineering"}
    assert counts_for("acme/shop", "2026-03-09") == {"payments", "platform", "engineering"}


@pytest.mark.usefixtures("trees")
def test_a_unit_that_is_removed_owned_what_it_owned_until_then(org: Org) -> None:
    org.own("acme/shop", "payments")
    remove_unit(unit("payments"), date(2026, 3, 9))
    assert counts_for("acme/shop", "2026-03-08") == {"payments", "product", "engineering"}
    assert counts_for("acme/shop", "2026-03-09") == set()
    Unit.objects.get(slug="payments").delete()
    assert not Ownership.objects.exists()


@pytest.mark.usefixtures("trees")
def test_a_repository_that_is_deleted_takes_its_ownership_along_and_the_log_stays(org: Org) -> None:
    org.own("acme/shop", "payments")
    Repository.objects.all().delete()
    assert not Owned.objects.exists()
    assert OwnershipChange.objects.get().name == "acme/shop"
    with pytest.raises(DatabaseError, match="only appended"):
        OwnershipChange.objects.all().delete()


@pytest.mark.usefixtures("trees")
def test_who_gave_it_is_logged_where_something_changed() -> None:
    ada = User.objects.create_user("ada")
    shop = find_owned("acme/shop")
    assert own(shop, unit("payments"), start=FIRST, by=ada)
    assert not own(shop, unit("payments"), start=FIRST, by=ada)
    (logged,) = OwnershipChange.objects.all()
    assert (logged.by, logged.tree, logged.unit, logged.day_from, logged.day_to) == (
        *(ada, "Engineering", "Payments", FIRST),
        None,
    )


@pytest.mark.usefixtures("trees")
def test_a_service_has_the_owner_of_its_repository_until_it_has_one_itself(org: Org) -> None:
    org.push("deployments", deployment("d1", service="checkout"))
    org.own("acme/shop", "payments")
    assert counts_for("checkout", "2026-03-01") == {"payments", "product", "engineering"}
    org.own("checkout", "platform", from_="2026-03-09")
    assert [owner_on("checkout", day) for day in ("2026-03-08", "2026-03-09")] == ["payments", "platform"]
    org.own("acme/shop", "search", from_="2026-03-01")
    assert [owner_on("checkout", day) for day in ("2026-03-08", "2026-03-09")] == ["search", "platform"]


@pytest.mark.usefixtures("trees")
def test_a_service_that_incidents_named_first_follows_its_first_deployment(org: Org) -> None:
    org.own("acme/shop", "payments")
    org.push("incidents", {"id": "i1", "service": "checkout", "started_at": "2026-03-01T10:00:00Z"})
    assert owner_on("checkout", "2026-03-01") is None
    org.push("deployments", deployment("d1", service="checkout"))
    assert owner_on("checkout", "2026-03-01") == "payments"


@pytest.mark.usefixtures("trees")
def test_names_are_found_and_ambiguous_ones_are_listed(org: Org) -> None:
    connected = Connection.objects.create(provider="jira", name="Jira")
    shop = Repository.objects.get()
    Project.objects.create(connection=connected, external_id="1", key="acme/shop", name="Issues", repository=shop)
    org.push("deployments", deployment("d1", service="search"))
    Owned.objects.create(kind=OwnedKind.BOARD, connection=connected, name="search")
    assert find_owned("ACME/shop").repository == shop, "its issues follow it"
    assert find_owned("board:search").kind == OwnedKind.BOARD
    page = "https://github.com/acme/shop"
    Resource.objects.create(
        connection=connected, kind=ResourceKind.REPOSITORY, external_id="7", name="acme/shop", url=page, repository=shop
    )
    assert find_owned(f"{page}/pulls").repository == shop
    with pytest.raises(UnknownNameError):
        find_owned(f"{page}2")
    with pytest.raises(AmbiguousNameError, match="board:search, service:search"):
        find_owned("search")
    with pytest.raises(UnknownNameError, match="Similar: acme/shop"):
        find_owned("shop")


@pytest.mark.usefixtures("trees")
def test_boards_of_two_connections_that_share_an_id_have_owners_of_their_own(org: Org) -> None:
    started = datetime(2026, 3, 2, 9, tzinfo=UTC)
    of_site: dict[str, Sprint] = {}
    for name in ("Cloud", "Data Center"):
        site = Connection.objects.create(provider="jira", name=name)
        Resource.objects.create(connection=site, kind=ResourceKind.BOARD, external_id="84", name=f"{name} board")
        of_site[name] = Sprint.objects.create(
            connection=site, external_id="s1", board="84", state="active", starts_at=started
        )
    sprints = [sprint.pk for sprint in of_site.values()]
    note_named(Kind.SPRINT, sprints)
    recompute_sprints(sprints)
    with pytest.raises(AmbiguousNameError, match="board:Cloud/84, board:Data Center/84"):
        find_owned("84")
    org.own("Cloud board", "payments")
    assert find_owned("board:Cloud/84") == Ownership.objects.get().owned
    assert list(sprints_of_units(Sprint.objects.all(), [unit("payments").pk])) == [of_site["Cloud"]]


@pytest.mark.usefixtures("trees")
def test_what_cannot_be_given_is_refused_in_words(org: Org) -> None:
    with pytest.raises(NoDaysError, match="there is no day"):
        org.own("acme/shop", "payments", from_="2026-03-09", to="2026-03-09")
    with pytest.raises(UnknownOwnerError, match="Similar: payments"):
        org.own("acme/shop", "payment")
    remove_unit(unit("payments"), date(2026, 3, 9))
    with pytest.raises(NotStandingError, match=r"is not in Engineering from 2026-03-09"):
        org.own("acme/shop", "payments", from_="2026-03-09")
    archive_tree(OrgTree.objects.get(slug="sites"))
    with pytest.raises(ArchivedTreeError, match="archived"):
        org.own("acme/shop", "berlin")
    with pytest.raises(CommandError, match="is not a day"):
        call_command("own", "acme/shop", "payments", "--from", "yesterday")
    assert not Ownership.objects.exists()


@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize("seed", seeds(0))
def test_a_slow_look_at_every_day_finds_the_same_owners(seed: int) -> None:
    rng = random.Random(seed)
    shop, engineering = find_owned("acme/shop"), OrgTree.objects.get(slug="engineering")
    units = [unit(slug) for slug in ("payments", "search", "platform")]
    truth: dict[date, str | None] = dict.fromkeys(DAYS)
    for _ in range(10):
        start, end = sorted(rng.sample([*DAYS, DAYS[-1] + timedelta(days=1)], 2))
        chosen = rng.choice([None, *units])
        give([Gift(shop.pk, engineering.pk, chosen.pk if chosen else None, start, end)], by=None)
        for day in DAYS:
            if start <= day < end:
                truth[day] = chosen.slug if chosen else None
        assert {day: owner_on("acme/shop", str(day)) for day in DAYS} == truth


def deployment(external_id: str, **more: str) -> dict[str, object]:
    return {
        "id": external_id,
        "repository": "acme/shop",
        "environment": "production",
        "status": "success",
        "finished_at": "2026-03-05T10:00:00Z",
        **more,
    }
