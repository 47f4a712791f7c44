"""Readers whose view of a dashboard its owner previews: an executive, or a manager or member of a unit.

The preview never shows more than its viewer may see: the reader's rights only narrow the viewer's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db import models
from django.http import QueryDict
from django.utils import timezone

from insights.query.errors import QueryError
from orgtree.access.access import Access
from orgtree.models import Role, Unit, UnitPlacement
from orgtree.models.visibility import AccountToday, visibility_from

AS, OF = "as", "of"  # parameters: the reader, and the slug of their unit


class ReaderRole(models.TextChoices):
    EXECUTIVE = "executive", "Executive"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"


@dataclass(frozen=True)
class Reader:
    """The reader of a preview; managers and members belong to a unit."""

    role: ReaderRole
    unit: Unit | None = None

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return [(AS, self.role.value), *([(OF, self.unit.slug)] if self.unit else [])]


def read_reader(parameters: QueryDict, access: Access) -> Reader | None:
    """The reader that `as` and `of` name; None without them.  Raises QueryError for a unit that the viewer
    cannot see.
    """
    role = parameters.get(AS)
    if not role:
        return None
    if role not in offered_roles(access):
        raise QueryError(AS, f"It can be {', '.join(offered_roles(access)) or 'left out'}.")
    if role == ReaderRole.EXECUTIVE:
        return Reader(ReaderRole.EXECUTIVE)
    slug = parameters.get(OF) or access.visibility.home_unit or ""
    seen = Unit.objects.within(access.visibility)
    unit = seen.filter(slug=slug).first() if slug else seen.order_by("tree_id", "pk").first()
    if unit is None:
        raise QueryError(OF, "There is no such unit.")
    return Reader(ReaderRole(role), unit)


def offered_roles(access: Access) -> list[ReaderRole]:
    """The roles whose figures the viewer may see."""
    if access.visibility.whole:
        return [*ReaderRole]
    return [ReaderRole.MANAGER, ReaderRole.MEMBER] if access.visibility.unit_ids else []


def access_as(access: Access, reader: Reader) -> Access:
    """The viewer's access, narrowed to what the reader may see."""
    own, today = access.visibility, _account_of(reader)
    seen = visibility_from(User(), access.organisation, today)
    narrowed = replace(
        seen,
        whole=own.whole and seen.whole,
        unit_ids=_both(own.unit_ids, seen.unit_ids),
        individuals_in=_both(own.individuals_in, seen.individuals_in),
    )
    return replace(access, visibility=narrowed, roles=today.roles)


def _account_of(reader: Reader) -> AccountToday:
    """An account with the reader's role: an executive, a manager of the unit and those below it, or a member of it."""
    units = {reader.unit.slug: reader.unit.pk} if reader.unit else {}
    if reader.unit and reader.role is ReaderRole.MANAGER:
        below = UnitPlacement.objects.filter(ancestor=reader.unit, during__contains=timezone.localdate())
        units |= dict(Unit.objects.filter(pk__in=below.values("unit")).values_list("slug", "pk"))
    ids, is_manager = frozenset(units.values()), reader.role is ReaderRole.MANAGER
    granted = {ReaderRole.EXECUTIVE: Role.EXECUTIVE, ReaderRole.MANAGER: Role.MANAGER}.get(reader.role)
    return AccountToday(
        person_id=None,
        managed=ids if is_manager else frozenset(),
        own=frozenset() if is_manager else ids,
        slugs=units,
        homes=((reader.unit.tree_id, reader.unit.pk),) if reader.unit else (),
        roles=frozenset([granted.value] if granted else []),
        has_trees=True,
    )


def _both(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    """The units that are in both; None: all units."""
    return other if one is None else one if other is None else one & other
