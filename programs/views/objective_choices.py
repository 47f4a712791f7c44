"""Objectives that forms offer: the nearest first, so that a long list needs no search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from insights import windows
from insights.views.scope_bar import EVERYBODY
from orgtree.models import UnitPlacement
from orgtree.models.sight import Sight
from programs.models import Objective, Quarter, Ticket
from programs.views.choices import WHOLE, flat

UNSEEN_OBJECTIVE = "An objective that you may not see"
MOST_OFFERED = 100  # of each group; who wants another one begins on its page
Choice = tuple[str, "str | list[tuple[str, str]]"]


def parents_offered(
    sight: Sight, unit: str, quarter: Quarter | None, *, known: Objective | None = None, named: str = ""
) -> list[Choice]:
    """What an objective of that unit (a slug, or WHOLE) can serve in that quarter: those of the units above, the
    nearest first, then those of the whole organisation.

    `named` is the number of one that was chosen before: it stays sayable, so that the service says what is wrong; and
    so does what the `known` objective serves, whoever may see that.
    """
    open_ones = Objective.objects.within(sight).open().filter(quarter=quarter, published_at__isnull=False)
    others = open_ones.exclude(pk=known.pk) if known else open_ones
    found: list[Choice] = [("", "None")]
    if quarter is not None and unit != WHOLE:
        above = others.filter(unit__in=_above(unit).values("ancestor")).exclude(unit__slug=unit)
        found += [
            *_group("Units above", _nearest_first(above)),
            *_group(EVERYBODY, others.filter(unit=None).order_by("pk")),
        ]
    return _with_chosen(found, sight, named, known.parent_id if known else None)


def plans_offered(sight: Sight, unit: str, *, known: Ticket | None = None, named: str = "") -> list[Choice]:
    """Whose improvement plan a ticket of that unit (a slug, or WHOLE) can be part of: its own objectives, those of
    units above, those of the whole organisation, and others.
    """
    open_ones = Objective.objects.within(sight).open()
    own, above = open_ones.none(), open_ones.none()
    rest = open_ones.exclude(unit=None)
    if unit and unit != WHOLE:
        own = open_ones.filter(unit__slug=unit)
        above = open_ones.filter(unit__in=_above(unit).values("ancestor")).exclude(unit__slug=unit)
        rest = rest.exclude(unit__in=_above(unit).values("ancestor"))
    found: list[Choice] = [
        ("", "None"),
        *_group("Of the unit", own.order_by("pk")),
        *_group("Units above", _nearest_first(above)),
        *_group(EVERYBODY, open_ones.filter(unit=None).order_by("pk")),
        *_group("Other units", rest.order_by("unit__name", "pk")),
    ]
    return _with_chosen(found, sight, named, known.objective_id if known else None)


def _above(unit: str) -> QuerySet[UnitPlacement]:
    slug = unit.replace("\x00", "")
    return UnitPlacement.objects.filter(unit__slug=slug, during__contains=windows.local_today())


def _nearest_first(objectives: QuerySet[Objective]) -> QuerySet[Objective]:
    """The deeper a unit stands, the more are above it."""
    placed = UnitPlacement.objects.filter(unit=OuterRef("unit"), during__contains=windows.local_today()).order_by()
    depth = placed.values(pk_of=F("unit")).annotate(above=Count("pk")).values("above")[:1]
    return objectives.annotate(depth=Subquery(depth)).order_by("-depth", "unit__name", "pk")


def _group(label: str, objectives: QuerySet[Objective]) -> list[Choice]:
    listed = _worded(objectives.select_related("unit")[:MOST_OFFERED])
    return [(label, listed)] if listed else []


def _worded(objectives: Iterable[Objective]) -> list[tuple[str, str]]:
    return [(str(each.pk), f"{each.unit.name if each.unit else EVERYBODY}: {each.title}") for each in objectives]


def _with_chosen(found: list[Choice], sight: Sight, named: str, kept: int | None) -> list[Choice]:
    """Together with what is `named`, where it is the viewer's to see, and what stands there already: an edit keeps it,
    also where it may not be told what that is.
    """
    offered = _keys(found)
    numbers = {named if named.isdecimal() and len(named) < 16 else "", str(kept or "")} - {""}
    missing = [int(each) for each in numbers if each not in offered]
    if not missing:
        return found
    chosen = _worded(Objective.objects.within(sight).select_related("unit").filter(pk__in=missing))
    if kept in missing and str(kept) not in dict(chosen):
        chosen.append((str(kept), UNSEEN_OBJECTIVE))
    return [*found, *([("Chosen", chosen)] if chosen else [])]


def _keys(choices: Sequence[Choice]) -> set[str]:
    return {str(key) for key, _ in flat(choices)}
