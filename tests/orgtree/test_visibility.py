"""Units visible to an account, and the role that pages name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser, User
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from orgtree.access.access import access_of, viewable
from orgtree.models import (
    Employment,
    Grant,
    Membership,
    MembersSee,
    Organisation,
    OrgTree,
    Person,
    Placement,
    Role,
    Unit,
    UnitPeople,
    UnitPlace,
)
from orgtree.models.visibility import Visibility
from orgtree.trees.placements import rebuild_placements
from programs.models import ProgramSettings

pytestmark = pytest.mark.django_db

LONG_AGO = date(2025, 1, 1)
ALWAYS = DateRange(LONG_AGO, None)
LAST_WEEK = date(2026, 2, 1)


@pytest.fixture
def protected() -> Organisation:
    Organisation.current()
    Organisation.objects.update(protected_since=datetime(2026, 1, 1, tzinfo=UTC))
    return Organisation.current()


@pytest.fixture
def tree(protected: Organisation) -> OrgTree:
    return OrgTree.objects.create(name="Managers", slug="managers")


class Branch:
    """engineering → platform → storage, and search beside platform."""

    def __init__(self, tree: OrgTree) -> None:
        self.engineering = unit(tree, "engineering")
        self.platform = unit(tree, "platform", self.engineering)
        self.storage = unit(tree, "storage", self.platform)
        self.search = unit(tree, "search", self.engineering)


@pytest.fixture
def branch(tree: OrgTree) -> Branch:
    return Branch(tree)


def unit(tree: OrgTree, name: str, parent: Unit | None = None) -> Unit:
    made = Unit.objects.create(tree=tree, name=name.capitalize(), slug=name)
    UnitPlace.objects.create(unit=made, parent=parent, during=ALWAYS)
    return made


def account(name: str, **fields: bool) -> User:
    return User.objects.create(username=name, email=f"{name}@example.com", **fields)


def person(name: str, *units: Unit) -> Person:
    made = Person.objects.create(full_name=name.capitalize(), email=f"{name}@example.com")
    for unit in units:
        Placement.objects.create(tree=unit.tree, person=made, unit=unit, ancestor=unit, during=ALWAYS)
    return made


def ids(*units: Unit) -> frozenset[int]:
    return frozenset(unit.pk for unit in units)


def grant(user: User, role: Role, where: Unit | None = None, until: date | None = None) -> None:
    Grant.objects.create(user=user, role=role, unit=where, during=DateRange(LONG_AGO, until))


def test_a_visitor_sees_nothing(branch: Branch) -> None:
    assert viewable(AnonymousUser()) == viewable(None) == Visibility()
    assert not Unit.objects.visible_to(None).exists()


def test_a_member_sees_aggregates_of_their_units_and_not_of_what_is_above_or_below(branch: Branch) -> None:
    user = account("ada")
    ada = person("ada", branch.platform)
    visibility = viewable(user)
    assert visibility.unit_ids == visibility.individuals_in == ids(branch.platform)
    assert (visibility.whole, visibility.person_id, visibility.home_unit) == (False, ada.pk, "platform")
    assert list(Unit.objects.visible_to(user)) == [branch.platform]


def test_a_member_without_a_person_sees_no_unit(branch: Branch) -> None:
    assert viewable(account("ada")) == Visibility()


def test_a_leader_sees_what_they_lead_with_all_below(branch: Branch) -> None:
    branch.platform.leader = person("grace", branch.engineering)
    branch.platform.save()
    visibility = viewable(account("grace"))
    assert visibility.managed_ids == ids(branch.platform, branch.storage)
    assert visibility.unit_ids == ids(branch.platform, branch.storage, branch.engineering)
    assert visibility.home_unit == "platform"


def test_the_default_unit_is_in_the_tree_that_the_program_uses(branch: Branch) -> None:
    other = OrgTree.objects.create(name="Products", slug="products")
    shop = Unit.objects.create(tree=other, name="Shop", slug="shop")
    ada = person("ada", branch.platform)
    Placement.objects.create(tree=other, person=ada, unit=shop, ancestor=shop, during=DateRange(LONG_AGO, None))
    user = account("ada")
    visibility = viewable(user)
    assert visibility.home_unit == "platform"
    ProgramSettings.objects.create(teams_tree=other)
    assert visibility.home_unit == "shop"
    shop.leader = ada
    shop.save()
    ProgramSettings.objects.update(teams_tree=branch.platform.tree)
    assert viewable(user).home_unit == "platform"  # where the program is, before what they lead elsewhere


def test_the_default_unit_of_somebody_in_a_site_is_their_team(branch: Branch) -> None:
    """Storage is a site of Platform, which grace leads; Crew, of another tree, has Platform's people."""
    branch.platform.leader = person("grace")
    branch.platform.save()
    crew = unit(OrgTree.objects.create(name="Crews", slug="crews"), "crew")
    user, ada, hedy = account("ada"), person("ada"), person("hedy")
    for member, where in ((ada, branch.storage), (hedy, branch.platform)):
        Membership.objects.create(tree=where.tree, person=member, unit=where, during=ALWAYS)
    rebuild_placements()
    ProgramSettings.objects.create(pk=1, teams_tree=branch.platform.tree)
    assert viewable(user).home_unit == "storage", "ada may not see Platform"
    for member in (ada, hedy):
        Membership.objects.create(tree=crew.tree, person=member, unit=crew, during=ALWAYS)
    rebuild_placements()
    assert "platform" in viewable(user).covered
    assert viewable(user).home_unit == "platform"
    branch.storage.leader = hedy
    branch.storage.save()
    assert viewable(user).home_unit == "storage", "it is a team of its own"


def test_a_unit_of_the_same_people_shows_the_same(branch: Branch) -> None:
    """Units of other trees: Twins has had exactly Storage's people, Later since last week, More has one besides."""
    trees = [OrgTree.objects.create(name=name, slug=name) for name in ("products", "second", "third")]
    twins, later, more = (unit(tree, name) for tree, name in zip(trees, ("twins", "later", "more"), strict=True))
    empty = unit(trees[0], "empty")
    ada, hedy, eve = (person(name) for name in ("ada", "hedy", "eve"))

    def place(days: DateRange, where: Unit, *people: Person) -> None:
        for one in people:
            Membership.objects.create(tree=where.tree, person=one, unit=where, during=days)

    place(ALWAYS, branch.storage, ada, hedy)
    place(ALWAYS, branch.platform, eve)
    place(ALWAYS, twins, ada, hedy)
    place(DateRange(LAST_WEEK, None), later, ada, hedy)
    place(ALWAYS, more, ada, hedy, eve)
    rebuild_placements()
    member, boss = account("ada"), account("boss")
    assert viewable(member).unit_ids == ids(branch.storage, twins, later, more, branch.platform, branch.engineering), (
        "More has Engineering's people"
    )
    grant(boss, Role.MANAGER, branch.storage)
    visibility = viewable(boss)
    assert visibility.unit_ids == visibility.individuals_in == ids(branch.storage, twins)
    assert (visibility.managed_ids, visibility.covered) == (ids(branch.storage), {"twins": twins.pk})
    assert not visibility.leads(twins.pk), "what they may write goes by the unit"
    Membership.objects.filter(person=ada, unit=twins).update(during=DateRange(LONG_AGO, timezone.localdate()))
    rebuild_placements(person_ids=[ada.pk])
    assert viewable(boss).unit_ids == ids(branch.storage), "from the day on which one of them left"
    Membership.objects.filter(unit__in=[twins, branch.storage]).delete()
    rebuild_placements()
    assert viewable(boss).unit_ids == ids(branch.storage), "units without people have nothing in common"
    assert not UnitPeople.objects.filter(unit__in=[twins, branch.storage, empty]).exists()


def test_a_unit_made_up_of_those_that_somebody_manages_shows_the_same(branch: Branch) -> None:
    """Engineering is Platform (Ada and Hedy) with Search (Eve); Shop has the people of Storage and Search alone.

    Storage is below Platform.
    """
    products = OrgTree.objects.create(name="Products", slug="products")
    shop = unit(products, "shop", unit(products, "products"))
    ada, hedy, eve = (person(name) for name in ("ada", "hedy", "eve"))
    for where, member, days in (
        (branch.platform, ada, DateRange(LONG_AGO, LAST_WEEK)),
        (branch.storage, ada, DateRange(LAST_WEEK, None)),
        (branch.platform, hedy, ALWAYS),
        (branch.search, eve, ALWAYS),
        (shop, ada, DateRange(LAST_WEEK, None)),
        (shop, eve, ALWAYS),
    ):
        Membership.objects.create(tree=where.tree, person=member, unit=where, during=days)
    rebuild_placements()
    assert UnitPeople.objects.get(unit=branch.engineering).people == 3
    both, alone, mixed, far = (account(name) for name in ("both", "alone", "mixed", "far"))
    for user, units in (
        (both, (branch.platform, branch.search)),
        (alone, (branch.platform,)),
        (far, (branch.storage,)),
    ):
        for managed in units:
            grant(user, Role.MANAGER, managed)
    assert covered(both) == {"engineering", "shop", "products"}, "Shop lacks Hedy: Storage, below Platform, with Search"
    assert viewable(both).managed_ids == ids(branch.platform, branch.storage, branch.search), "what they may write"
    assert covered(alone) == covered(far) == set()
    chief = account("chief")
    grant(chief, Role.EXECUTIVE)
    for managed in (branch.platform, branch.search):
        grant(chief, Role.MANAGER, managed)
    assert covered(chief) == {"engineering"}, "rows of those who see everything are judged by window"
    grant(mixed, Role.MANAGER, branch.platform)
    Person.objects.filter(pk=eve.pk).update(email="mixed@example.com")
    assert covered(mixed) == {"engineering", "products"}, "manages Platform and is in Search; and in Shop"
    assert viewable(mixed).individuals_in == viewable(mixed).unit_ids
    admin = account("root", is_superuser=True)
    Person.objects.filter(pk=eve.pk).update(email="root@example.com")
    grant(admin, Role.MANAGER, branch.platform)
    assert covered(admin) == set(), "admins see rows only of what they manage"
    Membership.objects.create(tree=branch.platform.tree, person=person("lise"), unit=branch.engineering, during=ALWAYS)
    rebuild_placements()
    assert covered(both) == {"shop", "products"}, "Lise is directly in Engineering"


def covered(user: User) -> set[str]:
    """The slugs of units that show the same as some that the account manages or is in."""
    visibility = viewable(user)
    assert set(visibility.covered.values()) <= (visibility.individuals_in or set())
    return set(visibility.covered)


def test_a_leader_who_left_leads_nothing(branch: Branch) -> None:
    grace = branch.platform.leader = person("grace")
    branch.platform.save()
    Employment.objects.create(person=grace, during=DateRange(LONG_AGO, timezone.localdate()))
    assert viewable(account("grace")).unit_ids == frozenset()


def test_a_granted_manager_sees_the_unit_until_the_grant_ends(branch: Branch) -> None:
    today = timezone.localdate()
    ended, ending = account("ended"), account("ending")
    grant(ended, Role.MANAGER, branch.platform, until=today)
    grant(ending, Role.MANAGER, branch.platform, until=today + timedelta(days=1))
    assert viewable(ended).unit_ids == frozenset()
    assert viewable(ending).unit_ids == ids(branch.platform, branch.storage)


def test_a_grant_ends_at_midnight_where_the_organisation_is(branch: Branch) -> None:
    user = account("ada")
    grant(user, Role.MANAGER, branch.platform, until=date(2026, 3, 3))
    with timezone.override(ZoneInfo("Pacific/Auckland")):  # thirteen hours ahead of UTC
        with time_machine.travel(datetime(2026, 3, 2, 10, 59, tzinfo=UTC), tick=False):
            assert viewable(user).unit_ids == ids(branch.platform, branch.storage)
        with time_machine.travel(datetime(2026, 3, 2, 11, tzinfo=UTC), tick=False):
            assert viewable(user).unit_ids == frozenset()


def test_an_archived_tree_gives_no_leader_and_no_member_anything(branch: Branch, tree: OrgTree) -> None:
    OrgTree.objects.create(name="Another", slug="another")
    branch.platform.leader = person("grace", branch.search)
    branch.platform.save()
    tree.archived_at = timezone.now()
    tree.save()
    assert viewable(account("grace")).unit_ids == frozenset()


def test_executives_and_admins_see_aggregates_of_everything(branch: Branch) -> None:
    executive = account("executive")
    grant(executive, Role.EXECUTIVE)
    for user in (executive, account("root", is_superuser=True)):
        visibility = viewable(user)
        assert (visibility.whole, visibility.unit_ids, visibility.individuals) == (True, None, False)
        assert Unit.objects.visible_to(user).count() == 4


def test_an_admin_who_is_a_member_sees_no_rows_of_their_team(branch: Branch) -> None:
    person("root", branch.platform)
    assert not viewable(account("root", is_superuser=True)).individuals


def test_an_admin_with_a_grant_sees_rows_of_that_unit(branch: Branch) -> None:
    admin = account("root", is_superuser=True)
    grant(admin, Role.MANAGER, branch.storage)
    assert viewable(admin).individuals_in == ids(branch.storage)


def test_an_auditor_sees_no_figures_by_that_role(branch: Branch) -> None:
    auditor = account("auditor")
    grant(auditor, Role.AUDITOR)
    assert viewable(auditor) == Visibility()


def test_pages_name_the_highest_role_of_an_account(branch: Branch) -> None:
    ada, grace, mary, joan = map(account, ("ada", "grace", "mary", "joan"))
    person("ada", branch.storage)
    branch.platform.leader = person("grace", branch.platform)
    branch.platform.save()
    grant(mary, Role.EXECUTIVE)
    grant(mary, Role.AUDITOR)
    grant(joan, Role.AUDITOR)
    accounts = (account("root", is_superuser=True), mary, grace, joan, ada)
    assert [access_of(user).role for user in accounts] == ["Admin", "Executive", "Manager", "Auditor", "Member"]
    grant(ada, Role.MANAGER, branch.search)
    assert access_of(ada).role == "Manager"


def test_members_see_everything_where_the_organisation_says_so(branch: Branch, protected: Organisation) -> None:
    Organisation.objects.update(members_see=MembersSee.EVERYTHING)
    visibility = viewable(account("ada"))
    assert (visibility.whole, visibility.unit_ids, visibility.individuals_in) == (True, None, None)


def test_members_see_everything_without_a_tree(protected: Organisation) -> None:
    assert viewable(account("ada")).whole


def test_everybody_who_may_sign_in_sees_everything_on_trial(branch: Branch) -> None:
    Organisation.objects.update(protected_since=None)
    visibility = viewable(account("root", is_superuser=True))
    assert (visibility.whole, visibility.unit_ids, visibility.individuals_in) == (True, None, None)
    assert viewable(account("gone", is_active=False)) == Visibility()
