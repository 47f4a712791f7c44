"""Budgets that hold in a month, and who is asked before one is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from django.db.models import QuerySet

from insights.query import windows
from insights.query.errors import UnknownUnitError
from orgtree.access.who_sees import names_of, sees_everything
from orgtree.models import Grant, Role, Unit, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Budget


def budgets_of(month: date, visibility: Visibility, *, unit: str = "") -> QuerySet[Budget]:
    """Those of that month that the viewer may see; `unit` (a slug) leaves its own and those of units below it.

    Raises UnknownUnitError.
    """
    budgets = Budget.objects.within(visibility).in_month(month).select_related("unit", "owner", "written_by")
    if not unit:
        return budgets
    if not Unit.objects.within(visibility).filter(slug=unit).exists():
        raise UnknownUnitError(unit)
    below = UnitPlacement.objects.filter(ancestor__slug=unit, during__contains=windows.local_today())
    return budgets.filter(unit__in=below.values("unit"))


def managers_of_units(units: Collection[int | None]) -> Mapping[int | None, list[str]]:
    """Names of each unit's managers; of one that nobody manages, of the nearest above that has any.

    For the whole organisation (None) they are its executives.  As notices find them: queries/notices.py.
    """
    today = windows.local_today()
    placements = UnitPlacement.objects.filter(
        unit__in=[unit for unit in units if unit is not None],
        during__contains=today,
        unit__tree__archived_at=None,
    )
    above: dict[int, set[int]] = defaultdict(set)
    for unit, ancestor in placements.values_list("unit", "ancestor"):
        above[unit].add(ancestor)
    everything = {ancestor for ancestors in above.values() for ancestor in ancestors}
    depths = _depths(everything, today)
    names = _managers(everything, today)
    contacts: dict[int | None, list[str]] = {}
    for unit, ancestors in above.items():
        nearest = sorted(ancestors, key=lambda ancestor: -depths.get(ancestor, 0))
        contacts[unit] = next((names[ancestor] for ancestor in nearest if names.get(ancestor)), [])
    if None in units:
        contacts[None] = list(sees_everything().executives)
    return contacts


def _depths(units: Collection[int], today: date) -> Mapping[int, int]:
    depths: dict[int, int] = defaultdict(int)
    for unit in UnitPlacement.objects.filter(unit__in=units, during__contains=today).values_list("unit", flat=True):
        depths[unit] += 1
    return depths


def _managers(units: Collection[int], today: date) -> Mapping[int, list[str]]:
    """Leaders and managers by grant, by unit."""
    managers: dict[int, list[str]] = defaultdict(list)
    led = Unit.objects.filter(pk__in=units, leader__isnull=False)
    for unit, name in led.values_list("pk", "leader__full_name"):
        managers[unit].append(name)
    held = Grant.objects.filter(role=Role.MANAGER, unit__in=units, during__contains=today, user__is_active=True)
    grants = list(held.select_related("user").order_by("user__username"))
    names = names_of([grant.user for grant in grants])
    for grant in grants:
        if grant.unit_id is not None and names[grant.user_id] not in managers[grant.unit_id]:
            managers[grant.unit_id].append(names[grant.user_id])
    return managers
