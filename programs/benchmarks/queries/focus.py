"""The focus of a unit today, and its earlier versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import Count, F, Q

from insights.query import windows
from orgtree.models import UnitPlacement
from programs.models import FocusVersion

VERSIONS_LISTED = 100


def newest_focus(unit_id: int | None) -> FocusVersion | None:
    """The unit's own, also where it says nothing any more."""
    own = FocusVersion.objects.filter(unit=unit_id).select_related("unit", "written_by")
    return own.order_by("-number").first()


def focus_of_units(unit_ids: Collection[int | None]) -> Mapping[int | None, FocusVersion]:
    """The newest of each; units that never chose are left out.  One query."""
    condition = Q(unit__in=[pk for pk in unit_ids if pk is not None])
    if None in unit_ids:
        condition |= Q(unit=None)
    newest = FocusVersion.objects.filter(condition).select_related("unit", "written_by")
    return {version.unit_id: version for version in newest.order_by("unit", "-number").distinct("unit")}


def focus_above(unit_id: int, *, on: date | None = None) -> FocusVersion | None:
    """The focus of the nearest unit above that has one, else of the whole organisation."""
    day = on or windows.local_today()
    placed = UnitPlacement.objects.filter(unit=unit_id, during__contains=day).exclude(ancestor=unit_id)
    above = list(placed.values_list("ancestor", flat=True))
    chosen = {pk: version for pk, version in focus_of_units([*above, None]).items() if version.metric}
    for pk in (*_deepest_first(above, day), None):
        if pk in chosen:
            return chosen[pk]
    return None


def focus_versions(unit_id: int | None) -> Sequence[FocusVersion]:
    """The unit's own, the latest first."""
    own = FocusVersion.objects.filter(unit=unit_id).select_related("written_by")
    return list(own.order_by("-number")[:VERSIONS_LISTED])


def _deepest_first(unit_ids: Sequence[int], day: date) -> list[int]:
    """The deeper a unit stands, the more are above it."""
    placed = UnitPlacement.objects.filter(unit__in=unit_ids, during__contains=day).order_by()
    counted = placed.values(pk_of=F("unit")).annotate(above=Count("ancestor")).order_by("-above")
    return [row["pk_of"] for row in counted]
