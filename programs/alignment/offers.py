"""The objectives offered as the parent of an objective or as the plan of a ticket, nearest first, and their tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from insights.query import windows
from orgtree.models import UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import Objective, Quarter

MOST_OFFERED = 100  # per group; to choose another, start from that objective's page
Of = Literal["unit", "above", "organisation", "others"]


@dataclass(frozen=True)
class Offer:
    """A group of objectives: of the unit itself, of units above it, of the whole organisation, or of others."""

    of: Of
    objectives: QuerySet[Objective]  # with their units


def parents_of(
    visibility: Visibility, unit: str | None, quarter: Quarter | None, *, known: Objective | None
) -> list[Offer]:
    """The objectives that an objective of the unit (a slug; None: the whole organisation, which has no parent) can
    support in the quarter, without `known` itself.
    """
    if quarter is None or quarter._state.adding or unit is None:
        return []
    open_ones = Objective.objects.within(visibility).open().filter(quarter=quarter, published_at__isnull=False)
    others = open_ones.exclude(pk=known.pk) if known else open_ones
    above = others.filter(unit__in=_above(unit).values("ancestor")).exclude(unit__slug=unit)
    return [
        _offer("above", _nearest_first(above)),
        _offer("organisation", others.filter(unit=None).order_by("pk")),
    ]


def plans_of(visibility: Visibility, unit: str | None) -> list[Offer]:
    """The objectives whose improvement plan a ticket of the unit (a slug; None: the whole organisation) can join."""
    open_ones = Objective.objects.within(visibility).open()
    own, above = open_ones.none(), open_ones.none()
    rest = open_ones.exclude(unit=None)
    if unit is not None:
        own = open_ones.filter(unit__slug=unit)
        above = open_ones.filter(unit__in=_above(unit).values("ancestor")).exclude(unit__slug=unit)
        rest = rest.exclude(unit__in=_above(unit).values("ancestor"))
    return [
        _offer("unit", own.order_by("pk")),
        _offer("above", _nearest_first(above)),
        _offer("organisation", open_ones.filter(unit=None).order_by("pk")),
        _offer("others", rest.order_by("unit__name", "pk")),
    ]


def visible_among(linked: Iterable[int | None], visibility: Visibility) -> Collection[int]:
    """Those of the linked objectives that the viewer may know of; one query, or none without links.

    A visible record can link to a hidden one: a ticket to another unit's plan, an objective to a draft or to an
    objective of an earlier quarter.
    """
    objectives = {pk for pk in linked if pk is not None}
    if not objectives:
        return ()
    return set(Objective.objects.within(visibility).filter(pk__in=objectives).values_list("pk", flat=True))


def _offer(of: Of, objectives: QuerySet[Objective]) -> Offer:
    return Offer(of, objectives.select_related("unit")[:MOST_OFFERED])


def _above(unit: str) -> QuerySet[UnitPlacement]:
    slug = unit.replace("\x00", "")
    return UnitPlacement.objects.filter(unit__slug=slug, during__contains=windows.local_today())


def _nearest_first(objectives: QuerySet[Objective]) -> QuerySet[Objective]:
    """Orders objectives by the depth of their unit: a deeper unit has more ancestors."""
    placed = UnitPlacement.objects.filter(unit=OuterRef("unit"), during__contains=windows.local_today()).order_by()
    depth = placed.values(pk_of=F("unit")).annotate(above=Count("pk")).values("above")[:1]
    return objectives.annotate(depth=Subquery(depth)).order_by("-depth", "unit__name", "pk")


@dataclass(frozen=True)
class Branch:
    """An objective in the tree, by id; at `depth` 0, its parent is not listed."""

    pk: int
    depth: int


def branches(pairs: Iterable[tuple[int, int | None]]) -> list[Branch]:
    """A depth-first tree of (id, parent id) pairs in the given order; objectives without a listed parent are roots."""
    parents = dict(pairs)
    below: Mapping[int | None, list[int]] = defaultdict(list)
    for pk, parent in parents.items():
        below[parent if parent in parents and not _serves_itself(pk, parents) else None].append(pk)
    ordered = []
    waiting = [(pk, 0) for pk in reversed(below[None])]
    while waiting:
        pk, depth = waiting.pop()
        ordered.append(Branch(pk, depth))
        waiting += [(child, depth + 1) for child in reversed(below[pk])]
    return ordered


def with_those_above(tree: Sequence[Branch], first: int, last: int) -> list[Branch]:
    """Rows [first, last) of the tree, preceded by the ancestors of the first one."""
    above: list[Branch] = []
    depth = tree[first].depth if first < len(tree) else 0
    for branch in reversed(tree[:first]):
        if branch.depth < depth:
            above.append(branch)
            depth = branch.depth
    return [*reversed(above), *tree[first:last]]


def _serves_itself(pk: int, parents: Mapping[int, int | None]) -> bool:
    """Whether following parents leads back to the start; such a cycle would have no root."""
    seen, here = {pk}, parents[pk]
    while here is not None and here in parents:
        if here in seen:
            return here == pk
        seen.add(here)
        here = parents[here]
    return False
