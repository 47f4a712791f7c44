"""Who may look at a person's data today: the other side of `viewable`, for the page that everybody may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from orgtree.models import ApiToken, Grant, Person, Placement, Role, Unit


@dataclass(frozen=True)
class Manager:
    """Somebody who manages a unit, by leading it in its tree or by a grant."""

    name: str
    unit: str
    by_grant: bool


@dataclass(frozen=True)
class OwnUnit:
    """A unit that the person is in today, and who sees its figures: its members, and who manages it or one above."""

    name: str
    slug: str
    tree: str
    members: int
    managers: Sequence[Manager]


@dataclass(frozen=True)
class SeesEverything:
    """Accounts that see aggregates of the whole organisation, by name, and how many tokens act for nobody."""

    executives: Sequence[str]
    admins: Sequence[str]
    tokens_of_nobody: int


def units_of(person: Person) -> list[OwnUnit]:
    """Of trees that are not archived, in the order of the trees."""
    today = timezone.localdate()
    placed = Placement.objects.filter(tree__archived_at=None, during__contains=today)
    paths = placed.filter(person=person).order_by("tree_id").values_list("unit_id", "ancestor_id")
    above: dict[int, list[int]] = {}
    for unit_id, ancestor_id in paths:
        above.setdefault(unit_id, []).append(ancestor_id)
    units = Unit.objects.select_related("tree", "leader").in_bulk({each for path in above.values() for each in path})
    granted = _granted(units)
    members = {
        unit_id: placed.filter(ancestor_id=unit_id).values("person").distinct().count()
        for unit_id in above  # one of each tree
    }
    return [
        OwnUnit(
            name=units[unit_id].name,
            slug=units[unit_id].slug,
            tree=units[unit_id].tree.name,
            members=members[unit_id],
            managers=[manager for each in path for manager in _managers(units[each], granted, person)],
        )
        for unit_id, path in above.items()
    ]


def sees_everything() -> SeesEverything:
    today = timezone.localdate()
    executives = User.objects.filter(
        is_active=True, grants__role=Role.EXECUTIVE, grants__during__contains=today
    ).distinct()
    now = timezone.now()
    tokens = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), user=None, revoked_at=None)
    admins = User.objects.filter(is_active=True, is_superuser=True)
    names = names_of([*executives, *admins])
    return SeesEverything(
        executives=sorted(names[user.pk] for user in executives),
        admins=sorted(names[user.pk] for user in admins),
        tokens_of_nobody=tokens.count(),
    )


def name_of(account: User) -> str:
    """What to call an account on a page."""
    return names_of([account])[account.pk]


def names_of(accounts: Collection[User]) -> Mapping[int, str]:
    """By id: as the people to whom the accounts belong are called, else as the accounts say."""
    linked = dict(Person.objects.filter(user__in=accounts).values_list("user", "full_name"))
    addresses = {account.email.lower() for account in accounts if account.email}
    by_address = dict(
        Person.objects.annotate(address=Lower("email"))
        .filter(user=None, address__in=addresses)
        .values_list("address", "full_name")
    )
    return {
        account.pk: linked.get(account.pk)
        or by_address.get(account.email.lower())
        or account.get_full_name()
        or account.email
        or account.get_username()
        for account in accounts
    }


def _granted(units: Mapping[int, Unit]) -> Mapping[int, Sequence[str]]:
    """The names of those who were given units to manage."""
    held = Grant.objects.filter(
        role=Role.MANAGER, unit__in=units, during__contains=timezone.localdate(), user__is_active=True
    )
    grants = list(held.select_related("user").order_by("user__username"))
    names = names_of([grant.user for grant in grants])
    found: dict[int, list[str]] = {}
    for grant in grants:
        if grant.unit_id is not None:
            found.setdefault(grant.unit_id, []).append(names[grant.user_id])
    return found


def _managers(unit: Unit, granted: Mapping[int, Sequence[str]], person: Person) -> list[Manager]:
    led = unit.leader is not None and unit.leader != person
    leader = [Manager(unit.leader.full_name, unit.name, by_grant=False)] if unit.leader and led else []
    return [*leader, *(Manager(name, unit.name, by_grant=True) for name in granted.get(unit.pk, ()))]
