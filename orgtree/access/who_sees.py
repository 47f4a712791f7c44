"""Viewers of a person's data today, the inverse of `viewable`, for “Who sees what”; and the names of accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from orgtree.access.role_sight import ADMIN, MEMBER
from orgtree.models import ApiToken, Grant, Person, Placement, Role, Unit

GONE = "Deleted account"


@dataclass(frozen=True)
class Manager:
    """A manager of a unit, as its leader or by a grant."""

    name: str
    unit: str
    by_grant: bool


@dataclass(frozen=True)
class OwnUnit:
    """A unit the person is in today, its number of members, and the managers of it and its ancestors."""

    name: str
    slug: str
    tree: str
    members: int
    managers: Sequence[Manager]


def units_of(person: Person) -> list[OwnUnit]:
    """The person's units in trees in use, by tree."""
    today = timezone.localdate()
    placed = Placement.objects.filter(tree__archived_at=None, during__contains=today)
    paths = placed.filter(person=person).order_by("tree_id").values_list("unit_id", "ancestor_id")
    above: dict[int, list[int]] = {}
    for unit_id, ancestor_id in paths:
        above.setdefault(unit_id, []).append(ancestor_id)
    units = Unit.objects.select_related("tree", "leader").in_bulk(
        {ancestor_id for path in above.values() for ancestor_id in path}
    )
    granted = _granted(units)
    members = {
        unit_id: placed.filter(ancestor_id=unit_id).values("person").distinct().count()
        for unit_id in above  # one per tree
    }
    return [
        OwnUnit(
            name=units[unit_id].name,
            slug=units[unit_id].slug,
            tree=units[unit_id].tree.name,
            members=members[unit_id],
            managers=[manager for ancestor_id in path for manager in _managers(units[ancestor_id], granted, person)],
        )
        for unit_id, path in above.items()
    ]


def sees_everything() -> dict[str, Any]:
    """Names of the accounts with access to all aggregates, and the number of tokens without a user."""
    today = timezone.localdate()
    executives = User.objects.filter(
        is_active=True, grants__role=Role.EXECUTIVE, grants__during__contains=today
    ).distinct()
    now = timezone.now()
    tokens = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), user=None, revoked_at=None)
    admins = User.objects.filter(is_active=True, is_superuser=True)
    names = names_of([*executives, *admins])
    return {
        "executives": sorted(names[user.pk] for user in executives),
        "admins": sorted(names[user.pk] for user in admins),
        "tokens_of_nobody": tokens.count(),
    }


def holders_of_roles() -> dict[str, int]:
    """The number of active accounts by role, managers by grant or as leaders of a unit; everybody is a member."""
    today = timezone.localdate()
    active = User.objects.filter(is_active=True)
    granted = {
        role: active.filter(grants__role=role, grants__during__contains=today).values("pk").distinct() for role in Role
    }
    leading = Person.objects.there_on(today).filter(units_led__tree__archived_at=None, units_led__isnull=False)
    of_account = Q(user=OuterRef("pk")) | Q(user=None, email__iexact=OuterRef("email")) & ~Q(email="")
    managers = active.filter(Exists(leading.filter(of_account)) | Q(pk__in=granted[Role.MANAGER]))
    return {
        Role.EXECUTIVE.value: granted[Role.EXECUTIVE].count(),
        Role.MANAGER.value: managers.count(),
        MEMBER: active.count(),
        ADMIN: active.filter(is_superuser=True).count(),
        Role.AUDITOR.value: granted[Role.AUDITOR].count(),
        Role.FINANCE.value: granted[Role.FINANCE].count(),
    }


def name_of(account: User) -> str:
    """The display name of an account."""
    return names_of([account])[account.pk]


class AccountNames(dict[Any, str]):
    """Display names by id; `names[id]` is “Deleted account” for a deleted one, and for None."""

    def __missing__(self, account: int | None) -> str:
        return GONE


def names_of(accounts: Collection[User]) -> AccountNames:
    """The name of each account's person, else of the account."""
    linked = dict(Person.objects.filter(user__in=accounts).values_list("user", "full_name"))
    addresses = {account.email.lower() for account in accounts if account.email}
    by_address = dict(
        Person.objects.annotate(address=Lower("email"))
        .filter(user=None, address__in=addresses)
        .values_list("address", "full_name")
    )
    return AccountNames(
        {
            account.pk: linked.get(account.pk)
            or by_address.get(account.email.lower())
            or account.get_full_name()
            or account.email
            or account.get_username()
            for account in accounts
        }
    )


def _granted(units: Mapping[int, Unit]) -> Mapping[int, Sequence[str]]:
    """Names of managers by grant, by unit."""
    held = Grant.objects.filter(
        role=Role.MANAGER, unit__in=units, during__contains=timezone.localdate(), user__is_active=True
    )
    grants = list(held.select_related("user").order_by("user__username"))
    names = names_of([grant.user for grant in grants])
    names_by_unit: dict[int, list[str]] = {}
    for grant in grants:
        if grant.unit_id is not None:
            names_by_unit.setdefault(grant.unit_id, []).append(names[grant.user_id])
    return names_by_unit


def _managers(unit: Unit, granted: Mapping[int, Sequence[str]], person: Person) -> list[Manager]:
    led = unit.leader is not None and unit.leader != person
    leader = [Manager(unit.leader.full_name, unit.name, by_grant=False)] if unit.leader and led else []
    return [*leader, *(Manager(name, unit.name, by_grant=True) for name in granted.get(unit.pk, ()))]
