"""Readers whose view of a dashboard its owner previews: an executive, or a manager or member of a unit.

The preview never shows more than its viewer may see: a reader's rights only narrow the viewer's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import models
from django.http import QueryDict
from django.utils import timezone

from insights.query.errors import QueryError
from orgtree.access.access import Access
from orgtree.models import Role, Unit, UnitPlacement
from orgtree.models.organisation import MembersSee
from orgtree.models.visibility import Visibility

AS, OF = "as", "of"  # parameters: the reader, and the slug of their unit


class ReaderRole(models.TextChoices):
    EXECUTIVE = "executive", "Executive"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"


@dataclass(frozen=True)
class Reader:
    """The reader of a preview; managers and members have a unit."""

    role: ReaderRole
    unit: Unit | None = None

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return [(AS, self.role.value), *([(OF, self.unit.slug)] if self.unit else [])]


def read_reader(parameters: QueryDict, access: Access) -> Reader | None:
    """The reader that `as` and `of` name; None without them.  Raises QueryError for one that the viewer cannot see."""
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
    """Those whose figures the viewer may see."""
    if access.visibility.whole:
        return [*ReaderRole]
    return [ReaderRole.MANAGER, ReaderRole.MEMBER] if access.visibility.unit_ids else []


def access_as(access: Access, reader: Reader) -> Access:
    """The viewer's access, narrowed to what the reader sees."""
    own, organisation = access.visibility, access.organisation
    units = _units_of(reader)
    sees_everything = access.trial.in_trial or organisation.members_see == MembersSee.EVERYTHING
    whole = own.whole and (sees_everything or reader.role is ReaderRole.EXECUTIVE)
    ids = frozenset(units.values())
    narrowed = Visibility(
        whole=whole,
        unit_ids=own.unit_ids if whole else _both(own.unit_ids, ids),
        individuals_in=own.individuals_in if sees_everything else _both(own.individuals_in, ids),
        managed_ids=ids if reader.role is ReaderRole.MANAGER else frozenset(),
        slugs=units,
        home_unit=reader.unit.slug if reader.unit else None,
        leads_whole=reader.role is ReaderRole.EXECUTIVE,
    )
    roles = {ReaderRole.EXECUTIVE: Role.EXECUTIVE, ReaderRole.MANAGER: Role.MANAGER}
    return replace(
        access, visibility=narrowed, roles=frozenset({str(roles[reader.role])} if reader.role in roles else ())
    )


def _units_of(reader: Reader) -> dict[str, int]:
    """The ids of the reader's units by slug: a manager's with those below it."""
    if reader.unit is None:
        return {}
    units = {reader.unit.slug: reader.unit.pk}
    if reader.role is ReaderRole.MANAGER:
        below = UnitPlacement.objects.filter(ancestor=reader.unit, during__contains=timezone.localdate())
        units |= dict(Unit.objects.filter(pk__in=below.values("unit")).values_list("slug", "pk"))
    return units


def _both(own: frozenset[int] | None, units: frozenset[int]) -> frozenset[int]:
    return units if own is None else own & units
